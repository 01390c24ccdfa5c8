"""Rules on retries: too early, useless, without backoff, and missing.

A retry is a request like a previous one that arrived after the end of its response; see ``verify.reaction``.
"""

from bisect import bisect_right, insort
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from functools import partial

from oagw.model.entry import COMPLETE, RESET, TRUNCATED, Entry
from oagw.model.work import Work
from oagw.verify.reaction import pause, reacts, too_soon
from oagw.verify.report.finding import Finding, attempt_key, failed, finding, grouped, named, target
from oagw.verify.report.stated_delay import least_pause, stated_delay

# Statuses whose delay applies to all requests of the client to this URL: a limit, or an upstream that is
# down. For the others that a client may retry, it applies to the same request.
_LIMITS = frozenset((403, 429, 503))
_DELAYED = frozenset((408, 409, 413, 425))

# Seconds within which a request on another connection may already have been sent.
_UNDER_WAY = 0.05

# 4xx after which the same request may succeed (RFC 9110, 4918, 8470, 6585).
_AGAIN = frozenset((408, 409, 421, 423, 425, 429))
# 4xx after which GitHub's own SDK does not retry. For GitHub, its behaviour is correct by definition.
_GITHUB_FINAL = frozenset((400, 401, 403, 404, 410, 422, 451))
# After this many seconds, the same request is probably intended rather than a retry.
_RETRY = 10.0

# More than this many retries, each within this many seconds after a failure, are without backoff.
_STORM = 3
_INSTANT = 0.05

# The number of recent failures of which a request may be the retry.
_LOOKED_AT = 32


async def retry_after_not_honoured(entries: list[Entry], work: Work) -> AsyncIterator[Finding]:
    """Find requests with the same method and URL, sooner than the response allowed."""
    for group in await grouped(entries, _caller, work):
        delays = {}
        for entry in group:
            await work.breathe()
            if _may_delay(entry) and (delay := stated_delay(entry)):
                delays[entry] = delay
        if not delays:
            continue
        attempts = {}
        for entry in group:
            await work.breathe()
            attempts[entry] = attempt_key(entry)
        async for refused, later in _retries(
            group, delays.__contains__, partial(_delay_applies, attempts), work
        ):
            delay, waited = delays[refused], pause(later, refused)
            if too_soon(waited, least_pause(refused, delay)):
                text = (
                    f"{named(refused)} was answered {refused.status} with a {delay.field} of "
                    f"{delay.seconds:.3f} s. The client sent it again after {waited:.3f} s."
                )
                yield finding("retry-after-not-honoured", "error", text, (refused, later))


async def client_error_retried(entries: list[Entry], work: Work) -> AsyncIterator[Finding]:
    """Find retries of an unchanged request soon after a 4xx that blames the request."""
    for group in await grouped(entries, attempt_key, work):
        for chain in await _chains(group, _final, lambda one, next: pause(next, one) <= _RETRY, work):
            count = len(chain) - 1
            text = (
                f"{named(chain[0])} was answered {chain[0].status}: the request itself is at fault. "
                f"The client sent it again unchanged, {_times(count)}; it can only fail again."
            )
            yield finding("client-error-retried", "warning", text, chain)


async def retries_without_backoff(entries: list[Entry], work: Work) -> AsyncIterator[Finding]:
    """Find several consecutive retries, each immediately after a failure."""
    for group in await grouped(entries, attempt_key, work):
        for chain in await _chains(group, failed, _at_once, work):
            if len(chain) > _STORM:
                span = chain[-1].time - chain[0].time
                text = (
                    f"{named(chain[0])} failed, and was retried {_times(len(chain) - 1)} within "
                    f"{span:.3f} s, each time immediately. Retries need increasing pauses."
                )
                yield finding("retries-without-backoff", "warning", text, chain)


