"""Responses of upstreams, read from bytes in any pieces."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oagw.forward.response import MAX_CHUNK_LINE, MAX_HEAD, ResponseError, ResponseReader


class Read:
    """What a ResponseReader makes of ``data``, cut at these places."""

    def __init__(self, data: bytes, *, cuts: Sequence[int] = (), ends: bool = False) -> None:
        reader = ResponseReader()
        edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
        self.body = b"".join(reader.feed(data[start:end]) for start, end in pairwise(edges))
        if ends:
            reader.end()
        self.head, self.done = reader.head, reader.done


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\nx-a:2 \r\n\r\n"
    b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nTrailer: x\r\n\r\n"
)
LENGTH = b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello"
CLOSED = b"HTTP/1.0 200\r\nServer: x\r\n\r\nhello"


def test_a_body_of_a_length_is_complete_with_its_last_byte() -> None:
    reader = Read(LENGTH + b"more")
    assert reader.head is not None
    assert (reader.head.status, reader.head.reason, reader.head.length) == (404, b"Not Found", 5)
    assert (reader.body, reader.done) == (b"hello", True)


def test_chunks_are_joined_and_fields_are_as_sent_in_lower_case() -> None:
    reader = Read(CHUNKED)
    assert reader.head is not None
    assert reader.head.fields == [(b"transfer-encoding", b"chunked"), (b"x-a", b"1"), (b"x-a", b"2")]
    assert (reader.body, reader.done, reader.head.length) == (b"hello world", True, None)


def test_the_end_of_the_connection_ends_a_body_without_a_length() -> None:
    for ends in (False, True):
        reader = Read(CLOSED, ends=ends)
        assert (reader.body, reader.done) == (b"hello", ends)


@given(st.sampled_from([CHUNKED, LENGTH, CLOSED]), st.lists(st.integers(1, 140), max_size=20))
def test_pieces_of_any_size_give_the_same(data: bytes, cuts: list[int]) -> None:
    whole, pieces = Read(data, ends=True), Read(data, cuts=cuts, ends=True)
    assert (whole.head, whole.body, whole.done) == (pieces.head, pieces.body, pieces.done)


@pytest.mark.parametrize("data", [CHUNKED, LENGTH])
def test_an_end_before_the_last_byte_is_an_error(data: bytes) -> None:
    for length in range(len(data)):
        with pytest.raises(ResponseError):
            Read(data[:length], ends=True)


@pytest.mark.parametrize("status", [b"204", b"304"])
def test_some_statuses_have_no_body(status: bytes) -> None:
    reader = Read(b"HTTP/1.1 " + status + b" x\r\nContent-Length: 7\r\n\r\n")
    assert reader.done


def test_interim_responses_are_skipped() -> None:
    reader = Read(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + LENGTH)
    assert reader.head is not None
    assert (reader.head.status, reader.body) == (404, b"hello")


def test_what_old_servers_send_is_understood() -> None:
    reader = Read(b"HTTP/1.1 200 \nA: b\n c\nContent-Length: 2, 2\n\nok")
    assert reader.head is not None
    assert (reader.head.fields[0], reader.body) == ((b"a", b"b c"), b"ok")


@pytest.mark.parametrize(
    "data",
    [
        b"garbage\r\n\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"HTTP/1.1 99 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno field\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 15 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno field\r\n\r\n",
    ],
)
def test_what_is_no_response_is_an_error(data: bytes) -> None:
    with pytest.raises(ResponseError):
        Read(data)


def test_a_head_is_bounded_with_all_before_it() -> None:
    for data in (
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * MAX_HEAD,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3_000,
        b"x" * MAX_HEAD + b"y",
    ):
        with pytest.raises(ResponseError, match="head is larger"):
            Read(data)


def test_lines_between_chunks_and_trailers_are_bounded() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with pytest.raises(ResponseError, match="longer than"):
        Read(head + b"1;" + b"x" * MAX_CHUNK_LINE)
    with pytest.raises(ResponseError, match="trailer section"):
        Read(head + b"0\r\n" + b"A: b\r\n" * 30_000)


def test_the_response_to_head_has_no_body() -> None:
    reader = ResponseReader(bodiless=True)
    assert reader.feed(LENGTH.removesuffix(b"hello")) == b""
    assert reader.done
