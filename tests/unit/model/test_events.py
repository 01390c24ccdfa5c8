"""Counting events and body bytes: as many as the reference parser dispatches, however they are cut."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oagw.model.events import AnswerCounter, EventCounter
from tests.support.event_stream import EventStreamParser

FIRST = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED_HEAD = FIRST + b"Transfer-Encoding: chunked\r\n\r\n"

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


@given(st.lists(in_pieces(streams), max_size=3), st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_the_body_is_found_in_a_chunked_answer_however_it_is_cut(
    bodies: list[list[bytes]], size: int
) -> None:
    body = [piece for pieces in bodies for piece in pieces if piece]
    wire = CHUNKED_HEAD + b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in body) + b"0\r\n\r\n"
    whole, cut = AnswerCounter(), AnswerCounter()
    whole.feed(wire)
    for start in range(0, len(wire), size):
        cut.feed(wire[start : start + size])
    assert whole.size == cut.size == sum(map(len, body))
    assert whole.count == cut.count == len(EventStreamParser().feed(b"".join(body)))


def test_without_chunks_the_body_is_all_that_follows_the_head() -> None:
    counter = AnswerCounter()
    counter.feed(FIRST)
    assert counter.size == 0
    counter.feed(b"\r\ndata: a\n\n")
    assert (counter.size, counter.count) == (9, 1)


@pytest.mark.parametrize("broken", [b"zz\r\ndata: a\n\n\r\n", b"-1\r\n", b"1" * 100, b"0\r\n\r\nmore"])
def test_what_is_no_chunk_ends_the_body(broken: bytes) -> None:
    counter = AnswerCounter()
    counter.feed(CHUNKED_HEAD + b"2\r\nhi\r\n" + broken)
    counter.feed(b"\r\n2\r\nhi\r\n")
    assert counter.size == 2
