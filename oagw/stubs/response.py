"""The JSON format of a stub's response: WireMock's response definition with our extensions.

``stubs.answer`` turns it into an Answer.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from oagw.model.problem import CATEGORIES
from oagw.stubs.delay import Distribution, Milliseconds

Status = Annotated[int, msgspec.Meta(ge=200, le=599)]
Fault = Literal[
    "EMPTY_RESPONSE", "MALFORMED_RESPONSE_CHUNK", "RANDOM_DATA_THEN_CLOSE", "CONNECTION_RESET_BY_PEER"
]
if TYPE_CHECKING:
    Category = str
else:
    Category = Literal[tuple(CATEGORIES)]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """The base of the structs in a response definition."""


class Dribble(_Part, frozen=True):
    """Send the body in ``number_of_chunks`` pieces, over ``total_duration`` milliseconds."""

    number_of_chunks: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    total_duration: Milliseconds


class SseEvent(_Part, frozen=True):
    """One server-sent event, sent ``delay_milliseconds`` after the previous one.

    ``data`` is a string, whose lines become ``data`` lines, or another value, which is sent as JSON. ``raw``
    is sent unchanged. ``retry`` is in milliseconds.
    """

    data: Any = UNSET
    event: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    retry: Annotated[int, msgspec.Meta(ge=0, extra={"unit": "milliseconds"})] | UnsetType = UNSET
    comment: str | UnsetType = UNSET
    raw: str | UnsetType = UNSET
    delay_milliseconds: Milliseconds = 0


class Sse(_Part, frozen=True):
    """A stream of events, and how it ends: complete, truncated (FIN), reset (RST), or not at all."""

    events: Annotated[list[SseEvent], msgspec.Meta(max_length=10_000)]
    ends: Literal["complete", "cut", "reset", "hang"] = "complete"


class GatewayProblem(_Part, frozen=True):
    """An error of the gateway; ``retry_after`` is in seconds."""

    category: Category
    detail: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
    context: dict[str, Any] | UnsetType = UNSET
    retry_after: Annotated[int, msgspec.Meta(ge=0, le=86_400, extra={"unit": "seconds"})] | UnsetType = UNSET


class Informational(_Part, frozen=True):
    """An informational (1xx) response, which is sent at once, before the response and its delay."""

    status: Literal[100, 102, 103]
    headers: dict[str, str | list[str]] = {}


class ResponseDefinition(_Part, frozen=True):
    """The response of a stub.

    ``informational`` responses come before it, ``trailers`` after its body, which is then chunked. Clients of
    HTTP/1.0 get neither, but X-OAGW-Warning. With ``proxy_base_url``, the request is forwarded, and
    ``headers`` are added to what comes back.
    """

    status: Status | UnsetType = UNSET
    status_message: str | UnsetType = UNSET
    headers: dict[str, str | list[str]] = {}
    informational: Annotated[list[Informational], msgspec.Meta(max_length=100)] = []
    trailers: dict[str, str | list[str]] = {}
    body: str | UnsetType = UNSET
    json_body: Any = UNSET
    base64_body: str | UnsetType = UNSET
    body_file_name: str | UnsetType = UNSET
    fixed_delay_milliseconds: Milliseconds | UnsetType | None = UNSET
    delay_distribution: Distribution | UnsetType | None = UNSET
    chunked_dribble_delay: Dribble | UnsetType = UNSET
    fault: Fault | UnsetType = UNSET
    transformers: list[Literal["response-template"]] = []
    transformer_parameters: dict[str, Any] = {}
    sse: Sse | list[SseEvent] | UnsetType = UNSET
    error_source: Literal["upstream", "gateway", "none"] | UnsetType = UNSET
    problem: Category | GatewayProblem | UnsetType = UNSET
    proxy_base_url: str | UnsetType = UNSET
    additional_proxy_request_headers: dict[str, str | list[str]] = {}
    remove_proxy_request_headers: list[str] = []
    proxy_url_prefix_to_remove: str | UnsetType = UNSET
