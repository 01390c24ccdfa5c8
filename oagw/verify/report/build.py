"""Build the report on the client of a sandbox, and format it as text."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from oagw.model.entry import RESET, TRUNCATED, Entry
from oagw.model.journal import number_of
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
from oagw.verify.report.streams import is_stream, stream_read_after_cancel
from oagw.verify.report.unmatched import Unmatched
from oagw.verify.report.unused import MAX_UNUSED, Unused
from oagw.verify.verification import requests

# The largest number of findings in a report, and of entries of each in its text.
MAX_FINDINGS = 200
MAX_ROWS = 6

# The number of requests that its text lists: the last ones.
MAX_CALLS = 20

_ORDER = {"error": 0, "warning": 1, "note": 2}

# The rules that are checked only on request, and how to request them.
_ON_REQUEST = {
    "incomplete-answer-accepted": "set retryDue=true if the client must retry every truncated response",
    "stream-read-after-cancel": "set streamsCancelled=true if the test cancelled every stream",
}


class Unchecked(Struct, frozen=True):
    """A rule that was not checked, and why; ``answers`` is the number of answers that it would look at."""

    rule: str
    reason: str
    answers: int = 0


class ClientReport(Struct, frozen=True, rename="camel"):
    """The findings in ``requests`` requests, most severe first, and the rules that were not checked.

    ``unmatched`` lists requests that nothing could answer, up to a limit. ``unused`` lists stubs and toxics
    that had no effect, up to a limit; ``unused_count`` is their total number.
    """

    requests: int
    findings: list[Finding]
    not_checked: list[Unchecked]
    unused: list[Unused]
    unused_count: int
    unmatched: list[Unmatched]


async def build_report(
    journal: Iterable[Entry],
    work: Work,
    token: bytes | None = None,
    *,
    retry_due: bool = False,
    streams_cancelled: bool = False,
    unused: Iterable[Unused] = (),
    unmatched: Iterable[Unmatched] = (),
) -> ClientReport:
    """Build the report on the client that sent the requests in ``journal``.

    - ``token``: the token of the sandbox, if it has one
    - ``retry_due``: whether the client had to retry every truncated response
    - ``streams_cancelled``: whether the test cancelled every stream before its end
    - ``unused``: the stubs and toxics that had no effect
    - ``unmatched``: the requests that nothing could answer
    """
    entries = sorted(journal, key=lambda entry: entry.number)  # in order of arrival
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
    unchecked = []
    if not retry_due:
        cut = sum(entry.ended in (TRUNCATED, RESET) for entry in entries)
        unchecked.append(_unchecked("incomplete-answer-accepted", cut, "truncated"))
    if not streams_cancelled:
        streams = 0
        for entry in entries:
            await work.breathe()
            streams += is_stream(entry)
        unchecked.append(_unchecked("stream-read-after-cancel", streams, "a stream", "streams"))
    idle = list(unused)
    return ClientReport(
        len(entries), findings[:MAX_FINDINGS], unchecked, idle[:MAX_UNUSED], len(idle), list(unmatched)
    )


def _unchecked(rule: str, answers: int, one: str, many: str | None = None) -> Unchecked:
    what = f"1 answer was {one}" if answers == 1 else f"{answers} answers were {many or one}"
    return Unchecked(rule, f"{what}: {_ON_REQUEST[rule]}" if answers else _ON_REQUEST[rule], answers)


def text(report: ClientReport, journal: Iterable[Entry], none: str = "No requests were received.") -> str:
    """Format ``report`` as text, with the entries of ``journal`` that prove each finding, and the last ones.

    ``none`` is the sentence for a report without requests.
    """
    return "\n".join(_lines(report, {entry.number: entry for entry in journal}, none)) + "\n"


def _lines(report: ClientReport, entries: dict[int, Entry], none: str) -> Iterator[str]:
    count = len(report.findings)
    yield f"{requests(report.requests)}, {count} finding{'' if count == 1 else 's'}"
    if not report.requests:
        yield none
    for request in report.unmatched:
        head, *lines = request.text.split("\n")
        yield ""
        yield f"unmatched: {head}"
        yield from (f"  {line}".rstrip() for line in lines)
    for found in report.findings:
        yield ""
        yield f"{found.severity}: {found.rule}"
        yield f"  {found.text}"
        proof = [entries[n] for n in map(number_of, found.entries) if n in entries]
        for entry in proof[:MAX_ROWS]:
            yield f"    {entry.time - proof[0].time:>+9.3f} s  {summary(entry)}"
            yield f"    {'':>11}  connection {entry.connection}, request {entry.turn}, id {entry.id}"
        if len(proof) > MAX_ROWS:
            yield f"    ... and {len(proof) - MAX_ROWS} more"
    for one in report.unused:
        yield ""
        yield f"{one.severity}: unused {one.kind} {' '.join(filter(None, (one.name, one.id)))}"
        yield f"  {one.text}"
    if report.unused_count > len(report.unused):
        yield ""
        yield f"... and {report.unused_count - len(report.unused)} more stubs or toxics without effect"
    yield from _last(sorted(entries.values(), key=lambda entry: entry.number))
    for rule in report.not_checked:
        if not rule.answers:
            continue
        yield ""
        yield f"not checked: {rule.rule}"
        yield f"  {rule.reason}"


def _last(entries: list[Entry]) -> Iterator[str]:
    """Yield a line for each of the last of ``entries``."""
    last = entries[-MAX_CALLS:]
    if last:
        yield ""
        yield (
            f"the last {len(last)} of {len(entries)} requests:"
            if len(last) < len(entries)
            else "all requests:"
        )
    for entry in last:
        yield f"  {entry.time - entries[0].time:>+11.3f} s  {summary(entry)}"
