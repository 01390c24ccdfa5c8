"""Rules on retries: too early, useless, without backoff, and missing.

A retry is a request like a previous one that arrived after the end of its response; see ``verify.reaction``.
"""

from bisect import bisect_right, insort
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from functools import partial

from oagw.model.entry import COMPLETE, RESET, TRUNCATED, Entry
from oagw.model.work import Work
from oagw.verify.reaction import pause, reacts, too_soon, waited_at_most
from oagw.verify.report.finding import Finding, attempt_key, failed, finding, grouped, named, target
from oagw.verify.report.stated_delay import least_pause, stated_delay

# Statuses whose delay applies to all requests of the client to this URL: a limit, or an upstream that is
# down. After these other statuses, and 5xx, it applies only to retries of the same request.
DELAY_FOR_URL = frozenset((403, 429, 503))
DELAY_FOR_REQUEST = frozenset((408, 409, 413, 425))

# Seconds within which a request on another connection may already have been sent.
_IN_FLIGHT = 0.05

# 4xx after which the same request may succeed (RFC 9110, 4918, 8470, 6585).
RETRYABLE = frozenset((408, 409, 421, 423, 425, 429))
# 4xx after which GitHub's own SDK does not retry. For GitHub, its behaviour is correct by definition.
GITHUB_FINAL = frozenset((400, 401, 403, 404, 410, 422, 451))
# After this many seconds, the same request is probably a new one rather than a retry.
_MAX_PAUSE = 10.0

# More than this many retries, each within this many seconds after a failure, are without backoff.
_MAX_RETRIES = 3
_AT_ONCE = 0.05

# A request may be the retry of one of this many recent failures.
_RECENT = 32


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
            delay, waited = delays[refused], waited_at_most(later, refused)
            if too_soon(waited, least_pause(refused, delay)):
                text = (
                    f"{named(refused)} was answered {refused.status} with a {delay.field} of "
                    f"{delay.seconds:.3f} s. The client sent it again after {waited:.3f} s."
                )
                yield finding("retry-after-not-honoured", "error", text, (refused, later))


async def client_error_retried(entries: list[Entry], work: Work) -> AsyncIterator[Finding]:
    """Find retries of an unchanged request soon after a 4xx that blames the request."""
    async for chain in _chains(entries, _is_final, _is_soon, work):
        text = (
            f"{named(chain[0])} was answered {chain[0].status}: the request itself is at fault. "
            f"The client sent it again unchanged, {_times(len(chain) - 1)}; it can only fail again."
        )
        yield finding("client-error-retried", "warning", text, chain)


async def retries_without_backoff(entries: list[Entry], work: Work) -> AsyncIterator[Finding]:
    """Find several consecutive retries, each immediately after a failure."""
    async for chain in _chains(entries, failed, _is_at_once, work):
        if len(chain) > _MAX_RETRIES:
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
    return status in DELAY_FOR_URL or status in DELAY_FOR_REQUEST or status >= 500


def _delay_applies(attempts: Mapping[Entry, Hashable], refused: Entry, later: Entry) -> bool:
    """Return whether the delay in the response to ``refused`` applies to ``later``, and the client knew it.

    It applies to a retry. A different request may come from another part of the client, unless it is on the
    same connection or some time has passed.
    """
    if attempts[later] == attempts[refused]:
        return True
    one_by_one = later.connection == refused.connection or pause(later, refused) > _IN_FLIGHT
    return refused.status in DELAY_FOR_URL and one_by_one


def _is_final(entry: Entry) -> bool:
    """Return whether the response indicates that the same request will fail again."""
    status = entry.status
    if entry.ended is not COMPLETE or status is None or not 400 <= status < 500 or status in RETRYABLE:
        return False
    if status == 404 and entry.method in (b"GET", b"HEAD"):
        return False  # the client may be polling for a new resource
    if entry.alias == "github" and status not in GITHUB_FINAL:
        return False
    headers = entry.response_headers
    if "retry-after" in headers or headers.get("x-should-retry") == ["true"]:
        return False
    return stated_delay(entry) is None


def _is_soon(failure: Entry, retry: Entry) -> bool:
    return pause(retry, failure) <= _MAX_PAUSE


def _is_at_once(failure: Entry, retry: Entry) -> bool:
    """Return whether ``retry`` came immediately, although the response to ``failure`` did not allow it."""
    waited, delay = waited_at_most(retry, failure), stated_delay(failure)
    return waited <= _AT_ONCE and (delay is None or too_soon(waited, least_pause(failure, delay)))


def _times(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count} times"


async def _chains(
    entries: list[Entry], fails: Callable[[Entry], bool], retried: Callable[[Entry, Entry], bool], work: Work
) -> AsyncIterator[list[Entry]]:
    """Yield the sequences of equal requests in ``entries`` in which each is a retry of the previous one."""
    for group in await grouped(entries, attempt_key, work):
        chains: dict[Entry, list[Entry]] = {}  # by the last entry of each
        async for failure, later in _retries(group, fails, retried, work):
            chains[later] = [*chains.pop(failure, [failure]), later]
        for chain in chains.values():
            yield chain


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
            del failures[:-_RECENT]


def _over(entry: Entry) -> int:
    return entry.over or 0