async def incomplete_answer_accepted(entries: list[Entry], work: Work) -> AsyncIterator[Finding]:
    """Find truncated or reset responses without a retry. Only for tests in which a retry is due."""
    for group in await grouped(entries, target, work):
        newest = max(entry.arrived for entry in group)
        for cut in group:
            if cut.ended not in (RESET, TRUNCATED) or (cut.over is not None and newest > cut.over):
                continue
            others = len(entries) - bisect_right(entries, cut.number, key=lambda entry: entry.number)
            went_on = f", and went on with {others} other request{'s' * (others > 1)}" if others else ""
            text = (
                f"The response to {named(cut)} was {cut.ended} after {cut.sent} bytes. "
                f"The client did not retry{went_on}: it accepted an incomplete response, or gave up."
            )
            yield finding("incomplete-answer-accepted", "error", text, [cut])


def _caller(entry: Entry) -> Hashable:
    """Return a key of the target and the client: one client does not know the responses to another."""
    headers = entry.call().headers
    who = tuple(tuple(headers.get(name, ())) for name in ("authorization", "user-agent"))
    return target(entry), entry.client[0], who


def _may_delay(entry: Entry) -> bool:
    """Return whether the response is a complete failure, so that a delay in it applies."""
    status = entry.status
    if entry.ended is not COMPLETE or status is None:
        return False
    return status in _LIMITS or status in _DELAYED or status >= 500


def _delay_applies(attempts: Mapping[Entry, Hashable], refused: Entry, later: Entry) -> bool:
    """Return whether the delay in the response to ``refused`` applies to ``later``, and the client knew it.

    It applies to a retry. A different request may come from another part of the client, unless it is on the
    same connection or some time has passed.
    """
    if attempts[later] == attempts[refused]:
        return True
    one_by_one = later.connection == refused.connection or pause(later, refused) > _UNDER_WAY
    return refused.status in _LIMITS and one_by_one


def _final(entry: Entry) -> bool:
    """Return whether the response indicates that the same request will fail again."""
    status = entry.status
    if entry.ended is not COMPLETE or status is None or not 400 <= status < 500 or status in _AGAIN:
        return False
    if status == 404 and entry.method in (b"GET", b"HEAD"):
        return False  # the client may be polling for a new resource
    if entry.alias == "github" and status not in _GITHUB_FINAL:
        return False
    told = entry.response_headers
    return (
        "retry-after" not in told and told.get("x-should-retry") != ["true"] and stated_delay(entry) is None
    )


def _at_once(one: Entry, next: Entry) -> bool:
    waited, delay = pause(next, one), stated_delay(one)
    return waited <= _INSTANT and (delay is None or too_soon(waited, least_pause(one, delay)))


def _times(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count} times"


async def _chains(
    group: list[Entry], fails: Callable[[Entry], bool], retried: Callable[[Entry, Entry], bool], work: Work
) -> list[list[Entry]]:
    """Return the sequences of entries in ``group`` in which each is a retry of the previous one."""
    chains: dict[Entry, list[Entry]] = {}  # by the last entry of each
    async for failure, later in _retries(group, fails, retried, work):
        chains[later] = [*chains.pop(failure, [failure]), later]
    return list(chains.values())


async def _retries(
    group: list[Entry], fails: Callable[[Entry], bool], retried: Callable[[Entry, Entry], bool], work: Work
) -> AsyncIterator[tuple[Entry, Entry]]:
    """Yield pairs of entries in ``group``: one that ``fails``, and its retry.

    A request that arrived after several failures is the retry of the latest possible one, and of no other.
    """
    failures: list[Entry] = []  # in the order in which they ended
    for entry in group:
        await work.breathe()
        for failure in reversed(failures):
            if reacts(entry, failure) and retried(failure, entry):
                failures.remove(failure)
                yield failure, entry
                break
        if fails(entry):
            insort(failures, entry, key=_over)
            del failures[:-_LOOKED_AT]


def _over(entry: Entry) -> int:
    return entry.over or 0
