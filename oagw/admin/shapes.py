"""The types of responses with requests: WireMock's, with additional data in the member ``oagw``.

``verify.serve_event`` creates the responses. These types are only for the OpenAPI document.
"""

from typing import Annotated, Any, TypedDict

from msgspec import Meta

from oagw.model.entry import ANSWERERS, ENDINGS


class TimeBudgetExceeded(TypedDict):
    """The ids of stubs and names of toxics that exceeded the time budget of matching.

    If ``serviceAnsweredInstead``, one of these stubs might have responded, given more time.
    """

    stubs: list[str]
    toxics: list[str]
    serviceAnsweredInstead: bool


class RequestDetails(TypedDict):
    """Data about a request for which WireMock has no members."""

    id: Annotated[str, Meta(description="the id of the request, also of its ServeEvent")]
    connection: Annotated[int, Meta(description="the number of the connection, from 1")]
    turn: Annotated[int, Meta(description="the number of the request on its connection, from 1")]
    alias: Annotated[str | None, Meta(description="the upstream that was called")]
    answeredBy: Annotated[
        str, Meta(description="who answered: `gateway`, `service`, `stub`, `upstream` (a registered one) or "
                  "`fault` (a toxic that ended the answer)", extra_json_schema={"enum": list(ANSWERERS)}),
    ]  # fmt: skip
    stub: Annotated[str | None, Meta(description="the id of the stub that answered")]
    status: Annotated[int | None, Meta(description="the status of the answer; null if none was sent")]
    errorSource: Annotated[str | None, Meta(description="the answer's `X-OAGW-Error-Source`")]
    time: Annotated[
        float, Meta(description="when the head of the request was complete, in seconds since 1970")
    ]
    firstByte: Annotated[float | None, Meta(description="when the first byte of the answer was written")]
    lastByte: Annotated[float | None, Meta(description="when the last byte so far was written")]
    halfClosed: Annotated[
        float | None,
        Meta(description="when the client sent its FIN, if the answer was not over; or null"),
    ]
    bodySize: Annotated[int, Meta(description="bytes of the request's body")]
    rawBodyAsBase64: Annotated[
        str | None, Meta(description="the raw body; null if it equals `bodyAsBase64` or contains a secret"),
    ]  # fmt: skip
    bytesSent: Annotated[int, Meta(description="bytes of the answer's body that were written")]
    eventsSent: Annotated[int, Meta(description="server-sent events that were written")]
    ended: Annotated[
        str, Meta(description="how the answer ended", extra_json_schema={"enum": list(ENDINGS)})
    ]  # fmt: skip
    toxics: Annotated[list[str], Meta(description="the names of the toxics that affected the response")]
    timeBudgetExceeded: Annotated[
        TimeBudgetExceeded | None,
        Meta(
            description="the `stubs` (ids) and `toxics` (names) that count as no match because matching took "
            "too long, ten at most, and `serviceAnsweredInstead`; null if there are none"
        ),
    ]


class RecordedRequest(TypedDict):
    """WireMock's LoggedRequest, with secrets masked."""

    url: str
    absoluteUrl: str
    method: str
    clientIp: str
    headers: dict[str, Any]
    cookies: dict[str, Any]
    loggedDate: int
    loggedDateString: str
    body: str
    bodyAsBase64: str
    protocol: str
    scheme: str
    host: str
    port: int
    queryParams: dict[str, Any]
    formParams: dict[str, Any]
    browserProxyRequest: bool
    oagw: RequestDetails


class ServeEvent(TypedDict):
    """WireMock's ServeEvent: a request and its response. ``oagw`` is a member of ``request``."""

    id: str
    request: RecordedRequest
    responseDefinition: dict[str, Any]
    response: dict[str, Any]
    wasMatched: bool
    timing: dict[str, int]
    subEvents: list[Any]


class RequestTotal(TypedDict):
    """The total number of requests, of which the list may be a part."""

    total: int


class FromJournal(TypedDict):
    """Whether the journal is disabled; all responses that come from it have this member."""

    requestJournalDisabled: bool


class EventList(FromJournal):
    """Requests with their responses, newest first."""

    requests: list[ServeEvent]
    meta: RequestTotal


class RequestList(FromJournal):
    """Requests without their responses."""

    requests: list[RecordedRequest]


class RemovedEvents(TypedDict):
    """The deleted requests."""

    serveEvents: list[ServeEvent]


class RequestCount(FromJournal):
    """The number of matching requests."""

    count: int


class NearMiss(TypedDict):
    """A recorded request, the stub or pattern that it almost matches, and the distance."""

    request: RecordedRequest
    matchResult: dict[str, float]


class NearMissList(TypedDict):
    """Near misses of recorded requests."""

    nearMisses: list[NearMiss]


class Verified(TypedDict):
    """The verification passed; ``requests`` are the ids of the matching requests."""

    verified: bool
    count: int
    requests: list[str]


class MistimedRequest(TypedDict):
    """A request that came ``seconds`` after the response to another one. Both are ids."""

    request: str
    after: str
    seconds: float


class NotVerified(Verified):
    """The verification failed; ``text`` is an assertion message."""

    expected: str
    text: str
    nearMisses: list[NearMiss]
    differences: list[Any]
    tooSoon: list[MistimedRequest]
    tooLate: list[MistimedRequest]
