"""Declare clients with a planted fault, and list all of them."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from tests.exam.client import Client

# Situations that a fault of one kind fails in.
CUT = "cut-between-events cut-inside-event reset-between-events reset-inside-event retry-does-not-repeat"
NO_DONE = "ends-without-done ends-without-blank-line gateway-error-in-stream"
EMPTY = "no-events comments-only"
DATES = "retry-after-date retry-after-date-obsolete"
LIMITS = "limit-shared limit-on-503-shared limit-then-new-call"
DELAYS = (
    f"retry-after-seconds retry-after-on-503 retry-after-too-long pages-retry-on-second problem-instead "
    f"{DATES} {LIMITS}"
)
LOST = "closed-without-response reset-before-head reset-in-head reset-after-head reset-in-body"
WRONG_LENGTH = "length-too-long chunked-cut"
LOST_POST = "lost-answer-post cut-answer-post stale-connection-post"
SILENT = "silent-server head-stalls body-stalls silence-before-first silence-in-mid-stream"

ENDS = (
    f"{LOST} {WRONG_LENGTH} {LOST_POST} {CUT} {SILENT} garbage pages-cut-on-second lost-answer-put "
    "lost-answer-post-with-key"
)
ONE_PIECE = (
    "bom comments-between cr crlf crlf-split mixed-line-ends no-space-after-colon split-utf-8 unknown-fields"
)
STREAMS = (
    f"{ONE_PIECE} one-write byte-by-byte charset-parameter done-then-cut done-then-silence events-after-done "
    "keepalive-comments multi-line-data problem-instead"
)

C = TypeVar("C", bound=type[Client])


class Fault(NamedTuple):
    """A fault: its name, a client that has it, and the situations that have to catch it.

    It may fail in ``may_fail`` as well, but in no other situation.
    """

    name: str
    client: type[Client]
    caught_by: tuple[str, ...]
    may_fail: frozenset[str]


FAULTS: list[Fault] = []


def fault(caught_by: str, may_fail: str = "") -> Callable[[C], C]:
    """Declare a faulty client: the situations that have to catch it, and others in which it may fail."""

    def declare(client: C) -> C:
        name = (client.__doc__ or "").rstrip(".")
        FAULTS.append(Fault(name, client, tuple(caught_by.split()), frozenset(may_fail.split())))
        return client

    return declare
