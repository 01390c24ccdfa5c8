"""Finding: one thing that a client did wrong, and the entries that prove it; what rules ask of entries."""

from collections.abc import Callable, Hashable, Iterable
from typing import Annotated

from msgspec import Meta, Struct

from oagw.model.call import origin_form
from oagw.model.journal import COMPLETE, RESET, TRUNCATED, Entry
from oagw.model.redacted import Redacted
from oagw.model.work import Work
from oagw.verify.report.rules import RULES, Severity

# Entries that a finding names; it says how many there are.
MAX_ENTRIES = 50

# Header fields that differ from try to try of one request.
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
    """A breach of ``rule``: ``text`` is for people, ``entries`` are the ids that prove it."""

    rule: _Rule
    severity: Severity
    text: str
    entries: list[str]


def finding(rule: str, severity: Severity, text: str, entries: Iterable[Entry]) -> Finding:
    """A Finding; the entries in the order in which they came, each once."""
    assert severity in RULES[rule].severities, (rule, severity)  # or the documentation is wrong
    proof = sorted(set(entries), key=lambda entry: entry.number)
    return Finding(rule, severity, text, [entry.id for entry in proof[:MAX_ENTRIES]])


def target(entry: Entry) -> tuple[bytes, bytes]:
    """What is asked for: method and URL."""
    return entry.method, origin_form(entry.url)


def attempt(entry: Entry) -> Hashable:
    """What is the same in every try of one request: method, URL, body, and the fields that do not vary."""
    lines = (line.partition(b":") for line in entry.head.split(b"\r\n"))
    fields = frozenset((name.lower(), value) for name, _, value in lines if name.lower() not in _VOLATILE)
    return *target(entry), entry.body, entry.body_size, fields


def failed(entry: Entry) -> bool:
    """Whether the answer is one that a client may try again after: 408, 429, 5xx, or none to its end."""
    if entry.ended in (RESET, TRUNCATED):
        return True
    return (
        entry.ended is COMPLETE
        and entry.status is not None
        and (entry.status in (408, 429) or entry.status >= 500)
    )


def named(entry: Entry) -> str:
    """Method and URL of ``entry``, masked, in a sentence."""
    shown = Redacted(entry)
    url = shown.url if len(shown.url) <= 120 else shown.url[:120] + "..."
    return f"{shown.method} {url}"


async def alike(entries: Iterable[Entry], by: Callable[[Entry], Hashable], work: Work) -> list[list[Entry]]:
    """``entries`` in groups that are the same ``by`` something, in their order."""
    groups: dict[Hashable, list[Entry]] = {}
    for entry in entries:
        await work.breathe()
        groups.setdefault(by(entry), []).append(entry)
    return list(groups.values())
