"""Encode server-sent events (WHATWG HTML standard, section 9.2).

``web.stream`` sends them over time.
"""

import re
from typing import NamedTuple

_NEWLINE = re.compile(r"\r\n|\r|\n")


class Event(NamedTuple):
    """One event; ``data`` and ``comment`` may have several lines. ``retry`` is in milliseconds."""

    data: str | None
    event: str | None = None
    id: str | None = None
    retry: int | None = None
    comment: str | None = None


def encode(event: Event) -> bytes:
    """Encode ``event``; an empty event gives an empty string.

    Raises ValueError for a line end in ``id`` or ``event``.
    """
    lines = []
    for name, value in (("id", event.id), ("event", event.event), ("retry", event.retry)):
        if value is not None:
            lines.append(f"{name}: {value}")
    if has_line_end("".join(lines)):
        raise ValueError("an id or event name cannot contain a line end")
    if event.data is not None:
        lines += [f"data: {line}" for line in _NEWLINE.split(event.data)]
    if event.comment is not None:
        lines = [f": {line}" for line in _NEWLINE.split(event.comment)] + lines
    return ("\n".join(lines) + "\n\n").encode() if lines else b""


def has_line_end(text: str) -> bool:
    """Return whether ``text`` contains a line end."""
    return _NEWLINE.search(text) is not None


def encode_data(data: bytes) -> bytes:
    """Encode an event with one line of ``data``, such as a JSON document."""
    return b"data: " + data + b"\n\n"


def count(data: bytes) -> int:
    """Return the number of events in ``data``: whole events, encoded by this module, each with data."""
    return data.count(b"\n\n")
