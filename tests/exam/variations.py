"""Legitimate variations of the correct client: the exam must not fail them."""

from contextlib import suppress
from random import Random
from typing import Any

from twisted.internet.defer import Deferred

from tests.exam.client import KEY, Call, Client, Report, Request, Text, origin_of
from tests.exam.connection import Response
from tests.exam.delays import asked_delay
from tests.exam.failures import (
    Failed,
    IncompleteResponse,
    IncompleteStream,
    StatusError,
    TimedOut,
    UnexpectedContent,
)


class NoRetries(Client):
    """It never retries."""

    def is_last(self, attempt: int, retries: int) -> bool:
        return True


class MoreRetries(Client):
    """It retries more often than it is asked to."""

    def is_last(self, attempt: int, retries: int) -> bool:
        return attempt >= retries + 2


class WaitsForHours(Client):
    """It waits as long as it is asked to, for an hour if need be."""

    longest_delay = float("inf")


class FullJitter(Client):
    """Its backoff is random, between nothing and a doubled limit."""

    random = Random(13)

    def backoff(self, attempt: int) -> float:
        return self.random.uniform(0, 0.3 * 2.0**attempt)


class OpenAIBackoff(Client):
    """Its backoff is the one of OpenAI's SDK: at first half a second, minus up to a quarter."""

    random = Random(14)

    def backoff(self, attempt: int) -> float:
        return min(0.5 * 2.0**attempt, 8.0) * (1 - 0.25 * self.random.random())


class LongerPauses(Client):
    """It pauses for longer than it has to."""

    def pause(self, request: Request, error: Failed, attempt: int) -> float | None:
        pause = super().pause(request, error, attempt)
        return None if pause is None else pause * 1.25 + 0.1


class ClosesConnections(Client):
    """It closes each connection after a request, and says so."""

    def fields(self, request: Request) -> dict[str, str]:
        return {**request.fields, "connection": "close"}


class OtherOrder(Client):
    """Its calls begin in another order."""

    started = 0

    async def take(self, call: Call) -> Report:
        self.started += 1
        await self.sleep(0.03 if self.started % 2 else 0.0)
        return await super().take(call)


class NoRedirects(Client):
    """It follows no redirects, and reports them as errors."""

    most_redirects = 0

    async def follow(self, request: Request) -> Response:
        response = await self.send(request)
        if response.head.status >= 300:
            await self.discard(request, response)
            raise StatusError(response.head.status, response.head.fields, self.source(response))
        return response


class NeverRepeatsPost(Client):
    """It never repeats a POST, with or without Idempotency-Key."""

    def may_repeat(self, request: Request, error: Failed) -> bool:
        return request.method != "POST" and super().may_repeat(request, error)


class RepeatsNoTimeOuts(Client):
    """It repeats nothing after connection errors and time-outs."""

    def may_repeat(self, request: Request, error: Failed) -> bool:
        return isinstance(error, StatusError) and super().may_repeat(request, error)


class NoPartialText(Client):
    """It does not report the text before an error."""

    async def take(self, call: Call) -> Report:
        report = await super().take(call)
        if report["outcome"] == "error":
            report.pop("text", None)
        return report


class ClassOnly(Client):
    """Of an error, it reports the class only."""

    async def take(self, call: Call) -> Report:
        report = await super().take(call)
        return (
            {name: report[name] for name in report.keys() - {"status", "source", "message", "text"}}
            if (report["outcome"] == "error")
            else report
        )


class WordOnly(Client):
    """It reports the word in an answer, not the whole body."""

    async def call(self, call: Call) -> Report:
        report = await super().call(call)
        try:
            return {**report, "value": report["value"]["choices"][0]["message"]["content"]}
        except (LookupError, TypeError):
            return report


class NoCompression(Client):
    """It does not ask for gzip."""

    def fields(self, request: Request) -> dict[str, str]:
        return {**request.fields, "accept-encoding": "identity"}


class GetsAfterAllRedirects(Client):
    """It follows 301 and 302 with GET, as browsers do."""

    makes_get_of = frozenset({301, 302, 303})


class SlowerTimeOuts(Client):
    """Its time-outs are half a second longer."""

    def head_timeout(self, request: Request) -> float | None:
        return request.timeout + 0.5

    body_timeout = stream_timeout = head_timeout


class RetriesEveryServerError(Client):
    """It retries each status from 500 on."""

    retried_statuses = frozenset({408, 429, *range(500, 600)})


class OneKindOnly(Client):
    """It can neither stream nor fetch pages."""

    async def take(self, call: Call) -> Report:
        if call["kind"] != "call":
            return {"id": call["id"], "outcome": "unsupported"}
        return await super().take(call)


