"""/__admin/clock: what time it is, and with --clock manual the way to move it."""

from typing import Annotated, ClassVar, Literal, TypedDict

from msgspec import Meta, Struct, json
from twisted.internet.defer import Deferred
from twisted.web.server import Request

from oagw.admin.env import AdminEnv
from oagw.admin.node import AdminNode, read_document, sandbox_of_call
from oagw.model.invalid import Invalid
from oagw.model.refused import Refused
from oagw.sandboxes import TokenSandbox
from oagw.timing.manual_clock import MAX_RUN, ManualClock, TooMuch
from oagw.web.reply import Reply, json_reply

# How far one call may move the clock, in seconds: a year.
MAX_SECONDS = 366 * 86400

# The end of the year 9998, in seconds since 1970: a date has four digits for the year.
LAST = 253_370_764_800


class Move(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The number of seconds by which to advance the clock."""

    seconds: Annotated[float, Meta(ge=0, le=MAX_SECONDS)]


class ClockShown(TypedDict):
    """The state of the clock."""

    mode: Literal["manual", "real"]
    now: float
    pending: int
    next: float | None
    timers: int


class Clock(AdminNode):
    """GET /__admin/clock → 200 {"mode": "real" | "manual", "now", "pending", "next", "timers"}.

    ``now`` is in seconds since 1970. ``pending`` is how many answers wait for a time to come, ``next`` the
    first of those times, or null. ``timers`` counts what else waits: connections that may time out,
    sandboxes to expire.
    """

    answers: ClassVar = {"GET": {200: ClockShown}}

    def __init__(self, env: AdminEnv) -> None:
        super().__init__(env, {b"advance": Advance(env)})

    def render_GET(self, request: Request) -> Reply:
        return json_reply(_shown(self.env))


class Advance(AdminNode):
    """POST /__admin/clock/advance {"seconds": 0 to MAX_SECONDS} → 200 as GET /__admin/clock, after all of it.

    409 if the clock is not manual. 422 beyond LAST, or if more events fall due than one call may run; the
    clock then stops early. 403 with the token of a sandbox, because all sandboxes share the clock.
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
        seconds = read_document(request, self.takes).seconds
        if clock.seconds() + seconds > LAST:
            raise Invalid("/seconds", "The clock cannot go beyond the year 9998")
        return Deferred.fromCoroutine(self._moved(request, clock.advance(seconds)))

    async def _moved(self, request: Request, move: "Deferred[None]") -> Reply:
        try:
            await move
        except TooMuch as stopped:
            early = f"{stopped.left:.6f} seconds early, after {MAX_RUN} events"
            return self.refusal(request, Refused(422, f"The clock stopped {early}; advance it again"))
        return json_reply(_shown(self.env))


def _shown(env: AdminEnv) -> ClockShown:
    # What the ticker paces is counted one by one.
    timers = sum(not env.streams.ticker.owns(call) for call in env.clock.getDelayedCalls())
    now, due = env.wall(), env.streams.ticker.next_due
    return {
        "mode": "manual" if isinstance(env.clock, ManualClock) else "real",
        "now": now,
        "pending": env.streams.ticker.pending,
        "next": None if due is None else round(now + (due - env.clock.seconds()), 6),
        "timers": timers,
    }
