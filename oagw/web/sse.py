"""Server-sent events as bytes: the format of the WHATWG HTML standard, section 9.2.

``web.stream`` sends them over time.
"""

import re
from dataclasses import dataclass

_NEWLINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Event:
    """One event; ``data`` may have several lines. ``retry`` is in milliseconds."""

    data: str
    event: str | None = None
    id: str | None = None
    retry: int | None = None


def encode(event: Event) -> bytes:
    """``event`` as it goes over the wire; raises ValueError for a line end in ``id`` or ``event``."""
    lines = []
    for name, value in (("id", event.id), ("event", event.event), ("retry", event.retry)):
        if value is not None:
            lines.append(f"{name}: {value}")
    if _NEWLINE.search("".join(lines)):
        raise ValueError("an id or event name cannot contain a line end")
    lines += [f"data: {line}" for line in _NEWLINE.split(event.data)]
    return ("\n".join(lines) + "\n\n").encode()


def encode_data(data: bytes) -> bytes:
    """An event with nothing but one line of ``data``, such as a JSON document."""
    return b"data: " + data + b"\n\n"
