"""The report card of a sandbox: all rules, and as text."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from oagw.model.journal import RESET, TRUNCATED, Entry, number_of
from oagw.model.work import Work
from oagw.verify.explanation import summary
from oagw.verify.report.connections import connections_not_reused
from oagw.verify.report.credentials import credentials_misplaced
from oagw.verify.report.finding import Finding
from oagw.verify.report.retries import (
    client_error_retried,
    incomplete_answer_accepted,
    retries_without_backoff,
    retry_after_not_honoured,
)
from oagw.verify.report.streams import stream_read_after_cancel
from oagw.verify.report.unused import MAX_UNUSED, Unused
from oagw.verify.verification import requests

# Findings in a card, and entries of each in its text.
MAX_FINDINGS = 200
MAX_ROWS = 6

_ORDER = {"error": 0, "warning": 1, "note": 2}

# What is not looked for unless the test says that it applies.
_ASK = {
    "incomplete-answer-accepted": "say retryDue=true where each answer that is cut must be asked for again",
    "stream-read-after-cancel": "say streamsCancelled=true where the test cancelled every stream",
}


class Unchecked(Struct, frozen=True):
    """A rule that was not looked at, and why."""

    rule: str
    reason: str


class Card(Struct, frozen=True, rename="camel"):
    """What was found in ``requests`` requests, the gravest first, and which rules were not looked at.

    ``unused`` are stubs and toxics that did nothing, ``unused_count`` how many there are: not all are listed.
    """

    requests: int
    findings: list[Finding]
    not_checked: list[Unchecked]
    unused: list[Unused]
    unused_count: int


async def card(
    journal: Iterable[Entry],
    work: Work,
    token: bytes | None = None,
    *,
    retry_due: bool = False,
    streams_cancelled: bool = False,
    unused: Iterable[Unused] = (),
) -> Card:
    """The card of whoever sent what is in ``journal``; ``token`` is that of its sandbox, if it has one.

    ``retry_due`` is whether each answer that was cut had to be asked for again, ``streams_cancelled`` whether
    all streams were cancelled before their end. ``unused`` is what did nothing of what the test arranged.
    """
    entries = sorted(journal, key=lambda entry: entry.number)  # as they came
    rules = [
        retry_after_not_honoured(entries, work),
        client_error_retried(entries, work),
        retries_without_backoff(entries, work),
        connections_not_reused(entries, work),
        credentials_misplaced(entries, work, token),
    ]
    if retry_due:
        rules.append(incomplete_answer_accepted(entries, work))
    if streams_cancelled:
        rules.append(stream_read_after_cancel(entries, work))
    findings = []
    for rule in rules:
        async for found in rule:
            await work.breathe()
            findings.append(found)
    findings.sort(key=lambda found: _ORDER[found.severity])
    asked = {"incomplete-answer-accepted": retry_due, "stream-read-after-cancel": streams_cancelled}
    unchecked = [Unchecked(rule, _ASK[rule]) for rule, given in asked.items() if not given]
    cut = sum(entry.ended in (TRUNCATED, RESET) for entry in entries)
    if cut and not retry_due:
        answers = "1 answer was" if cut == 1 else f"{cut} answers were"
        unchecked[0] = Unchecked(unchecked[0].rule, f"{answers} cut: {unchecked[0].reason}")
    idle = list(unused)
    return Card(len(entries), findings[:MAX_FINDINGS], unchecked, idle[:MAX_UNUSED], len(idle))


def text(card: Card, journal: Iterable[Entry]) -> str:
    """``card`` for people, with the entries of ``journal`` that prove each finding."""
    return "\n".join(_lines(card, {entry.number: entry for entry in journal})) + "\n"


def _lines(card: Card, entries: dict[int, Entry]) -> Iterator[str]:
    count = len(card.findings)
    yield f"{requests(card.requests)}, {count} finding{'' if count == 1 else 's'}"
    for found in card.findings:
        yield ""
        yield f"{found.severity}: {found.rule}"
        yield f"  {found.text}"
        proof = [entries[n] for n in map(number_of, found.entries) if n in entries]
        for entry in proof[:MAX_ROWS]:
            yield f"    {entry.time - proof[0].time:>+9.3f} s  {summary(entry)}"
            yield f"    {'':>11}  connection {entry.connection}, request {entry.turn}, id {entry.id}"
        if len(proof) > MAX_ROWS:
            yield f"    ... and {len(proof) - MAX_ROWS} more"
    for one in card.unused:
        yield ""
        yield f"{one.severity}: unused {one.kind} {' '.join(filter(None, (one.name, one.id)))}"
        yield f"  {one.text}"
    if card.unused_count > len(card.unused):
        yield ""
        yield f"... and {card.unused_count - len(card.unused)} more stubs or toxics that did nothing"
    for rule in card.not_checked:
        yield ""
        yield f"not checked: {rule.rule}"
        yield f"  {rule.reason}"
