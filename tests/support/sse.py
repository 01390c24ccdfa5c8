"""Complete event streams, read by the reference parser."""

from tests.support.event_stream import EventStreamParser, Received

__all__ = ["Received", "events"]


def events(body: bytes) -> list[Received]:
    """The events of a complete stream; an unfinished block at its end is dropped, as the standard says."""
    return EventStreamParser().feed(body)
