"""Clients that get time-outs or connections wrong."""

from typing import Any

from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from tests.exam.client import Client, Request
from tests.exam.connection import Connection, Head, Pool, Response
from tests.exam.failures import (
    BrokenResponse,
    ConnectionFailed,
    Failed,
    IncompleteResponse,
    StatusError,
    TimedOut,
)
from tests.exam.faults import CUT, ENDS, LOST, LOST_POST, SILENT, WRONG_LENGTH, fault


@fault("silent-server head-stalls")
class WaitsForHead(Client):
    """It has no time-out for the head of a response."""

    def head_timeout(self, request: Request) -> float | None:
        return None


@fault("body-stalls")
class WaitsForBody(Client):
    """It has no time-out for the body of a response."""

    def body_timeout(self, request: Request) -> float | None:
        return None


@fault("slow-head")
class WaitsBriefly(Client):
    """It waits for the head of a response for 0.3 seconds, whatever it is asked to."""

    def head_timeout(self, request: Request) -> float | None:
        return 0.3


@fault("slow-body")
class LimitsBody(Client):
    """It reads a body for 0.7 seconds at most, whatever it is asked to."""

    async def read_json(self, request: Request, response: Response) -> Any:
        timer = self.reactor.callLater(0.7, response.connection.close)
        try:
            return await super().read_json(request, response)
        finally:
            if timer.active():
                timer.cancel()


class _HeadInOnePiece(Connection):
    async def head(self, timeout: float | None) -> Head:
        if not self.received:
            await self.more(timeout)
        if b"\r\n\r\n" not in self.received:
            raise BrokenResponse("The head is incomplete")
        return await super().head(timeout)


class _PoolOfHeadsInOnePiece(Pool):
    connection = _HeadInOnePiece


@fault("head-in-pieces", "byte-by-byte")
class NeedsHeadInOnePiece(Client):
    """It expects a head in one piece."""

    make_pool = _PoolOfHeadsInOnePiece


class _PoolWithoutReuse(Pool):
    reuses = False


@fault("reuse")
class OpensConnections(Client):
    """It opens a connection for each request, and does not say so."""

    make_pool = _PoolWithoutReuse


class _NoticesNoEnd(Connection):
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.is_waiting:
            super().connectionLost(reason)

    async def more(self, timeout: float | None) -> None:
        if not self.transport.connected:
            raise IncompleteResponse("The connection has ended")
        await super().more(timeout)


class _PoolOfClosed(Pool):
    connection = _NoticesNoEnd
    heeds_close = False


@fault("connection-close")
class IgnoresConnectionClose(Client):
    """It uses a connection again that the server has closed, and reports that this failed."""

    make_pool = _PoolOfClosed

    def may_repeat(self, request: Request, error: Failed) -> bool:
        return isinstance(error, StatusError) and super().may_repeat(request, error)


class _PoolOfUnread(Pool):
    drops_unread = False


class _PoolOfSurplus(_PoolOfUnread):
    connection = _NoticesNoEnd
    heeds_close = False


@fault("length-too-short", "stale-connection-get stale-connection-post connection-close")
class ReadsSurplus(Client):
    """It takes what follows an answer on its connection for the next answer."""

    make_pool = _PoolOfSurplus


@fault("reuse-after-error", "length-too-short")
class LeavesErrorUnread(Client):
    """It uses a connection again on which the body of an error is still to come."""

    # A process of an adapter also fails the situation that uses such a connection next, whichever that is.

    make_pool = _PoolOfUnread

    async def discard(self, request: Request, response: Response) -> None:
        if response.head.status < 400:
            await super().discard(request, response)
        else:
            response.abandon()


@fault(
    "reset-before-head closed-without-response reset-in-head reset-after-head reset-in-body",
    f"{CUT} {WRONG_LENGTH} {LOST_POST} garbage",
)
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
        except (BrokenResponse, IncompleteResponse):
            if self.received and not self.received.startswith(b"HTTP"):
                raise ValueError("not HTTP") from None
            raise


class _CrashingPool(Pool):
    connection = _CrashingConnection


@fault("garbage", "pages-cut-on-second reset-in-head")
class CrashesOnForeignProtocols(Client):
    """It crashes on something that is not HTTP."""

    make_pool = _CrashingPool


@fault("reset-before-head", f"{LOST} {CUT} {WRONG_LENGTH} {LOST_POST} {SILENT} garbage")
class RepeatsLostForEver(Client):
    """It repeats a request without a limit if the connection is lost."""

    async def ask(self, *arguments: Any, **more: Any) -> Any:
        while True:
            try:
                return await super().ask(*arguments, **more)
            except (IncompleteResponse, TimedOut):
                await self.sleep(0.1)


class _MissesEnd(Connection):
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Miss it."""

    async def more(self, timeout: float | None) -> None:
        await super().more(None)


class _PoolThatMissesEnds(Pool):
    connection = _MissesEnd


@fault("lost-answer-get stale-connection-get", ENDS)
class MissesEnds(Client):
    """It waits for ever if a connection is lost."""

    make_pool = _PoolThatMissesEnds
