"""What all URLs of the OpenAI API have in common: how they read, how they say no, and their headers."""

from typing import TypeAlias

import msgspec
from twisted.web.server import Request

from oagw.services import UpstreamNode
from oagw.web.body import T, read_json
from oagw.web.reply import UPSTREAM, Headers, Reply, json_reply
from oagw.web.resource import Refused

# The limits of a made-up account; nothing is ever subtracted from them but the request itself.
REQUESTS = 10_000
TOKENS = 2_000_000

# The header fields that are the same in all answers, once: they stay as long as a stream.
_ANSWERED = {
    b"x-ratelimit-limit-requests": (b"%d" % REQUESTS,),
    b"x-ratelimit-limit-tokens": (b"%d" % TOKENS,),
    b"x-ratelimit-remaining-requests": (b"%d" % (REQUESTS - 1),),
    b"x-ratelimit-reset-requests": (b"6ms",),
}
_REFUSED = _ANSWERED | {b"x-ratelimit-remaining-requests": (b"0",), b"x-ratelimit-reset-requests": (b"1s",)}

# The type of a parameter that the API has and the mock does not: it may be absent or null.
Unsupported: TypeAlias = None

SERVER_ERROR = "The server had an error while processing your request"

# Type and code of an error by its status; what is not listed is in _kind.
_KINDS = {
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("request_forbidden", "unsupported_country_region_territory"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
    500: ("server_error", None),
    503: ("server_error", "service_unavailable"),
}


class OpenAINode(UpstreamNode):
    """A URL of the OpenAI API; says no with ``{"error": {"message", "type", "param", "code"}}``."""

    def refusal(self, request: Request, refused: Refused) -> Reply:
        body = {"error": error(refused.status, refused.message, refused.field, refused.code)}
        headers = {**answer_headers(refused=refused.status == 429), **refused.headers}
        return json_reply(body, refused.status, source=UPSTREAM, headers=headers)


def error(
    status: int, message: str, param: str | None = None, code: str | None = None
) -> dict[str, str | None]:
    """The error object for ``status``."""
    return {"message": message, "type": kind(status)[0], "param": param, "code": code}


def kind(status: int) -> tuple[str, str | None]:
    """Type and usual code of the errors with ``status``."""
    return _KINDS.get(status, ("invalid_request_error" if status < 500 else "server_error", None))


def failure(status: int) -> Refused:
    """The error with ``status`` as the model would make it; 429 and 503 say when to come again."""
    if status == 429:
        message = "Rate limit exceeded"
    elif status >= 500:
        message = SERVER_ERROR
    else:
        message = f"The request was refused with status {status}, as it asked"
    headers = {b"Retry-After": (b"1",)} if status in (429, 503) else {}
    return Refused(status, message, code=kind(status)[1], headers=headers)


def answer_headers(tokens: int = 0, seconds: float = 0.0, refused: bool = False) -> Headers:
    """What clients read beside the body: the ``tokens`` used, and the ``seconds`` it took."""
    return {
        **(_REFUSED if refused else _ANSWERED),
        b"openai-processing-ms": (b"%d" % max(1, round(seconds * 1000)),),
        b"x-ratelimit-remaining-tokens": (b"%d" % max(0, TOKENS - tokens),),
        b"x-ratelimit-reset-tokens": (b"%dms" % (tokens * 60_000 // TOKENS),),
    }


def read(request: Request, decoder: msgspec.json.Decoder[T], *, newer: bool = False) -> T:
    """The body of ``request``; what does not fit is Refused with OpenAI's words and code.

    The ``newer`` of its endpoints name an unknown parameter in ``param``, the older ones only in the message.
    """
    try:
        return read_json(request, decoder)
    except Refused as refused:
        from oagw.services.openai.validation_error import worded  # here, because most requests fit

        raise worded(refused, request, decoder.type, newer) from None
