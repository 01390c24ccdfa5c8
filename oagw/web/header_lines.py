"""HeaderLines: header fields of responses, prepared as the lines that are sent.

Most of the fields of a service never change, or differ in a number only. ``web.reply`` has the replies that
they belong to.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from twisted.web.http_headers import _nameEncoder

# The header fields of a response: the values by name.
Headers = Mapping[bytes, tuple[bytes, ...]]

# As Twisted spells a name; raises InvalidHeaderName.
canonical_name = lru_cache(1000)(_nameEncoder.encode)

# Fields that a reply without them gets.
_ADDED = {
    b"Connection",
    b"Date",
    b"X-Request-Id",
    b"X-Oagw-Error-Source",
    b"Content-Length",
    b"Transfer-Encoding",
}


class HeaderLines(Mapping[bytes, tuple[bytes, ...]]):
    """Header fields as they are sent, prepared in advance: each of the ``lines`` begins with a CRLF.

    They are parsed only if somebody asks for a field. ``prepared`` makes them. If lines have placeholders,
    ``%`` fills them in. Names are spelled as Twisted spells them, and are not among those that every reply
    gets, such as Date.
    """

    __slots__ = ("lines",)

    def __init__(self, lines: bytes) -> None:
        self.lines = lines

    def __mod__(self, values: tuple[object, ...]) -> "HeaderLines":
        return HeaderLines(self.lines % values)

    def __add__(self, more: "HeaderLines") -> "HeaderLines":
        return HeaderLines(self.lines + more.lines)

    def __getitem__(self, name: bytes) -> tuple[bytes, ...]:
        return self._fields()[name]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._fields())

    def __len__(self) -> int:
        return len(self._fields())

    def _fields(self) -> dict[bytes, tuple[bytes, ...]]:
        pairs = [line.partition(b": ") for line in self.lines.split(b"\r\n")[1:]]
        return {name: tuple(value for other, _, value in pairs if other == name) for name, _, _ in pairs}


def prepared(fields: Headers) -> HeaderLines:
    """Return ``fields`` as HeaderLines."""
    lines = lines_of(fields)
    assert lines is not None
    return HeaderLines(lines)


def lines_of(fields: Headers) -> bytes | None:
    """Return the lines of ``fields``, as in HeaderLines, or None if they cannot be sent like that.

    The reason is a name that every reply gets, or a value with a line end.
    """
    if type(fields) is HeaderLines:
        return fields.lines
    by_name = {canonical_name(name): values for name, values in fields.items()}
    if not _ADDED.isdisjoint(by_name):
        return None
    each = [b"\r\n%b: %b" % (name, value) for name, values in by_name.items() for value in values]
    lines = b"".join(each)
    return lines if lines.count(b"\n") == lines.count(b"\r") == len(each) else None
