"""The reference parser: the WHATWG HTML standard's algorithm, section 9.2.6, fed piece by piece."""

import codecs
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

_LINE_END = re.compile("\r\n|\r|\n")
_BOM = "\ufeff"


class Received(NamedTuple):
    """An event as a browser would dispatch it."""

    type: str
    data: str
    id: str


class EventStreamParser:
    """One event stream, fed as bytes in any pieces; what it never finished is never dispatched.

    ``retry`` is the reconnection time in milliseconds that the stream has set, None if it has not.
    """

    def __init__(self) -> None:
        self.last_event_id = ""
        self.retry: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._at_start = True
        self._after_cr = False  # a LF that comes next belongs to the line end before it
        self._line: list[str] = []  # the parts of the line that has not ended yet
        self._data: list[str] = []
        self._type = ""
        self._id = ""

    def feed(self, piece: bytes) -> list[Received]:
        """The events that ``piece`` completes."""
        text = self._decoder.decode(piece)
        if text and self._at_start:
            self._at_start = False
            text = text.removeprefix(_BOM)
        if text and self._after_cr:
            self._after_cr = False
            text = text.removeprefix("\n")
        if not text:
            return []
        self._after_cr = text.endswith("\r")
        *lines, rest = _LINE_END.split(text)
        if lines:
            lines[0] = "".join([*self._line, lines[0]])
            self._line.clear()
        if rest:
            self._line.append(rest)
        return [event for event in map(self._take, lines) if event is not None]

    def _take(self, line: str) -> Received | None:
        """Process one line; gives the event that it dispatches, if it does."""
        if line == "":
            return self._dispatch()
        # A comment is a field without a name here, which is as good as ignored.
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._type = value
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value)
        return None

    def _dispatch(self) -> Received | None:
        self.last_event_id = self._id
        data, self._data = self._data, []
        type, self._type = self._type, ""
        if not data:
            return None
        return Received(type or "message", "\n".join(data), self.last_event_id)


def in_pieces(stream: bytes, cuts: Iterable[int]) -> list[bytes]:
    """``stream`` cut at the offsets ``cuts``, in any order; those outside of it do not count."""
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    return [stream[start:end] for start, end in pairwise(places)]
