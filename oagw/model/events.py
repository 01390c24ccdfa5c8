"""Counting what was sent: the body in an answer's bytes, and the server-sent events in a body.

``web.stream`` counts what it plays; ``toxics.effect`` acts after so many events.
"""

import re
from collections.abc import Iterator

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"

# Bytes of a line that tell whether it is a data field.
_TELLING = len(_BOM + b"data:")

# The longest line with the size of a chunk that is looked at, in bytes.
_SIZE_LINE = 64


class EventCounter:
    """Counts the events that a client dispatches (WHATWG HTML, section 9.2.6), however they are cut.

    A block counts when its blank line has come, and if it has a data field.
    """

    __slots__ = ("_begun", "_cr", "_data", "_line", "_whole", "count")

    def __init__(self) -> None:
        self.count = 0
        self._begun = False  # whether there was something, so that no byte-order mark can come
        self._whole = False  # whether a new block begins, not the first; then the next three are as here
        self._line = b""  # the start of the line that is not complete
        self._data = False  # whether its block has a data field
        self._cr = False  # whether a line feed would belong to the last line end

    def feed(self, data: bytes) -> None:
        """Count the events that are complete with ``data``, which follows what came before."""
        # Almost always it is one whole event, whose one blank line is its end.
        if (
            self._whole
            and data.find(b"\n\n") == len(data) - 2
            and (data[:5] == b"data:" or b"\ndata:" in data)
            and b"\r" not in data
        ):
            self.count += 1
            return
        for _ in self.ends(data):
            pass

    def ends(self, data: bytes) -> Iterator[int]:
        """Count; gives the position in ``data`` after each event that is complete."""
        start = 1 if self._cr and data[:1] == b"\n" else 0
        for end in _LINE_END.finditer(data, start):
            blank = self._is_blank(data[start : min(start + _TELLING, end.start())])
            if blank and self._data:
                self._data = False
                self.count += 1
                yield end.end()
            start = end.end()
        if data:
            self._line = (self._line + data[start : start + _TELLING])[:_TELLING]
            self._cr = data[-1:] == b"\r"
            self._whole = not (self._line or self._data or self._cr)

    def _is_blank(self, rest: bytes) -> bool:
        """Read a line, of which ``rest`` is what had not come."""
        line, self._line = (self._line + rest)[:_TELLING], b""
        if not self._begun:
            self._begun = True
            line = line.removeprefix(_BOM)
        if line == b"data" or line[:5] == b"data:":
            self._data = True
        return not line


class BodyReader:
    """Finds the body in the bytes of one answer, whose head may come in pieces too."""

    def __init__(self) -> None:
        self._head: bytes | None = b""  # what came of it; None when it is complete
        self._chunked = False
        self._left = 0  # bytes of the chunk that are to come
        self._line = b""  # the start of the line with the size of the next chunk
        self._over = False  # there were the last chunk, or no chunk where one had to be

    def spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where in ``data``, which follows what came before, bytes of the body begin and end."""
        at = 0
        if self._head is not None:
            before = len(self._head)
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            self._chunked = b"\r\ntransfer-encoding: chunked" in self._head[:end].lower()
            self._head, at = None, end + 4 - before
        if not self._chunked:
            if at < len(data):
                yield at, len(data)
            return
        while at < len(data) and not self._over:
            if self._left:
                end = min(at + self._left, len(data))
                self._left -= end - at
                yield at, end
                at = end
            else:
                at = self._size(data, at)

    def _size(self, data: bytes, at: int) -> int:
        """Read what is before a chunk; returns where that ends."""
        end = data.find(b"\n", at)
        if end < 0:
            self._line += data[at:]
            self._over = len(self._line) > _SIZE_LINE
            return len(data)
        line, self._line = (self._line + data[at:end]).strip(), b""
        if line:  # the line end after a chunk comes first
            try:
                self._left = int(line.partition(b";")[0], 16)
            except ValueError:
                self._left = 0
            self._over = self._left <= 0
        return end + 1


class AnswerCounter:
    """Counts bytes of the body and events in the bytes of one answer, head included."""

    def __init__(self) -> None:
        self.size = 0
        self._reader = BodyReader()
        self._events = EventCounter()

    @property
    def count(self) -> int:
        """Events so far."""
        return self._events.count

    def feed(self, data: bytes) -> None:
        """Count ``data``, which follows what came before."""
        for start, end in self._reader.spans(data):
            self.size += end - start
            self._events.feed(data[start:end])

    def event_ends(self, data: bytes) -> Iterator[int]:
        """Count; gives the position in ``data`` after each event that is complete."""
        for start, end in self._reader.spans(data):
            self.size += end - start
            for at in self._events.ends(data[start:end]):
                yield start + at
