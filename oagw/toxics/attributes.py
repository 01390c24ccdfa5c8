"""Attributes: the members of a toxic that its type adds, with Toxiproxy's names and units."""

from typing import Annotated, ClassVar

from msgspec import UNSET, Meta, Struct, UnsetType

from oagw.model.invalid import Invalid
from oagw.toxics.link import Link, Response

_YEAR = 365 * 86400 * 1000

Milliseconds = Annotated[int, Meta(ge=0, le=_YEAR, extra={"unit": "milliseconds"})]
Microseconds = Annotated[int, Meta(ge=0, le=_YEAR * 1000, extra={"unit": "microseconds"})]
Bytes = Annotated[int, Meta(ge=0, le=2**53, extra={"unit": "bytes"})]
Count = Annotated[int, Meta(ge=0, le=10**9)]


class Attributes(Struct, frozen=True, forbid_unknown_fields=True):
    """The attributes of one type of toxic."""

    ends: ClassVar[bool] = False  # whether it ends the response

    def check(self) -> None:
        """Raises Invalid for attributes that do not fit each other."""

    def link(self, response: Response) -> Link:
        """What such a toxic does to ``response``."""
        raise NotImplementedError


class DelayedStart(Attributes, frozen=True):
    """A toxic that acts after so many bytes of the response, head included, or so many events."""

    after_bytes: Bytes | UnsetType = UNSET
    after_events: Count | UnsetType = UNSET

    def check(self) -> None:
        if self.after_bytes is not UNSET and self.after_events is not UNSET:
            raise Invalid("/attributes/after_events", "There can be after_bytes or after_events, not both")

    def link(self, response: Response) -> Link:
        from oagw.toxics.start import AfterBytes, AfterEvents

        link = self.started(response)
        if self.after_events:
            return AfterEvents(response, link, self.after_events)
        return AfterBytes(response, link, self.after_bytes) if self.after_bytes else link

    def started(self, response: Response) -> Link:
        """What the toxic does to ``response`` from where it begins to act."""
        raise NotImplementedError
