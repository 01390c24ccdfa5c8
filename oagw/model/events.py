"""Count the server-sent events in a body whose source does not count them."""

import re
from collections.abc import Iterator

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"

# The number of bytes of a line that determine whether it is a data field.
_PREFIX = len(_BOM + b"data:")


class EventCounter:
    """Counts the events that a client dispatches (WHATWG HTML, section 9.2.6).

    The data may come in any pieces. A block of lines counts at its blank line, if it has a data field.
    """

    __slots__ = ("_begun", "_cr", "_data", "_line", "_whole", "count")

    def __init__(self) -> None:
        self.count = 0
        self._begun = False  # whether the first line is complete; only that may start with a byte-order mark
        self._whole = False  # whether the next byte starts a new block (not the first)
        self._line = b""  # the start of the incomplete line
        self._data = False  # whether the current block has a data field
        self._cr = False  # whether the last byte was a CR, so that an LF would belong to the same line end

    def feed(self, data: bytes) -> None:
        """Count the events that ``data``, the next piece, completes."""
        # The usual case: one whole event, which ends with its only blank line.
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
        """Count like ``feed``, and yield the offset in ``data`` after each event that it completes."""
        start = 1 if self._cr and data[:1] == b"\n" else 0
        for end in _LINE_END.finditer(data, start):
            blank = self._is_blank(data[start : min(start + _PREFIX, end.start())])
            if blank and self._data:
                self._data = False
                self.count += 1
                yield end.end()
            start = end.end()
        if data:
            self._line = (self._line + data[start : start + _PREFIX])[:_PREFIX]
            self._cr = data[-1:] == b"\r"
            self._whole = not (self._line or self._data or self._cr)

    def _is_blank(self, rest: bytes) -> bool:
        """Process a line that ends with ``rest``; return whether it is blank."""
        line, self._line = (self._line + rest)[:_PREFIX], b""
        if not self._begun:
            self._begun = True
            line = line.removeprefix(_BOM)
        if line == b"data" or line[:5] == b"data:":
            self._data = True
        return not line
