"""ResponseReader: reads one HTTP/1.1 response of an upstream from the bytes of its connection.

It does no input or output (``forward.client`` does), holds no more than a head and a piece of a chunk's size
line, and accepts what RFC 9112 requires a client to accept.
"""

import re
from typing import NamedTuple

# The largest head of a response, with those of all interim responses before it, and the largest size line of
# a chunk and trailer section, in bytes.
MAX_HEAD = 64 << 10
MAX_CHUNK_LINE = 4 << 10
MAX_CHUNK = 8 << 20

_STATUS_LINE = re.compile(rb"HTTP/(\d)\.(\d) (\d{3})(?: ([\t -~\x80-\xff]*))?")
# RFC 9110 section 5.5 has any control character but the tab as invalid in a value.
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\x80-\xff]*)")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?")
_LENGTH = re.compile(rb"\d{1,18}")


class UpstreamHead(NamedTuple):
    """The head of a final response. ``fields`` are as sent, in order, with names in lower case.

    ``length`` is that of the body in bytes; None if chunks or the end of the connection delimit it.
    """

    status: int
    reason: bytes
    fields: list[tuple[bytes, bytes]]
    length: int | None

    @property
    def is_event_stream(self) -> bool:
        """Whether the body consists of server-sent events."""
        return any(
            name == b"content-type" and value.lower().startswith(b"text/event-stream")
            for name, value in self.fields
        )


class ResponseError(Exception):
    """The bytes are not a response, or exceed a limit; the message says why."""


class ResponseReader:
    """Reads the response to one request; ``bodiless`` is whether the request was HEAD."""

    def __init__(self, bodiless: bool = False) -> None:
        self.head: UpstreamHead | None = None
        self.done = False  # whether the response is complete
        self._bodiless = bodiless
        self._buffer = b""
        self._read = 0  # the bytes of heads
        self._left: int | None = None  # of the body or of a chunk
        self._chunked = False
        self._in_trailers = False

    def feed(self, data: bytes) -> bytes:
        """Take ``data`` and return what of it is body. Sets ``head`` and ``done``. Raises ResponseError.

        What follows a complete response is ignored.
        """
        if self.done:
            return b""
        if self.head is None:
            data = self._feed_head(data)
            if self.head is None or self.done:
                return b""
        if self._chunked:
            return self._feed_chunks(data)
        if self._left is None:
            return data
        body = data[: self._left]
        self._left -= len(body)
        self.done = self._left == 0
        return body

    def end(self) -> None:
        """Take the end of the connection. Raises ResponseError if the response is not complete."""
        if self.done:
            return
        if self.head is None:
            raise ResponseError("the connection ended before the head of a response")
        if self._chunked or self._left is not None:
            raise ResponseError("the connection ended in the body")
        self.done = True

    def _feed_head(self, data: bytes) -> bytes:
        """Read heads up to that of the final response; return what follows it."""
        buffer = self._buffer + data
        while self.head is None:
            end = _end_of_head(buffer)
            if self._read + (end or len(buffer)) > MAX_HEAD:
                raise ResponseError(f"the head is larger than {MAX_HEAD} bytes")
            if end is None:
                self._buffer = buffer
                return b""
            self._read += end
            self._take_head(buffer[:end])
            buffer = buffer[end:]
        self._buffer = b""
        return buffer

    def _take_head(self, data: bytes) -> None:
        first, *lines = _lines(data)
        found = _STATUS_LINE.fullmatch(first)
        if found is None or found[1] != b"1":
            raise ResponseError("the first line is not the status line of an HTTP/1 response")
        status = int(found[3])
        if status < 100:
            raise ResponseError(f"{status} is not a status")
        fields = [_field(line) for line in _unfolded(lines)]
        if status == 101:
            raise ResponseError("the upstream switches protocols, which was not asked for")
        if status < 200:
            return  # an interim response
        codings = b",".join(value.lower() for name, value in fields if name == b"transfer-encoding")
        sent = [value for name, value in fields if name == b"content-length"]
        lengths = {part.strip() for value in sent for part in value.split(b",")}  # equal ones count as one
        length: int | None = None
        if self._bodiless or status in (204, 304):
            self.done = True
        elif codings:
            self._chunked = codings.rpartition(b",")[2].strip() == b"chunked"
        elif lengths:
            (text,) = lengths if len(lengths) == 1 else (b"",)
            if not _LENGTH.fullmatch(text):
                raise ResponseError("Content-Length is not one number")
            length = self._left = int(text)
            self.done = length == 0
        self.head = UpstreamHead(status, found[4] or b"", fields, length)

    def _feed_chunks(self, data: bytes) -> bytes:
        buffer, at, body = self._buffer + data, 0, []
        while not self.done:
            if self._left:
                piece = buffer[at : at + self._left]
                body.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if self._left:
                    break
            if self._left == 0 and not self._in_trailers:  # the end of a chunk
                end = buffer[at : at + 2]
                if end != b"\r\n":
                    if end not in (b"", b"\r"):
                        raise ResponseError("a chunk does not end with a line end")
                    break
                at, self._left = at + 2, None
            end_of_line = buffer.find(b"\n", at)
            if end_of_line < 0:
                if len(buffer) - at > MAX_CHUNK_LINE:
                    raise ResponseError(f"a line between chunks is longer than {MAX_CHUNK_LINE} bytes")
                break
            line, at = buffer[at:end_of_line], end_of_line + 1
            self._take_line(line.removesuffix(b"\r"))
        self._buffer = b"" if self.done else buffer[at:]
        return b"".join(body)

    def _take_line(self, line: bytes) -> None:
        """Take a size line, or a line of the trailer section, whose fields are dropped."""
        if self._in_trailers:
            self._read += len(line) + 2
            if self._read > 2 * MAX_HEAD:
                raise ResponseError("the trailer section is too large")
            if line:
                _field(line)
            self.done = not line
            return
        found = _CHUNK_SIZE.fullmatch(line)
        if found is None:
            raise ResponseError("the size of a chunk is not a number")
        size = int(found[1], 16)
        if size > MAX_CHUNK:
            raise ResponseError(f"a chunk is larger than {MAX_CHUNK} bytes")
        self._left = size or None
        self._in_trailers = size == 0


def _end_of_head(buffer: bytes) -> int | None:
    """Return where the first head in ``buffer`` ends, after its empty line; None if it is not complete."""
    ends = [at + len(end) for end in (b"\r\n\r\n", b"\n\n", b"\n\r\n") if (at := buffer.find(end)) >= 0]
    return min(ends, default=None)


def _lines(head: bytes) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in head.rstrip(b"\r\n").split(b"\n")]


def _unfolded(lines: list[bytes]) -> list[bytes]:
    """Join continued lines, as RFC 9112 section 5.2 tells a client to."""
    joined: list[bytes] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and joined:
            joined[-1] += b" " + line.strip(b" \t")
        else:
            joined.append(line)
    return joined


def _field(line: bytes) -> tuple[bytes, bytes]:
    found = _FIELD.fullmatch(line)
    if found is None:
        raise ResponseError("a line of the head is not a header field")
    return found[1].lower(), found[2].rstrip(b" \t")
