"""Finding: a mistake of a client, with the entries that prove it; and functions on entries for the rules."""

from collections.abc import Callable, Hashable, Iterable
from typing import Annotated

from msgspec import Meta, Struct

from oagw.model.call import origin_form
from oagw.model.entry import COMPLETE, RESET, TRUNCATED, Entry
from oagw.model.redacted import Redacted
from oagw.model.work import Work
from oagw.verify.report.rules import RULES, Severity

# The largest number of entries in a finding. Its text has the total number.
MAX_ENTRIES = 50

# Header fields that may differ between attempts of the same request.
_VOLATILE = frozenset(
    (
        b"date",
        b"traceparent",
        b"tracestate",
        b"baggage",
        b"connection",
        b"x-request-id",
        b"x-correlation-id",
        b"x-amzn-trace-id",
        b"x-trace-id",
        b"x-b3-traceid",
        b"x-b3-spanid",
        b"x-cloud-trace-context",
        b"amz-sdk-request",
        b"amz-sdk-invocation-id",
        b"x-stainless-retry-count",
        b"x-retry-count",
        b"x-retry-attempt",
    )
)


_RULES = "\n".join(f"- `{name}` ({', '.join(rule.severities)}): {rule.finds}" for name, rule in RULES.items())
_Rule = Annotated[str, Meta(description=_RULES, extra_json_schema={"enum": list(RULES)})]


class Finding(Struct, frozen=True, rename="camel"):
    """A violation of ``rule``: a readable ``text``, and the ids of the ``entries`` that prove it."""

    rule: _Rule
    severity: Severity
    text: str
    entries: list[str]


def finding(rule: str, severity: Severity, text: str, entries: Iterable[Entry]) -> Finding:
    """Create a Finding, with its entries in order of arrival and without duplicates."""
    assert severity in RULES[rule].severities, (rule, severity)  # the documentation lists these
    proof = sorted(set(entries), key=lambda entry: entry.number)
    return Finding(rule, severity, text, [entry.id for entry in proof[:MAX_ENTRIES]])


def target(entry: Entry) -> tuple[bytes, bytes]:
    """Return the method and the URL."""
    return entry.method, origin_form(entry.url)


def attempt_key(entry: Entry) -> Hashable:
    """Return a key that all attempts of a request share: method, URL, body, and stable header fields."""
    lines = (line.partition(b":") for line in entry.head.split(b"\r\n"))
    fields = frozenset((name.lower(), value) for name, _, value in lines if name.lower() not in _VOLATILE)
    return *target(entry), entry.body, entry.body_size, fields


def failed(entry: Entry) -> bool:
    """Return whether a client may retry after the response: it is a 408, 429 or 5xx, or incomplete."""
    if entry.ended in (RESET, TRUNCATED):
        return True
    return (
        entry.ended is COMPLETE
        and entry.status is not None
        and (entry.status in (408, 429) or entry.status >= 500)
    )


def named(entry: Entry) -> str:
    """Return the method and the URL of ``entry``, masked, for use in a sentence."""
    shown = Redacted(entry)
    url = shown.url if len(shown.url) <= 120 else shown.url[:120] + "..."
    return f"{shown.method} {url}"


async def grouped(entries: Iterable[Entry], by: Callable[[Entry], Hashable], work: Work) -> list[list[Entry]]:
    """Group ``entries`` by the key ``by``, keeping their order."""
    groups: dict[Hashable, list[Entry]] = {}
    for entry in entries:
        await work.breathe()
        groups.setdefault(by(entry), []).append(entry)
    return list(groups.values())
