"""The shapes of answers that show requests: WireMock's, and in their member ``oagw`` what it has no word for.

``verify.serve_event`` makes them. These types are for the description alone.
"""

from typing import Annotated, Any, TypedDict

from msgspec import Meta

from oagw.model.journal import ANSWERERS, ENDINGS


class Ours(TypedDict):
    """What the gateway knows of a request besides what WireMock has members for."""

    id: Annotated[str, Meta(description="the id of the request, also of its ServeEvent")]
    connection: Annotated[int, Meta(description="the number of the connection, from 1")]
    turn: Annotated[int, Meta(description="the number of the request on its connection, from 1")]
    alias: Annotated[str | None, Meta(description="the upstream that was called")]
    answeredBy: Annotated[
        str, Meta(description="who answered: `gateway`, `service`, `stub` or `fault` (a toxic that ended the "
                  "answer)", extra_json_schema={"enum": list(ANSWERERS)}),
    ]  # fmt: skip
    stub: Annotated[str | None, Meta(description="the id of the stub that answered")]
    status: Annotated[int | None, Meta(description="the status of the answer; null if none was sent")]
    errorSource: Annotated[str | None, Meta(description="the answer's `X-OAGW-Error-Source`")]
    time: Annotated[float, Meta(description="when the head of the request was there, in seconds since 1970")]
    firstByte: Annotated[float | None, Meta(description="when the first byte of the answer was written")]
    lastByte: Annotated[float | None, Meta(description="when the last byte so far was written")]
    bodySize: Annotated[int, Meta(description="bytes of the request's body")]
    rawBodyAsBase64: Annotated[
        str | None, Meta(description="the body as it came over the wire; null where `bodyAsBase64` has the "
                         "same bytes, or it has a secret"),
    ]  # fmt: skip
    bytesSent: Annotated[int, Meta(description="bytes of the answer's body that were written")]
    eventsSent: Annotated[int, Meta(description="server-sent events that were written")]
    ended: Annotated[
        str, Meta(description="how the answer ended", extra_json_schema={"enum": list(ENDINGS)})
    ]  # fmt: skip
    toxics: Annotated[list[str], Meta(description="the names of the toxics that had a part in the answer")]


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
    oagw: Ours


class ServeEvent(TypedDict):
    """WireMock's ServeEvent: a request and what became of it. ``oagw`` is a member of ``request``."""

    id: str
    request: RecordedRequest
    responseDefinition: dict[str, Any]
    response: dict[str, Any]
    wasMatched: bool
    timing: dict[str, int]
    subEvents: list[Any]


class RequestTotal(TypedDict):
    """Of how many requests a list is a part."""

    total: int


class EventList(TypedDict):
    """Requests with their answers, the newest first."""

    requests: list[ServeEvent]
    meta: RequestTotal
    requestJournalDisabled: bool


class RequestList(TypedDict):
    """Requests alone."""

    requests: list[RecordedRequest]
    requestJournalDisabled: bool


class RemovedEvents(TypedDict):
    """What was removed."""

    serveEvents: list[ServeEvent]


class RequestCount(TypedDict):
    """How many requests match."""

    count: int
    requestJournalDisabled: bool


class NearMiss(TypedDict):
    """A recorded request, the stub or pattern that it is near to, and how near."""

    request: RecordedRequest
    matchResult: dict[str, float]


class NearMissList(TypedDict):
    """Near misses of recorded requests."""

    nearMisses: list[NearMiss]


class Verified(TypedDict):
    """The client did what was expected; ``requests`` are the ids of those that count."""

    verified: bool
    count: int
    requests: list[str]


class MistimedRequest(TypedDict):
    """A request that came so many ``seconds`` after the answer to another: both are ids."""

    request: str
    after: str
    seconds: float


class NotVerified(Verified):
    """It did not: ``text`` says why, as an assertion does."""

    expected: str
    text: str
    nearMisses: list[NearMiss]
    differences: list[Any]
    tooSoon: list[MistimedRequest]
    tooLate: list[MistimedRequest]
