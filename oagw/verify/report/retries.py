"""Rules on retries: those that came too soon, that cannot help, that make no pause, and those that lack.

``verify.reaction`` tells what is a retry: a like request that arrived after the answer was over.
"""

from bisect import bisect_right, insort
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from functools import partial

from oagw.model.journal import COMPLETE, RESET, TRUNCATED, Entry
from oagw.model.work import Work
from oagw.verify.reaction import pause, reacts, too_soon
from oagw.verify.report.finding import Finding, alike, attempt, failed, finding, named, target
from oagw.verify.report.stated_delay import least_pause, stated_delay

# Statuses whose delay is for all that the client asks of this URL: a limit, or an upstream that is down. Of
# the others that a client may retry, it is for the same request.
_LIMITS = frozenset((403, 429, 503))
_DELAYED = frozenset((408, 409, 413, 425))

# Seconds within which another request on another connection may have been under way.
_UNDER_WAY = 0.05

# 4xx after which a client may well send the same again (RFC 9110, 4918, 8470, 6585).
_AGAIN = frozenset((408, 409, 421, 423, 425, 429))
# 4xx after which GitHub's own SDK does not retry. What it does is right for GitHub.
_GITHUB_FINAL = frozenset((400, 401, 403, 404, 410, 422, 451))
# The same request so many seconds later is more likely meant than a retry.
_RETRY = 10.0

# So many retries, each at most so many seconds after the failure before it, are without backoff.
_STORM = 3
_INSTANT = 0.05

# Failures that a request may be the retry of.
_LOOKED_AT = 32


async def retry_after_not_honoured(entries: list[Entry], work: Work) -> AsyncIterator[Finding]:
    """The same method and URL again, sooner than the answer asked for."""
    for group in await alike(entries, _caller, work):
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
            attempts[entry] = attempt(entry)
        async for refused, later in _retries(group, delays.__contains__, partial(_told, attempts), work):
            delay, waited = delays[refused], pause(later, refused)
            if too_soon(waited, least_pause(refused, delay)):
                text = (
                    f"{named(refused)} was answered {refused.status} with a {delay.field} of "
                    f"{delay.seconds:.3f} s. The client asked again after {waited:.3f} s."
                )
                yield finding("retry-after-not-honoured", "error", text, (refused, later))


async def client_error_retried(entries: list[Entry], work: Work) -> AsyncIterator[Finding]:
    """The same request, unchanged, soon after a 4xx that says that the request is at fault."""
    for group in await alike(entries, attempt, work):
        for chain in await _chains(group, _final, lambda one, next: pause(next, one) <= _RETRY, work):
            count = len(chain) - 1
            text = (
                f"{named(chain[0])} was answered {chain[0].status}: the request itself is at fault. "
                f"The client sent it again unchanged, {_times(count)}; it can only fail again."
            )
            yield finding("client-error-retried", "warning", text, chain)


async def retries_without_backoff(entries: list[Entry], work: Work) -> AsyncIterator[Finding]:
    """Several retries in a row, each at once after the failure before it."""
    for group in await alike(entries, attempt, work):
        for chain in await _chains(group, failed, _at_once, work):
            if len(chain) > _STORM:
                span = chain[-1].time - chain[0].time
                text = (
                    f"{named(chain[0])} failed, and was retried {_times(len(chain) - 1)} within "
                    f"{span:.3f} s, each time at once. Retries need a pause that grows."
                )
                yield finding("retries-without-backoff", "warning", text, chain)


async def incomplete_answer_accepted(entries: list[Entry], work: Work) -> AsyncIterator[Finding]:
    """An answer that was cut or reset, and no retry of it. To be asked where a retry is due."""
    for group in await alike(entries, target, work):
        newest = max(entry.arrived for entry in group)
        for cut in group:
            if cut.ended not in (RESET, TRUNCATED) or (cut.over is not None and newest > cut.over):
                continue
            others = len(entries) - bisect_right(entries, cut.number, key=lambda entry: entry.number)
            went_on = f", and went on with {others} other request{'s' * (others > 1)}" if others else ""
            text = (
                f"The answer to {named(cut)} was {cut.ended} after {cut.sent} bytes. "
                f"The client did not ask again{went_on}: it took what there was as complete, or gave up."
            )
            yield finding("incomplete-answer-accepted", "error", text, [cut])


def _caller(entry: Entry) -> Hashable:
    """What is asked for, and by whom: what one client is told, another does not know."""
    headers = entry.call().headers
    who = tuple(tuple(headers.get(name, ())) for name in ("authorization", "user-agent"))
    return target(entry), entry.client[0], who


def _may_delay(entry: Entry) -> bool:
    """Whether the answer failed, and was read, so that a delay in it matters."""
    status = entry.status
    if entry.ended is not COMPLETE or status is None:
        return False
    return status in _LIMITS or status in _DELAYED or status >= 500


def _told(attempts: Mapping[Entry, Hashable], refused: Entry, later: Entry) -> bool:
    """Whether the client knew that the answer to ``refused`` is about ``later``.

    A retry tells so itself. Another request may come from another part of the client, unless it is on the
    same connection or some time has passed.
    """
    if attempts[later] == attempts[refused]:
        return True
    one_by_one = later.connection == refused.connection or pause(later, refused) > _UNDER_WAY
    return refused.status in _LIMITS and one_by_one


def _final(entry: Entry) -> bool:
    """Whether the answer says that the same request will fail again."""
    status = entry.status
    if entry.ended is not COMPLETE or status is None or not 400 <= status < 500 or status in _AGAIN:
        return False
    if status == 404 and entry.method in (b"GET", b"HEAD"):
        return False  # it may be polling for what is to come
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
    """Runs of entries in ``group`` in which each but the first is a retry of the one before it."""
    chains: dict[Entry, list[Entry]] = {}  # by the last of each
    async for failure, later in _retries(group, fails, retried, work):
        chains[later] = [*chains.pop(failure, [failure]), later]
    return list(chains.values())


async def _retries(
    group: list[Entry], fails: Callable[[Entry], bool], retried: Callable[[Entry, Entry], bool], work: Work
) -> AsyncIterator[tuple[Entry, Entry]]:
    """Pairs of entries in ``group``: one that ``fails``, and its retry, which is no other's.

    A request that arrived after several failures is the retry of the latest that it can be.
    """
    failures: list[Entry] = []  # in the order in which they were over
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
