"""/__admin/clock: show the time, and advance it if the server was started with --clock manual."""

from typing import Annotated, ClassVar, Literal, TypedDict

from msgspec import UNSET, Meta, Struct, UnsetType, json
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from oagw.admin.env import AdminEnv
from oagw.admin.node import AdminNode, read_document, sandbox_of_call
from oagw.model.invalid import Invalid
from oagw.model.refused import Refused
from oagw.sandboxes import TokenSandbox
from oagw.timing.manual_clock import MAX_CALLS, ManualClock, NotIdle, TooMuch
from oagw.web.reply import Reply, json_reply

# The largest number of seconds by which one call may advance the clock: a year.
MAX_SECONDS = 366 * 86400

# The default limit of ``untilIdle``, in seconds.
UNTIL_IDLE = 3600.0

# The latest time of the clock, in seconds since 1970: the end of 9998, because years have four digits.
LAST = 253_370_764_800


class Move(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The number of seconds by which to advance the clock.

    With ``until_idle``, advance until no answer waits for a time to come, but by no more than ``seconds``, by
    default an hour.
    """

    seconds: Annotated[float, Meta(ge=0, le=MAX_SECONDS)] | UnsetType = UNSET
    until_idle: bool = False


class ClockShown(TypedDict):
    """The state of the clock."""

    mode: Literal["manual", "real"]
    now: float
    pending: int
    next: float | None
    timers: int


class Clock(AdminNode):
    """GET /__admin/clock → 200 {"mode": "real" | "manual", "now", "pending", "next", "timers"}.

    ``now`` is in seconds since 1970. ``pending`` is the number of responses that wait for a later time;
    ``next`` is the earliest of these times, or null. ``timers`` is the number of other timers, such as those
    for the timeouts of connections and the expiry of sandboxes.
    """

    answers: ClassVar = {"GET": {200: ClockShown}}

    def __init__(self, env: AdminEnv) -> None:
        super().__init__(env, {b"advance": Advance(env)})

    def render_GET(self, request: Request) -> Reply:
        return json_reply(_shown(self.env))


class Advance(AdminNode):
    """POST /__admin/clock/advance {"seconds": 0 to MAX_SECONDS} → 200 as GET /__admin/clock, when done.

    409 if the clock is not manual. 422 beyond LAST, or if more events become due than one call may run: then
    the clock stops early. 403 with the token of a sandbox, because all sandboxes share the clock.

    With ``{"untilIdle": true}``, advance to the last time that a response waits for, until ``pending`` is 0.
    Other timers, such as timeouts, the expiry of sandboxes, and calls that wait for requests, run on the way
    but are not waited for, nor is anything that clients send in reaction. 422 if responses are still pending
    after ``seconds``, by default UNTIL_IDLE: then the clock stops at the last event before that.
    """

    takes = json.Decoder(Move)
    answers: ClassVar = {"POST": {200: ClockShown}}
    refuses = (409,)

    def render_POST(self, request: Request) -> "Deferred[Reply]":
        clock = self.env.clock
        if isinstance(sandbox_of_call(request), TokenSandbox):
            raise Refused(403, "All sandboxes share the clock; move it without the token of a sandbox")
        if not isinstance(clock, ManualClock):
            raise Refused(409, "The clock is not manual; start the server with --clock manual")
        given = read_document(request, self.takes)
        if given.until_idle:
            most = min(UNTIL_IDLE if given.seconds is UNSET else given.seconds, LAST - clock.seconds())
            move = clock.advance_until_idle(lambda: self.env.streams.ticker.next_due, most)
            return Deferred.fromCoroutine(self._moved(request, move, until_idle=True))
        if given.seconds is UNSET:
            raise Invalid("", "Object missing required field `seconds`, or `untilIdle`")
        if clock.seconds() + given.seconds > LAST:
            raise Invalid("/seconds", "The clock cannot go beyond the year 9998")
        return Deferred.fromCoroutine(self._moved(request, clock.advance(given.seconds)))

    async def _moved(self, request: Request, move: "Deferred[None]", until_idle: bool = False) -> Reply:
        try:
            await move
        except TooMuch as stopped:
            early = "" if until_idle else f" {stopped.left:.6f} seconds early,"
            still = f": {self._pending} still pending" if until_idle else "; advance it again"
            return self.refusal(
                request, Refused(422, f"The clock stopped{early} after {MAX_CALLS} events{still}")
            )
        except NotIdle as stopped:
            why = f"{self._pending} still pending; the next is due in {stopped.after:g} s, beyond the limit"
            return self.refusal(request, Refused(422, f"{why}: give a greater limit in seconds"))
        return json_reply(_shown(self.env))

    @property
    def _pending(self) -> str:
        pending = self.env.streams.ticker.pending
        return "1 answer is" if pending == 1 else f"{pending} answers are"


def _shown(env: AdminEnv) -> ClockShown:
    # The ticker's own calls do not count, because ``pending`` counts what waits for them.
    timers = sum(not env.streams.ticker.owns(call) for call in env.clock.getDelayedCalls())
    now, due = env.wall(), env.streams.ticker.next_due
    return {
        "mode": "manual" if isinstance(env.clock, ManualClock) else "real",
        "now": now,
        "pending": env.streams.ticker.pending,
        "next": None if due is None else round(now + (due - env.clock.seconds()), 6),
        "timers": timers,
    }
