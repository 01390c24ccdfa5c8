"""Explain why a verification failed, in a text for a test to print.

The text shows what was expected, which requests came and when, and the near misses field by field. Secrets
are masked, and the length is bounded.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from oagw.matching.condition import label
from oagw.matching.difference import first_difference
from oagw.matching.pattern import FieldComparison, Pattern, compiled
from oagw.matching.spec import RequestPattern
from oagw.model.call import Call, canonical_url
from oagw.model.entry import (
    CLIENT_LEFT,
    COMPLETE,
    FAULT,
    GATEWAY,
    OPEN,
    RESET,
    SERVICE,
    STUB,
    TRUNCATED,
    UPSTREAM,
    Entry,
)
from oagw.model.redacted import Redacted, known_secrets
from oagw.model.secret import MASK, KnownSecrets
from oagw.verify.reaction import Reaction
from oagw.verify.search import Candidate
from oagw.verify.verification import Outcome, requests

# The limits on the characters of the text and of a value, the rows of the timeline, and the differences of a
# body.
MAX_TEXT = 20_000
MAX_VALUE = 160
MAX_ROWS = 20
MAX_DIFFERENCES = 20

MARK = "<<<"

_BY = {GATEWAY: "the gateway", STUB: "a stub", FAULT: "a fault", UPSTREAM: "an upstream"}
_ENDED = {
    OPEN: "not ended yet",
    COMPLETE: "",
    CLIENT_LEFT: "client left",
    TRUNCATED: "truncated",
    RESET: "reset",
}


def explain(outcome: Outcome, none: str = "No requests were received.") -> str:
    """Return the assertion message for a failed ``outcome``; ``none`` is the text if no request came."""
    lines = "\n".join(_lines(outcome, none)).rstrip()
    return lines if len(lines) <= MAX_TEXT else lines[:MAX_TEXT] + "\n... (cut)"


def _lines(outcome: Outcome, none: str) -> Iterator[str]:
    spec = outcome.spec
    yield from _headlines(outcome)
    yield ""
    yield from _indented(_pattern(spec.request))
    if spec.after is not None:
        yield "  after"
        yield from _indented(_pattern(spec.after))
    rows = sorted({*outcome.counted, *outcome.unordered, *outcome.earlier}, key=lambda entry: entry.number)
    if rows:
        yield ""
        yield "Requests received:"
        yield ""
        yield from _timeline(rows, outcome)
    if outcome.near:
        yield ""
        yield f"Nearest of {requests(outcome.others)} that did not match:"
        yield from _misses(outcome.near, spec.request)
    elif len(outcome.counted) < spec.bounds[0] and not outcome.others and not rows:
        yield ""
        yield none
    if spec.after is not None and not outcome.earlier:
        yield ""
        yield "No request matched `after`." + (" The nearest:" if outcome.near_after else "")
        yield from _misses(outcome.near_after, spec.after)


def _headlines(outcome: Outcome) -> Iterator[str]:
    spec, count = outcome.spec, len(outcome.counted)
    if not outcome.enough:
        were = "there were none" if not count else "there was 1" if count == 1 else f"there were {count}"
        order = " after the response to another" if spec.after is not None else ""
        yield f"Expected {spec.expected}{order}, but {were}:"
    for wrong, bound, most, how in (
        (outcome.too_soon, spec.not_sooner_than, "at least", "too soon"),
        (outcome.too_late, spec.not_later_than, "at most", "too late"),
    ):
        if wrong:
            yield f"Expected a pause of {most} {bound:g} s, but {_share(len(wrong), count)} came {how}:"


def _share(part: int, count: int) -> str:
    if part < count:
        return f"{part} of {count} requests"
    return "the one request" if count == 1 else f"all {count} requests"


def _pattern(spec: RequestPattern) -> Iterator[str]:
    """Yield the fields of ``spec``, one per line, with the method and the URL on the first."""
    pattern = compiled(spec)
    yield pattern_text(pattern)
    for part in pattern.compare(Call("", ""), 0)[2:]:
        yield f"{part.name}: {_cut(part.expected)}"


def pattern_text(pattern: Pattern, known: KnownSecrets | None = None) -> str:
    """Return the method and the URL of ``pattern``, with the ``known`` secrets masked."""
    return _cut(" ".join(part.expected for part in pattern.compare(Call("", ""), 0, known)[:2]), MAX_TEXT)


def _timeline(rows: list[Entry], outcome: Outcome) -> Iterator[str]:
    """Yield the relevant requests in order of arrival, with a note on each that is wrong."""
    notes = dict(_notes(outcome, {entry.number: at for at, entry in enumerate(rows, 1)}))
    first, previous = rows[0].time, None
    kept = _kept(rows, notes)
    for at, entry in enumerate(rows, 1):
        gap = "" if previous is None else f"{_seconds(entry.time - previous, '+')}"
        previous = entry.time
        if at not in kept:
            if at - 1 in kept:
                yield "     ..."
            continue
        yield f"  {at:>3}. {_seconds(entry.time - first):>11} {gap:>11}   {summary(entry)}"
        if entry.number in notes:
            yield f"{'':33}{MARK} {notes[entry.number]}"


def _notes(outcome: Outcome, index: dict[int, int]) -> Iterator[tuple[int, str]]:
    if not outcome.enough:
        for entry in outcome.unordered:
            came = bool(outcome.earlier) and outcome.earlier[0].number < entry.number
            yield (
                entry.number,
                f"not counted: the other request had not {'been answered' if came else 'come'} yet",
            )
    for wrong, bound, least in (
        (outcome.too_soon, outcome.spec.not_sooner_than, "at least"),
        (outcome.too_late, outcome.spec.not_later_than, "at most"),
    ):
        for one in wrong:
            yield one.entry.number, f"{_apart(one, index)}, expected {least} {bound:g} s"


def _apart(one: Reaction, index: dict[int, int]) -> str:
    answer = f"request {index[one.before.number]} was answered"
    return f"{_seconds(one.seconds)} after {answer}"


def _kept(rows: list[Entry], notes: dict[int, str]) -> set[int]:
    """Return the numbers of the rows to show: if there are too many, the first, the last, noted ones."""
    every = range(1, len(rows) + 1)
    if len(rows) <= MAX_ROWS:
        return set(every)
    noted = [at for at, entry in enumerate(rows, 1) if entry.number in notes]
    return {*every[:5], *every[-5:], *noted[: MAX_ROWS - 10]}


def summary(entry: Entry) -> str:
    """Return one line on ``entry``: the request and its response."""
    shown = Redacted(entry)
    by = entry.alias if entry.answered_by is SERVICE else _BY[entry.answered_by]
    answer = "no answer" if entry.status is None else f"{entry.status} from {by}"
    retry = entry.response_headers.get("retry-after")
    notes = [f"Retry-After: {_cut(retry[0], 40)}"] if retry else []
    notes += [_ENDED[entry.ended]] if _ENDED.get(entry.ended) else []
    notes += ["not all stubs and toxics were matched in time"] if entry.undecided else []
    more = f" ({', '.join(notes)})" if notes else ""
    return f"{_line(shown)} -> {answer}{more}"


def _misses(near: Iterable[Candidate], spec: RequestPattern) -> Iterator[str]:
    pattern = compiled(spec)
    for at, one in enumerate(near):
        yield ""
        yield f"  {summary(one.found)}"
        yield f"  id {one.found.id}"
        if not at or not _is_other(pattern, one.found):
            yield ""
            yield from comparison(pattern, one.found)


def _is_other(pattern: Pattern, entry: Entry) -> bool:
    """Return whether both method and URL differ, so that the other fields are of no interest."""
    return not any(part.matches for part in pattern.compare(entry.call(), entry.date)[:2])


def differences(outcome: Outcome) -> list[dict[str, str]]:
    """Return the fields that differ in the near misses.

    Each is a dictionary with ``request`` (an id), ``field``, ``expected`` and ``actual``.
    """
    pattern = compiled(outcome.spec.request, "/request")
    return [
        {"request": near.found.id, "field": part.name, "expected": part.expected, "actual": part.actual}
        for near in outcome.near
        for part in _parts(pattern, near.found, known_secrets(near.found, near.found.call()))
        if not part.matches
    ]


def comparison(pattern: Pattern, entry: Entry) -> Iterator[str]:
    """Yield the fields of ``pattern``; those that differ are marked and have both values."""
    known = known_secrets(entry, entry.call())
    parts = [part for part in _parts(pattern, entry, known) if not part.is_any]
    width = min(30, max((len(part.name) for part in parts), default=0))
    for part in parts:
        if part.matches:
            lines = [_cut(part.expected)]
        else:
            lines = _members(part, known) or _two_lines(part)
            lines[0] += f"   {MARK}"
        yield f"  {' ' if part.matches else '!'} {part.name:<{width}}  {lines[0]}"
        yield from (f"    {'':<{width}}  {line}" for line in lines[1:])


def _parts(pattern: Pattern, entry: Entry, known: KnownSecrets) -> Iterator[FieldComparison]:
    """Compare ``entry`` with ``pattern`` field by field, with the ``known`` secrets masked."""
    for part in pattern.compare(entry.call(), entry.date, known):
        yield part._replace(actual=canonical_url(part.actual)) if part.name == "url" else part


def _members(part: FieldComparison, known: KnownSecrets) -> list[str]:
    """Return the differences of a JSON body, one line per member."""
    found = [one.text(known.masked) for one in islice(part.differences(), MAX_DIFFERENCES + 1)]
    lines = [_cut(line, 2 * MAX_VALUE) for line in found[:MAX_DIFFERENCES]]
    return lines + ["..."] * (len(found) > MAX_DIFFERENCES)


def _two_lines(part: FieldComparison) -> list[str]:
    """Return the expected and the actual value in two lines, and a caret where they begin to differ."""
    wanted, actual = _cut(part.wants, MAX_TEXT), _cut(part.actual, MAX_TEXT)
    name = label(part.operator)
    labels = [f"expected  {name}", f"received  {' ' * len(name)}"]
    if not part.exact:
        return [labels[0] + _cut(wanted), labels[1] + _cut(actual)]
    if wanted == actual:
        why = "differs in a masked part" if MASK in wanted else "differs in the part not shown"
        return [labels[0] + _cut(wanted), f"{labels[1]}{_cut(actual)}  ({why})"]
    at = first_difference(wanted, actual)
    start = max(0, at - MAX_VALUE // 2) if max(len(wanted), len(actual)) > MAX_VALUE else 0
    dots = "..." if start else ""
    lines = [f"{labels[0]}{dots}{_cut(wanted[start:])}", f"{labels[1]}{dots}{_cut(actual[start:])}"]
    if at > start:  # otherwise they have nothing in common, and a caret would not help
        lines.append(" " * (len(labels[1]) + len(dots) + at - start) + "^")
    return lines


def _line(shown: Redacted) -> str:
    return _cut(f"{shown.method} {shown.url}".strip() or "(no request line)")


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}".rstrip() for line in lines)


def _seconds(seconds: float, sign: str = "") -> str:
    return f"{seconds:{sign}.3f} s"


def _cut(text: str, limit: int = MAX_VALUE) -> str:
    """Return ``text`` on one line, truncated to ``limit`` characters."""
    text = re.sub(r"[\x00-\x1f\x7f]", lambda found: repr(found[0])[1:-1], text)
    return text if len(text) <= limit else text[:limit] + "..."
