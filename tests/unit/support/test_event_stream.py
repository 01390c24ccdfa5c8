"""The reference parser against the standard's own examples, and against itself in other pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.event_stream import EventStreamParser, Received, in_pieces


def fed(*pieces: bytes) -> list[Received]:
    """The events of a stream that arrives in ``pieces``."""
    parser = EventStreamParser()
    return [event for piece in pieces for event in parser.feed(piece)]


def datas(*pieces: bytes) -> list[str]:
    return [event.data for event in fed(*pieces)]


def test_the_standards_example_of_three_lines_of_stocks() -> None:
    assert datas(b"data: YHOO\ndata: +2\ndata: 10\n\n") == ["YHOO\n+2\n10"]


def test_the_standards_example_of_four_blocks() -> None:
    stream = (
        b": test stream\n\ndata: first event\nid: 1\n\n"
        b"data:second event\nid\n\ndata:  third event\n\ndata: fourth, unfinished"
    )
    assert fed(stream) == [
        Received("message", "first event", "1"),
        Received("message", "second event", ""),
        Received("message", " third event", ""),
    ]


def test_the_standards_example_of_empty_data() -> None:
    assert datas(b"data\n\ndata\ndata\n\ndata:") == ["", "\n"]


def test_the_standards_example_of_the_optional_space() -> None:
    assert datas(b"data:test\n\ndata: test\n\n") == ["test", "test"]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_every_line_end_ends_a_line_at_once(end: bytes) -> None:
    parser = EventStreamParser()
    assert parser.feed(b"data: a" + end) == []
    assert [event.data for event in parser.feed(end)] == ["a"]


def test_cr_and_lf_in_two_pieces_are_one_line_end() -> None:
    assert datas(b"data: a\r", b"", b"\ndata: b\r", b"\n\r", b"\n") == ["a\nb"]


def test_lf_and_cr_are_two_line_ends() -> None:
    assert datas(b"data: a\n", b"\rdata: b\n\r") == ["a", "b"]


def test_one_byte_order_mark_at_the_start_is_stripped_in_any_pieces() -> None:
    assert datas(b"\xef", b"\xbb", b"\xbf", b"data: a\n\n") == ["a"]
    assert datas(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n") == []
    assert datas(b"data: \xef\xbb\xbfa\n\n\xef\xbb\xbfdata: b\n\n") == ["\ufeffa"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xff", "\ufffd"),
        (b"\xc3(", "\ufffd("),
        (b"\xe2\x82(", "\ufffd("),
        (b"\xf0\x9f\x98(", "\ufffd("),
        (b"\xc0\xaf", "\ufffd\ufffd"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"),
    ],
)
def test_invalid_utf_8_becomes_replacement_characters(data: bytes, text: str) -> None:
    assert datas(b"data:" + data + b"\n\n") == [text]
    assert datas(*[bytes([byte]) for byte in b"data:" + data + b"\n\n"]) == [text]


def test_a_cut_character_before_a_line_end_does_not_swallow_it() -> None:
    assert datas(b"data:\xf0\x9f", b"\n\n") == ["\ufffd"]


def test_the_last_event_id_stays_until_it_is_set_and_counts_without_data() -> None:
    parser = EventStreamParser()
    events = parser.feed(b"id: 1\n\ndata: a\n\nid: 2\0\ndata: b\n\nid\ndata: c\n\nid: 3\n")
    assert [event.id for event in events] == ["1", "1", ""]
    assert parser.last_event_id == ""
    parser.feed(b"\n")
    assert parser.last_event_id == "3"


def test_the_event_type_lasts_for_one_block() -> None:
    stream = b"event: a\n\ndata: 1\n\nevent: b\ndata: 2\n\nevent: c\nevent\ndata: 3\n\nEvent: d\ndata: 4\n\n"
    assert [event.type for event in fed(stream)] == ["message", "b", "message", "message"]


@pytest.mark.parametrize(
    ("value", "retry"),
    [
        (b"5000", 5000),
        (b"007", 7),
        (b"9" * 30, int("9" * 30)),
        (b"", None),
        (b"+5", None),
        (b"-5", None),
        (b"5.0", None),
        (b"5 ", None),
        (b" 5", None),
        ("\u0665".encode(), None),
        ("\u00b2".encode(), None),
    ],
)
def test_retry_is_ascii_digits_or_nothing(value: bytes, retry: int | None) -> None:
    parser = EventStreamParser()
    assert parser.feed(b"retry: " + value + b"\n") == []
    assert parser.retry == retry


# Bytes in which line ends, fields and broken characters are likely.
LIKELY = (
    *(b"\r", b"\n", b"\r\n", b"data", b"id", b"event", b"retry", b":", b" ", b"1", b"x", b"\0"),
    *(b"\xef\xbb\xbf", b"\xe2", b"\x82\xac", b"\xf0\x9f", b"\x98\x80", b"\xff"),
)
noise = st.lists(st.sampled_from(LIKELY))


@given(noise.map(b"".join), st.lists(st.integers(0, 60)))
def test_pieces_make_no_difference(stream: bytes, cuts: list[int]) -> None:
    assert fed(*in_pieces(stream, cuts)) == fed(stream)
