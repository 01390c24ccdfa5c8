"""Clients that get HTTP's messages or errors wrong."""

import json
from typing import Any

from tests.exam.client import Client, Request
from tests.exam.connection import Pool, Response
from tests.exam.failures import (
    BrokenResponse,
    IncompleteResponse,
    UnexpectedContent,
)
from tests.exam.faults import DELAYS, fault


@fault("source-missing")
class BlamesUpstream(Client):
    """It attributes every error to the upstream unless the gateway says that it is its own."""

    def source(self, response: Response) -> str | None:
        return super().source(response) or "upstream"


@fault("gateway-error source-missing")
class BlamesUpstreamForAll(Client):
    """It attributes the gateway's errors to the upstream."""

    def source(self, response: Response) -> str | None:
        return "upstream"


@fault("upstream-error source-missing")
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
    async def piece(self, timeout: float | None) -> bytes:
        try:
            return await super().piece(timeout)
        except IncompleteResponse:
            self.close()
            return b""


class _PoolWithoutLengths(Pool):
    response = _ChecksNoLength


@fault("length-too-long chunked-cut")
class AcceptsWrongLength(Client):
    """It accepts a body that is shorter than its Content-Length."""

    make_pool = _PoolWithoutLengths


@fault("success-html success-invalid-json")
class ReturnsNothingForText(Client):
    """It takes a body that is not JSON for an empty answer."""

    def decode(self, body: bytes) -> Any:
        try:
            return super().decode(body)
        except UnexpectedContent:
            return None


@fault("success-invalid-json success-html")
class CrashesOnInvalidJson(Client):
    """It crashes on a body that is not JSON."""

    def decode(self, body: bytes) -> Any:
        return json.loads(body)


@fault("error-html error-empty error-invalid-json retry-after-html-503")
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


@fault(
    "upstream-error gateway-error source-missing",
    f"{DELAYS} attempts-bounded backoff-grows error-json-string error-without-token large-error-body "
    "not-retried-400 not-retried-401 not-retried-403 not-retried-404 not-retried-422 rate-limit-reset "
    "request-timeout-408 retry-after-garbage retry-after-ms retry-after-zero retry-sends-body "
    "reuse-after-error server-error-once unknown-status",
)
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


@fault("unknown-success")
class KnowsOneSuccess(Client):
    """It takes only 200 and 204 for a success."""

    def is_success(self, status: int) -> bool:
        return status in (200, 204)


class _NeedsNoTrailers(Response):
    async def trailers(self, timeout: float | None) -> None:
        if await self.connection.line(timeout):
            raise BrokenResponse("Something follows the last chunk")


class _PoolWithoutTrailers(Pool):
    response = _NeedsNoTrailers


@fault("trailers")
class KnowsNoTrailers(Client):
    """It expects nothing after the last chunk."""

    make_pool = _PoolWithoutTrailers


@fault("charset")
class DecodesLatin1(Client):
    """It decodes JSON as ISO 8859-1 if there is no charset."""

    def decode(self, body: bytes) -> Any:
        return super().decode(body.decode("latin-1").encode())


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
