"""The encoding of events, and the interface of Stream. ``tests/wire/test_streams.py`` has its behaviour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from oagw.model.sse import Event, encode, encode_data
from oagw.timing.ticker import Ticker
from oagw.web.stream import Streams
from tests.support.sse import Received, events


def test_an_event_is_its_fields_and_an_empty_line() -> None:
    event = Event("one\ntwo", event="update", id="7", retry=3000)
    assert encode(event) == b"id: 7\nevent: update\nretry: 3000\ndata: one\ndata: two\n\n"


def test_an_event_of_data_alone_needs_no_splitting() -> None:
    assert encode_data(b"[DONE]") == encode(Event("[DONE]"))


@pytest.mark.parametrize("event", [Event("", id="a\nb"), Event("", event="a\rb"), Event("", id="\r\n")])
def test_a_line_end_in_an_id_or_name_is_refused(event: Event) -> None:
    with pytest.raises(ValueError, match="line end"):
        encode(event)


line = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"))


@given(
    st.lists(
        st.builds(
            Event,
            data=st.text(st.characters(exclude_categories=["Cs"])),
            event=line.filter(bool),
            id=line,
        )
    )
)
def test_what_is_encoded_is_what_a_client_receives(sent: list[Event]) -> None:
    received = events(b"".join(map(encode, sent)))
    assert received == [
        Received(event.event or "", event.data.replace("\r\n", "\n").replace("\r", "\n"), event.id or "")
        for event in sent
    ]


def test_a_stream_is_a_push_producer() -> None:
    verifyObject(IPushProducer, Streams(Ticker(Clock())).stream([], 1.0))
