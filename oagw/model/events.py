"""Counting the server-sent events in a body whose source does not count them."""

import re
from collections.abc import Iterator

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"

# Bytes of a line that tell whether it is a data field.
_TELLING = len(_BOM + b"data:")


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
