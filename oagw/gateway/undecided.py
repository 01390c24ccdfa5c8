"""Report the stubs and toxics that exceeded the time budget of matching, in the log and in the entry."""

from collections.abc import Iterable

from twisted.logger import Logger

from oagw.model.call import Call
from oagw.model.entry import Entry

log = Logger()


def report_undecided(entry: Entry, call: Call) -> None:
    """Add to ``entry`` what could not be matched with ``call`` in time, and log it once per request.

    The log gets only ids and names, because patterns and requests may contain secrets.
    """
    if not call.undecided:
        return
    if not entry.undecided:
        log.warn(
            "request {id}: not matched within the time budget, so that it counts as no match: {what}",
            id=entry.id,
            what=in_words(call.undecided),
        )
    entry.not_decided(call.undecided)


def in_words(undecided: Iterable[tuple[str, str]]) -> str:
    """Format ``undecided``, pairs of kind and name, for a message."""
    return ", ".join(f"{kind} {name}" for kind, name in undecided)