class ReturnsPages(Client):
    """It returns a body that does not say to be JSON as text."""

    async def read_json(self, request: Request, response: Response) -> Any:
        if (response.head.get("content-type") or "").startswith("text/"):
            return (await response.read(request.timeout, 1 << 20)).decode()
        return await super().read_json(request, response)


class SlowBackoff(Client):
    """It retries three times, however often it is asked to, after pauses of one, two and four seconds."""

    def is_last(self, attempt: int, retries: int) -> bool:
        return attempt >= 3

    def backoff(self, attempt: int) -> float:
        return 2.0**attempt


class OldVersion(Client):
    """It speaks HTTP/1.0, which uses a connection only once."""

    version = "HTTP/1.0"


class ShortBackoff(Client):
    """Its backoff grows from thirty milliseconds."""

    def backoff(self, attempt: int) -> float:
        return 0.03 * 2.0**attempt


class OwnKeys(Client):
    """It sends an Idempotency-Key of its own with each POST, and so repeats it."""

    made = 0

    def first_request(self, call: Call) -> Request:
        request = super().first_request(call)
        if request.method != "POST" or KEY in request.fields:
            return request
        self.made += 1
        return request._replace(fields={**request.fields, KEY: f"own-{self.made}"})


class KnowsRetryAfterOnly(Client):
    """It knows no other field that states a delay."""

    def asked_delay(self, error: StatusError) -> float | None:
        fields = [(name, value) for name, value in error.fields if name.lower() in ("retry-after", "date")]
        return asked_delay(fields, self.wall)


class StartsOver(Client):
    """If a stream breaks, it asks again, and starts over with the text."""

    def may_repeat(self, request: Request, error: Failed) -> bool:
        is_broken = isinstance(error, IncompleteResponse | IncompleteStream)
        return (is_broken and self.is_stream(request)) or super().may_repeat(request, error)

    def may_repeat_stream(self, text: Text | None) -> bool:
        if text is not None:
            text.pieces.clear()
        return True

    def is_stream(self, request: Request) -> bool:
        return b'"stream"' in (request.body or b"")


class ReadsToTheEnd(Client):
    """After [DONE], it reads the end of the response if that comes at once, and reports if it is cut."""

    async def read_stream(
        self, request: Request, response: Response, text: Text, cancel_after: int | None
    ) -> bool:
        cancelled = await super().read_stream(request, response, text, cancel_after)
        with suppress(TimedOut):
            while not cancelled and await response.piece(0.1):
                pass
        return cancelled


class TotalTimeOut(Client):
    """Its time-out for a body is for the whole of it."""

    async def read_json(self, request: Request, response: Response) -> Any:
        timer = self.reactor.callLater(request.timeout, response.connection.close)
        try:
            return await super().read_json(request, response)
        finally:
            if timer.active():
                timer.cancel()


class LeavesConnectionAfterError(Client):
    """It does not read the bodies of errors, and closes their connections."""

    async def discard(self, request: Request, response: Response) -> None:
        response.close()


class AsksOnceMore(Client):
    """It notices a loop of pages when it has got a page for the second time."""

    def is_loop(self, url: str, seen: set[str]) -> bool:
        is_loop, self._had = url in seen and url in self._had, self._had | ({url} & seen)
        return is_loop

    _had: frozenset[str] = frozenset()


class StaysAtHost(Client):
    """It follows neither redirects nor links to another host."""

    async def send(self, request: Request) -> Response:
        if origin_of(request.url) != request.home:
            raise UnexpectedContent("The URL is not of the same host")
        return await super().send(request)


class OneConnectionPerCall(Client):
    """It sends its calls one after the other, never two at a time."""

    _last: "Deferred[None] | None" = None

    async def take(self, call: Call) -> Report:
        before, self._last = self._last, Deferred()
        mine = self._last
        if before is not None:
            await before
        try:
            return await super().take(call)
        finally:
            mine.callback(None)


VARIATIONS: list[type[Client]] = [
    NoRetries,
    MoreRetries,
    FullJitter,
    OpenAIBackoff,
    LongerPauses,
    WaitsForHours,
    ClosesConnections,
    OtherOrder,
    NoRedirects,
    NeverRepeatsPost,
    RepeatsNoTimeOuts,
    NoPartialText,
    ClassOnly,
    WordOnly,
    NoCompression,
    GetsAfterAllRedirects,
    SlowerTimeOuts,
    RetriesEveryServerError,
    OneKindOnly,
    ReturnsPages,
    SlowBackoff,
    OldVersion,
    ShortBackoff,
    OwnKeys,
    KnowsRetryAfterOnly,
    StartsOver,
    ReadsToTheEnd,
    TotalTimeOut,
    LeavesConnectionAfterError,
    AsksOnceMore,
    StaysAtHost,
    OneConnectionPerCall,
]
