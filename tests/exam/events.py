"""Server-sent events, parsed as the WHATWG's standard says."""

import codecs
from typing import NamedTuple


class Event(NamedTuple):
    """An event: its type, and its data."""

    type: str
    data: str


class EventParser:
    """Parses a stream of events. The attributes name what an implementation can get wrong."""

    strips_bom = True
    splits_at_cr = True
    shows_comments = False
    decodes_in_pieces = False  # each piece of bytes by itself
    keeps_only_last_data = False
    needs_space = False
    flushes_at_end = False  # what a stream leaves without a blank line is an event, too

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._text = ""
        self._is_first = True
        self._skips_lf = False
        self._type = ""
        self._data: list[str] = []

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that ``data`` completes."""
        text = data.decode("utf-8", "replace") if self.decodes_in_pieces else self._decode(data)
        if self._is_first and text:
            self._is_first = False
            if self.strips_bom:
                text = text.removeprefix("\ufeff")
        events = []
        for line in self._lines(text):
            event = self._read(line)
            if event is not None:
                events.append(event)
        return events

    def end(self) -> list[Event]:
        """Return the events that the end of the stream completes: none, by the standard."""
        if not self.flushes_at_end:
            return []
        events = [self._read(line) for line in (self._text, "")]
        return [one for one in events if one is not None]

    def _lines(self, text: str) -> list[str]:
        if self._skips_lf and text:
            text = text.removeprefix("\n")
            self._skips_lf = False
        if self.splits_at_cr:
            self._skips_lf = self._skips_lf or text.endswith("\r")
            text = text.replace("\r\n", "\n").replace("\r", "\n")
            *lines, self._text = (self._text + text).split("\n")
        else:
            *lines, self._text = (self._text + text).split("\n")
            lines = [line.removesuffix("\r") for line in lines]
        return lines

    def _read(self, line: str) -> Event | None:
        if not line:
            data, self._data = self._data, []
            type, self._type = self._type or "message", ""
            return Event(type, "\n".join(data)) if data else None
        name, colon, value = line.partition(":")
        if self.needs_space and colon and not value.startswith(" "):
            return None
        value = value.removeprefix(" ")
        if name == "event":
            self._type = value
        elif name == "data" or (self.shows_comments and not name):
            if self.keeps_only_last_data:
                self._data.clear()
            self._data.append(value)
        return None
