"""Say which stubs and toxics were not matched within the time budget: in the log and in the entry."""

from collections.abc import Iterable

from twisted.logger import Logger

from oagw.model.call import Call
from oagw.model.entry import Entry

log = Logger()


def report_undecided(entry: Entry, call: Call) -> None:
    """Note in ``entry`` what could not be matched with ``call`` in time, and log it, once for each request.

    What is logged are ids and names: patterns and requests may have secrets in them.
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
    """``undecided``, a kind and a name each, as a text."""
    return ", ".join(f"{kind} {name}" for kind, name in undecided)
