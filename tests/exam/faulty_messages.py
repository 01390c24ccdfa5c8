"""Clients that get HTTP's messages, errors, time-outs or connections wrong."""

import json
from typing import Any

from tests.exam.client import Client, Request
from tests.exam.connection import Connection, Head, Pool, Response
from tests.exam.failures import (
    BrokenResponse,
    ConnectionFailed,
    Failed,
    IncompleteResponse,
    StatusError,
    TimedOut,
    UnexpectedContent,
)
from tests.exam.faults import fault


@fault("source-missing")
class BlamesUpstream(Client):
    """It attributes every error to the upstream unless the gateway says that it is its own."""

    def source(self, response: Response) -> str | None:
        return super().source(response) or "upstream"


@fault("gateway-error")
class BlamesUpstreamForAll(Client):
    """It attributes the gateway's errors to the upstream."""

    def source(self, response: Response) -> str | None:
        return "upstream"


@fault("upstream-error")
class BlamesGateway(Client):
    """It attributes every error to the gateway."""

    def source(self, response: Response) -> str | None:
        return "gateway"


@fault("no-content")
class CrashesOnNoContent(Client):
    """It crashes on a 204."""

    async def read_json(self, request: Request, response: Response) -> Any:
        return (
            json.loads(await response.read(request.timeout, 1 << 20))
            if response.head.status == 204
            else (await super().read_json(request, response))
        )


class _ChecksNoLength(Response):
    checks_length = False


class _PoolWithoutLengths(Pool):
    response = _ChecksNoLength


@fault("length-too-long chunked-cut")
class AcceptsWrongLength(Client):
    """It accepts a body that is shorter than its Content-Length."""

    make_pool = _PoolWithoutLengths


@fault("success-html")
class ReturnsHtml(Client):
    """It returns the text of a page of HTML as the value."""

    def decode(self, body: bytes) -> Any:
        try:
            return super().decode(body)
        except UnexpectedContent:
            return body.decode("utf-8", "replace")


@fault("success-invalid-json")
class CrashesOnInvalidJson(Client):
    """It crashes on a body that is not JSON."""

    def decode(self, body: bytes) -> Any:
        return json.loads(body)


@fault("error-html error-empty error-invalid-json")
class CrashesOnForeignErrors(Client):
    """It crashes on an error whose body is not JSON."""

    async def discard(self, request: Request, response: Response) -> None:
        body = await response.read(request.timeout, 1 << 20)
        if response.head.status >= 400:
            json.loads(body)
        response.close()


@fault("error-json-string")
class ExpectsErrorObject(Client):
    """It crashes on an error whose body is JSON, but no object."""

    async def discard(self, request: Request, response: Response) -> None:
        body = await response.read(request.timeout, 1 << 20)
        try:
            error = json.loads(body)
        except ValueError:
            error = {}
        error.get("message")
        response.close()


@fault("upstream-error")
class ReturnsErrors(Client):
    """It returns the body of an error as the value."""

    def is_success(self, status: int) -> bool:
        return True


class _PoolWithHints(Pool):
    skips_informational = False


@fault("early-hints continue-unasked")
class TakesHintForAnswer(Client):
    """It takes an informational response for the answer."""

    make_pool = _PoolWithHints


class _Undecoded(Response):
    decodes_gzip = False


class _PoolWithoutGzip(Pool):
    response = _Undecoded


@fault("gzip-answer")
class IgnoresCoding(Client):
    """It asks for gzip, but does not decode it."""

    make_pool = _PoolWithoutGzip


@fault("unknown-status")
class KnowsFewStatuses(Client):
    """It takes a status that it does not know for a success."""

    def is_success(self, status: int) -> bool:
        return status not in (400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 501, 502, 503, 504)


@fault("silent-server")
class WaitsForHead(Client):
    """It has no time-out for the head of a response."""

    def head_timeout(self, request: Request) -> float | None:
        return None


@fault("body-stalls")
class WaitsForBody(Client):
    """It has no time-out for the body of a response."""

    def body_timeout(self, request: Request) -> float | None:
        return None


class _HeadInOnePiece(Connection):
    async def head(self, timeout: float | None) -> Head:
        if not self.received:
            await self.more(timeout)
        if b"\r\n\r\n" not in self.received:
            raise BrokenResponse("The head is incomplete")
        return await super().head(timeout)


class _PoolOfHeadsInOnePiece(Pool):
    connection = _HeadInOnePiece


@fault("slow-head")
class NeedsHeadInOnePiece(Client):
    """It expects a head in one piece."""

    make_pool = _PoolOfHeadsInOnePiece


@fault("slow-body")
class LimitsCall(Client):
    """Its time-out is for the whole body."""

    async def read_json(self, request: Request, response: Response) -> Any:
        timer = self.reactor.callLater(request.timeout, response.connection.close)
        try:
            return await super().read_json(request, response)
        finally:
            if timer.active():
                timer.cancel()


class _PoolWithoutReuse(Pool):
    reuses = False


@fault("reuse")
class OpensConnections(Client):
    """It opens a connection for each request, and does not say so."""

    make_pool = _PoolWithoutReuse


@fault("reuse-after-error")
class DropsConnectionAfterError(Client):
    """It does not read the bodies of errors, so that their connections are lost."""

    async def discard(self, request: Request, response: Response) -> None:
        response.close()


@fault("stale-connection-get")
class ReportsStaleConnection(Client):
    """It reports an error when the server has closed an idle connection."""

    def may_repeat(self, request: Request, error: Failed) -> bool:
        return isinstance(error, StatusError) and super().may_repeat(request, error)


class _PoolOfClosed(Pool):
    heeds_close = False


@fault("connection-close")
class IgnoresConnectionClose(Client):
    """It uses a connection again that the server said to close."""

    make_pool = _PoolOfClosed


@fault("reset-before-head closed-without-response")
class ReturnsNothingForLostConnection(Client):
    """It returns nothing, as if that were the answer, if the connection is lost."""

    async def ask(self, *arguments: Any, **more: Any) -> Any:
        try:
            return await super().ask(*arguments, **more)
        except (IncompleteResponse, ConnectionFailed):
            return None


class _CrashingConnection(Connection):
    async def head(self, timeout: float | None) -> Head:
        try:
            return await super().head(timeout)
        except BrokenResponse:
            raise ValueError("not HTTP") from None


class _CrashingPool(Pool):
    connection = _CrashingConnection


@fault("garbage")
class CrashesOnForeignProtocols(Client):
    """It crashes on something that is not HTTP."""

    make_pool = _CrashingPool


@fault("lost-answer-get")
class RepeatsLostForEver(Client):
    """It repeats a request without a limit if the connection is lost."""

    async def ask(self, *arguments: Any, **more: Any) -> Any:
        while True:
            try:
                return await super().ask(*arguments, **more)
            except (IncompleteResponse, TimedOut):
                await self.sleep(0.1)
