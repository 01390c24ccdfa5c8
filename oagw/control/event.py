"""The server-sent events of a stub as bytes: the format of the WHATWG HTML standard, section 9.2."""

import json
import re
from typing import NamedTuple

from msgspec import UNSET

from oagw.control.invalid import Invalid
from oagw.control.response import SseEvent

_NEWLINE = re.compile(r"\r\n|\r|\n")


class Frame(NamedTuple):
    """``pause`` seconds after the one before, ``data`` is written."""

    pause: float
    data: bytes


def data_of(event: SseEvent) -> str | None:
    """The text of ``event``: its data, as JSON where it is no text; None without any."""
    if event.data is UNSET:
        return None
    return event.data if isinstance(event.data, str) else json.dumps(event.data, ensure_ascii=False)


def frame(event: SseEvent, data: str | None) -> Frame:
    """``event`` with this ``data``."""
    lines = [] if event.comment is UNSET else [f": {line}" for line in _NEWLINE.split(event.comment)]
    for name, value in (("id", event.id), ("event", event.event), ("retry", event.retry)):
        if value is not UNSET:
            lines.append(f"{name}: {value}")
    if data is not None:
        lines += [f"data: {line}" for line in _NEWLINE.split(data)]
    text = "\n".join(lines) + "\n\n" if lines else ""
    raw = "" if event.raw is UNSET else event.raw
    return Frame(event.delay_milliseconds / 1000, (raw + text).encode("utf-8", "replace"))


def check(event: SseEvent, pointer: str) -> None:
    """Raises Invalid for an event that cannot be sent as it is."""
    for name, value in (("id", event.id), ("event", event.event)):
        if isinstance(value, str) and _NEWLINE.search(value):
            raise Invalid(f"{pointer}/{name}", f"{name} cannot contain a line end")
