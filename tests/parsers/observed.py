"""What a parser made of a case, and how that differs from what the standard expects."""

from enum import Enum
from typing import NamedTuple

from tests.support.event_stream import Received
from tests.support.stream_cases import Case, expected


class Unseen(Enum):
    """What a parser does not show."""

    UNSEEN = "unseen"


UNSEEN = Unseen.UNSEEN


class Observed(NamedTuple):
    """The events of one case, and as far as the parser shows it, what it does about reconnecting."""

    events: list[Received]
    retry: int | Unseen | None = UNSEEN
    reconnects: bool | Unseen = UNSEEN
    failure: str = ""  # how it broke off, for information: to break off is no deviation


def difference(case: Case, observed: Observed) -> str | None:
    """Where ``observed`` differs from what ``case`` expects, in a line; None if it does not."""
    events, retry, reconnects = expected(case)
    if observed.events != events:
        said = f"{_brief(observed.events)} in place of {_brief(events)}"
    elif observed.retry not in (UNSEEN, retry):
        said = f"retry {observed.retry} in place of {retry}"
    elif observed.reconnects not in (UNSEEN, reconnects):
        said = f"reconnects: {observed.reconnects}"
    else:
        return None
    return f"{said} ({observed.failure})" if observed.failure else said


def _brief(events: list[Received]) -> str:
    if len(events) > 8:
        return f"{len(events)} events"
    return str(
        [tuple(part if len(part) < 80 else f"{len(part)} characters" for part in event) for event in events]
    )
