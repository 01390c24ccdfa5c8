"""The base class of all resources of the OpenAI API, with their errors and header fields."""

from typing import TypeAlias

import msgspec
from twisted.web.server import Request

from oagw.model.refused import Refused
from oagw.services import UpstreamNode
from oagw.web.body import T, read_json
from oagw.web.reply import UPSTREAM, HeaderLines, Reply, json_reply, prepared

# The rate limits that are reported. Only the current request is ever subtracted from them.
REQUESTS = 10_000
TOKENS = 2_000_000

# The header fields that all responses have, with placeholders for what differs.
_FIELDS = prepared(
    {
        b"x-ratelimit-limit-requests": (b"%d" % REQUESTS,),
        b"x-ratelimit-limit-tokens": (b"%d" % TOKENS,),
        b"x-ratelimit-remaining-requests": (b"%d",),
        b"x-ratelimit-reset-requests": (b"%b",),
        b"openai-processing-ms": (b"%d",),
        b"x-ratelimit-remaining-tokens": (b"%d",),
        b"x-ratelimit-reset-tokens": (b"%dms",),
    }
)
# The requests that remain, and when the limit is reset.
_ANSWERED = (REQUESTS - 1, b"6ms")
_REFUSED = (0, b"1s")

# The type of parameters that the mock does not support: they may be absent or null.
Unsupported: TypeAlias = None

SERVER_ERROR = "The server had an error while processing your request"

# The type and code of errors by status; see error_kind for other statuses.
_KINDS = {
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("request_forbidden", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
    500: ("server_error", None),
    503: ("server_error", "service_unavailable"),
}


class OpenAINode(UpstreamNode):
    """A resource of the OpenAI API. Errors are ``{"error": {"message", "type", "param", "code"}}``."""

    def refusal(self, request: Request, refused: Refused) -> Reply:
        body = {"error": error(refused.status, refused.message, refused.field, refused.code)}
        headers = answer_headers(refused=refused.status == 429) + prepared(refused.headers)
        return json_reply(body, refused.status, source=UPSTREAM, headers=headers)


def error(
    status: int, message: str, param: str | None = None, code: str | None = None
) -> dict[str, str | None]:
    """Return the error object for ``status``."""
    return {"message": message, "type": kind(status)[0], "param": param, "code": code}


def kind(status: int) -> tuple[str, str | None]:
    """Return the type and the usual code of errors with ``status``."""
    return _KINDS.get(status, ("invalid_request_error" if status < 500 else "server_error", None))


def failure(status: int) -> Refused:
    """Return the error that a test asked for, with Retry-After if ``status`` is 429 or 503."""
    if status == 429:
        message = "Rate limit exceeded"
    elif status >= 500:
        message = SERVER_ERROR
    else:
        message = f"The request asked for an error with status {status}"
    headers = {b"Retry-After": (b"1",)} if status in (429, 503) else {}
    return Refused(status, message, code=kind(status)[1], headers=headers)


def answer_headers(tokens: int = 0, seconds: float = 0.0, refused: bool = False) -> HeaderLines:
    """Return the header fields about the rate limit and the processing time.

    ``tokens`` is the usage, ``seconds`` the processing time, and ``refused`` is whether the limit is hit.
    """
    return _FIELDS % (
        *(_REFUSED if refused else _ANSWERED),
        max(1, round(seconds * 1000)),
        max(0, TOKENS - tokens),
        tokens * 60_000 // TOKENS,
    )


def read(request: Request, decoder: msgspec.json.Decoder[T], *, newer: bool = False) -> T:
    """Return the decoded body of ``request``; raise Refused with OpenAI's message and code if it is invalid.

    With ``newer``, errors name an unknown parameter in ``param``; older endpoints do so only in the message.
    """
    try:
        return read_json(request, decoder)
    except Refused as refused:
        from oagw.services.openai.validation_error import translate  # imported late: most requests are valid

        raise translate(refused, request, decoder.type, newer) from None
