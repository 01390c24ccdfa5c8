"""Convert the server-sent events of a stub to bytes. ``model.sse`` has the format."""

import json
from typing import NamedTuple, TypeVar

from msgspec import UNSET, UnsetType

from oagw.model.invalid import Invalid
from oagw.model.sse import Event, encode, has_line_end
from oagw.stubs.response import SseEvent

T = TypeVar("T")


class TimedEvent(NamedTuple):
    """An encoded event: ``data`` is sent ``pause`` seconds after the previous event."""

    pause: float
    data: bytes


def data_of(event: SseEvent) -> str | None:
    """Return the data of ``event`` as a string, encoded as JSON if it is not one; None without data."""
    if event.data is UNSET:
        return None
    return event.data if isinstance(event.data, str) else json.dumps(event.data, ensure_ascii=False)


def encoded(event: SseEvent, data: str | None) -> TimedEvent:
    """Encode ``event``, which must be checked, with this ``data``."""
    fields = Event(data, _given(event.event), _given(event.id), _given(event.retry), _given(event.comment))
    raw = _given(event.raw) or ""
    return TimedEvent(event.delay_milliseconds / 1000, raw.encode() + encode(fields))


def check(event: SseEvent, pointer: str) -> None:
    """Raise Invalid if ``event`` cannot be encoded."""
    for name, value in (("id", event.id), ("event", event.event)):
        if isinstance(value, str) and has_line_end(value):
            raise Invalid(f"{pointer}/{name}", f"{name} cannot contain a line break")


def _given(value: T | UnsetType) -> T | None:
    return None if value is UNSET else value
