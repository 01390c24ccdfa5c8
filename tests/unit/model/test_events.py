"""Counting events: as many as the reference parser dispatches, however they are cut."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.model.events import EventCounter
from tests.support.event_stream import EventStreamParser

# What streams are made of, and what looks like it.
ATOMS = (
    *(b"data", b"data:", b"data: x", b"datax:", b"xdata:", b"id: 1", b"event: update", b": data:"),
    *(b"\n", b"\n", b"\n\n", b"\r", b"\r\n", b"\r\r", b"\xef\xbb\xbf", b"data: a\n\n", b"x" * 9),
)

streams = st.lists(st.sampled_from(ATOMS), max_size=14).map(b"".join)


@st.composite
def in_pieces(draw: st.DrawFn, bodies: st.SearchStrategy[bytes]) -> list[bytes]:
    body = draw(bodies)
    cuts = sorted(draw(st.sets(st.integers(0, len(body)), max_size=5)) | {0, len(body)})
    return [body[start:end] for start, end in pairwise(cuts)] or [b""]


@given(in_pieces(streams))
@settings(max_examples=400, deadline=None)
def test_as_many_events_are_counted_as_a_client_dispatches(pieces: list[bytes]) -> None:
    counter, parser, dispatched = EventCounter(), EventStreamParser(), 0
    for piece in pieces:
        counter.feed(piece)
        dispatched += len(parser.feed(piece))
        assert counter.count == dispatched


@given(streams)
@settings(max_examples=200, deadline=None)
def test_an_event_is_complete_at_its_position_and_not_before(body: bytes) -> None:
    ends = list(EventCounter().ends(body))
    for number, end in enumerate(ends, 1):
        assert len(EventStreamParser().feed(body[:end])) == number
        before = end - (2 if body[:end].endswith(b"\r\n") else 1)
        assert len(EventStreamParser().feed(body[:before])) == number - 1
    assert len(ends) == len(EventStreamParser().feed(body))


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b"data: a\n\n" * 1000, 1000),
        (b": keep-alive\n\n", 0),
        (b"id: 1\n\n", 0),
        (b"data\n\n", 1),
        (b"data: a\ndata: b\n\n", 1),
        (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", 3),
        (b"data: never finished\n", 0),
    ],
)
def test_blocks_count_when_they_have_data_and_a_blank_line(body: bytes, count: int) -> None:
    counter = EventCounter()
    counter.feed(body)
    assert counter.count == count
