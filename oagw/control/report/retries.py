"""Rules on retries: those that came too soon, that cannot help, that make no pause, and those that lack."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime

from oagw.control.report.finding import Finding, alike, attempt, ended, failed, finding, knew, named, target
from oagw.model.journal import COMPLETE, RESET, TRUNCATED, Entry

# Seconds by which a timer may be early.
_EARLY = 0.01

# 4xx after which a client may well send the same again (RFC 9110, 4918, 8470, 6585).
_AGAIN = frozenset((408, 409, 421, 423, 425, 429))
# The same request so many seconds later is more likely meant than a retry.
_RETRY = 10.0

# So many retries, each at most so many seconds after the failure before it, are without backoff.
_STORM = 3
_INSTANT = 0.05


def retry_after_not_honoured(entries: list[Entry]) -> Iterator[Finding]:
    """The same method and URL again, sooner than the Retry-After of a 429 or 503 said."""
    for group in alike(entries, target):
        for at, refused in enumerate(group):
            wait = retry_after(refused) if refused.status in (429, 503) else None
            if wait is None or refused.ended is not COMPLETE:
                continue
            told = ended(refused)
            for later in group[at + 1 : at + 100]:
                if later.time >= told + wait - _EARLY:
                    break
                if knew(refused, later):
                    text = (
                        f"{named(refused)} was answered {refused.status} with a Retry-After of {wait:.3f} s. "
                        f"The client asked again after {later.time - told:.3f} s."
                    )
                    yield finding("retry-after-not-honoured", "error", text, (refused, later))
                    break


def client_error_retried(entries: list[Entry]) -> Iterator[Finding]:
    """The same request, unchanged, soon after a 4xx that says that the request is at fault."""
    for group in alike(entries, attempt):
        for chain in _chains(group, lambda one, next: _final(one) and next.time - ended(one) <= _RETRY):
            count = len(chain) - 1
            text = (
                f"{named(chain[0])} was answered {chain[0].status}: the request itself is at fault. "
                f"The client sent it again unchanged, {_times(count)}; it can only fail again."
            )
            yield finding("client-error-retried", "warning", text, chain)


def retries_without_backoff(entries: list[Entry]) -> Iterator[Finding]:
    """Several retries in a row, each at once after the failure before it."""
    for group in alike(entries, attempt):
        for chain in _chains(group, _at_once):
            if len(chain) > _STORM:
                span = chain[-1].time - chain[0].time
                text = (
                    f"{named(chain[0])} failed, and was retried {_times(len(chain) - 1)} within "
                    f"{span:.3f} s, each time at once. Retries need a pause that grows."
                )
                yield finding("retries-without-backoff", "warning", text, chain)


def incomplete_answer_accepted(entries: list[Entry]) -> Iterator[Finding]:
    """An answer that was cut or reset, and no retry of it. To be asked where a retry is due."""
    for group in alike(entries, target):
        cut = group[-1]
        if cut.ended in (RESET, TRUNCATED):
            others = len(entries) - bisect_right(entries, cut.number, key=lambda entry: entry.number)
            went_on = f", and went on with {others} other request{'s' * (others > 1)}" if others else ""
            text = (
                f"The answer to {named(cut)} was {cut.ended} after {cut.sent} bytes. "
                f"The client did not ask again{went_on}: it took what there was as complete, or gave up."
            )
            yield finding("incomplete-answer-accepted", "error", text, [cut])


def retry_after(entry: Entry) -> float | None:
    """The seconds that the answer to ``entry`` asked to wait (RFC 9110 section 10.2.3), if it did."""
    text = entry.response_headers.get("retry-after", [""])[0].strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, date.timestamp() - entry.date_of(ended(entry)))


def _final(entry: Entry) -> bool:
    """Whether the answer says that the same request will fail again."""
    status = entry.status
    if entry.ended is not COMPLETE or status is None or not 400 <= status < 500 or status in _AGAIN:
        return False
    if status == 404 and entry.method in (b"GET", b"HEAD"):
        return False  # it may be polling for what is to come
    told = entry.response_headers
    return "retry-after" not in told and told.get("x-should-retry") != ["true"]


def _at_once(one: Entry, next: Entry) -> bool:
    return failed(one) and next.time - ended(one) <= _INSTANT and retry_after(one) != 0


def _times(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count} times"


def _chains(group: list[Entry], retried: Callable[[Entry, Entry], bool]) -> Iterator[list[Entry]]:
    """The longest runs of entries in ``group`` in which each is a retry of the one before it."""
    chain: list[Entry] = []
    for entry in group:
        if chain and knew(chain[-1], entry) and retried(chain[-1], entry):
            chain.append(entry)
            continue
        if len(chain) > 1:
            yield chain
        chain = [entry]
    if len(chain) > 1:
        yield chain
