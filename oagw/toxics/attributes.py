"""Attributes: the members of a toxic that depend on its type, with Toxiproxy's names and units."""

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

    ends: ClassVar[bool] = False  # whether the toxic ends the response

    def check(self) -> None:
        """Raise Invalid if the attributes contradict each other."""

    def link(self, response: Response) -> Link:
        """Return the link by which the toxic acts on ``response``."""
        raise NotImplementedError


class DelayedStart(Attributes, frozen=True):
    """A toxic that can start after a number of bytes (head included) or of events of the response."""

    after_bytes: Bytes | UnsetType = UNSET
    after_events: Count | UnsetType = UNSET

    def check(self) -> None:
        if self.after_bytes is not UNSET and self.after_events is not UNSET:
            raise Invalid("/attributes/after_events", "Expected after_bytes or after_events, not both")

    def link(self, response: Response) -> Link:
        from oagw.toxics.start import AfterBytes, AfterEvents

        link = self.started_link(response)
        if self.after_events:
            return AfterEvents(response, link, self.after_events)
        return AfterBytes(response, link, self.after_bytes) if self.after_bytes else link

    def started_link(self, response: Response) -> Link:
        """Return the link for the part of ``response`` on which the toxic acts."""
        raise NotImplementedError
