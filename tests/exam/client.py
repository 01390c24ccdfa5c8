"""A client that does everything right, on Twisted: the exam has to pass it.

Its attributes and small methods are what ``faults`` and ``variations`` change.
"""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from twisted.internet.task import deferLater

from tests.exam.connection import Origin, Pool, Response
from tests.exam.delays import asked_delay
from tests.exam.events import Event, EventParser
from tests.exam.failures import (
    ErrorEvent,
    Failed,
    IncompleteStream,
    PageLoop,
    StatusError,
    TooManyRedirects,
    UnexpectedContent,
)
from tests.exam.links import next_link

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
KEY = "idempotency-key"

# The largest body that is read, in bytes, and that of an error.
_MOST = 1 << 22
_MOST_OF_ERROR = 1 << 20

Call = dict[str, Any]
Report = dict[str, Any]


class Request(NamedTuple):
    """A request. ``home`` is the origin that may see the token."""

    method: str
    url: str
    fields: dict[str, str]
    body: bytes | None
    home: Origin
    token: str
    timeout: float


class Text:
    """The text of a stream, as far as it was delivered to the user."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def __str__(self) -> str:
        return "".join(self.pieces)


class Client:
    """Makes calls as the protocol of adapters describes them. Raises nothing: the report has the errors."""

    retried_statuses: frozenset[int] = frozenset({408, 429, 500, 502, 503, 504})
    longest_delay = 10.0
    most_redirects = 5
    makes_get_of = frozenset({303})
    parser = EventParser
    make_pool = Pool
    sends_token = True
    version = "HTTP/1.1"
    keeps_cookie = False  # for other hosts

    def __init__(self, reactor: Any, wall: Callable[[], float]) -> None:
        self.reactor = reactor
        self.wall = wall
        self.pool = self.make_pool(reactor)
        self.not_before: dict[Origin, float] = {}

    async def take(self, call: Call) -> Report:
        """Make a call, and return the report about it."""
        kinds: dict[str, Callable[[Call], Awaitable[Report]]] = {
            "call": self.call,
            "stream": self.stream,
            "pages": self.pages,
        }
        try:
            report = await kinds[call["kind"]](call)
        except Failed as error:
            report = error.report()
            if error.text is not None:
                report["text"] = error.text
        return {"id": call["id"], **report}

    def close(self) -> None:
        """Close all connections."""
        self.pool.close()

    # Kinds of calls.

    async def call(self, call: Call) -> Report:
        value = await self.ask(self.first_request(call), call["retries"], self.read_json)
        return {"outcome": "value", "value": value}

    async def pages(self, call: Call) -> Report:
        items: list[Any] = []
        request: Request | None = self.first_request(call)
        seen: set[str] = set()
        while request is not None:
            if self.is_loop(request.url, seen):
                raise PageLoop("A page leads to one before it")
            seen.add(request.url)
            page, link = await self.ask(request, call["retries"], self.read_page)
            items += page
            request = request._replace(url=self.link_target(request.url, link)) if link else None
        return {"outcome": "value", "value": items}

    async def stream(self, call: Call) -> Report:
        text = Text()

        async def consume(request: Request, response: Response) -> bool:
            return await self.read_stream(request, response, text, call["cancel_after"])

        try:
            cancelled = await self.ask(self.first_request(call), call["retries"], consume, text)
        except Failed as error:
            error.text = str(text)
            raise
        return {"outcome": "text", "text": str(text), **({"cancelled": True} if cancelled else {})}

    def is_loop(self, url: str, seen: set[str]) -> bool:
        return url in seen

    def link_target(self, page: str, link: str) -> str:
        return urljoin(page, link)

    # A request and its repetitions.

    def first_request(self, call: Call) -> Request:
        body = None if call["body"] is None else json.dumps(call["body"]).encode()
        fields = {name.lower(): value for name, value in call["headers"].items()}
        if body is not None:
            fields.setdefault("content-type", "application/json")
        url, timeout = call["url"], call["timeout"]
        return Request(call["method"], url, fields, body, origin_of(url), call["token"], timeout)

    async def ask(
        self,
        request: Request,
        retries: int,
        consume: Callable[[Request, Response], Awaitable[Any]],
        text: Text | None = None,
    ) -> Any:
        """Send ``request``, and again up to ``retries`` times, until ``consume`` accepts the answer."""
        for attempt in count():
            await self.hold_back(request)
            try:
                response = await self.follow(self.attempt_request(request, attempt))
                try:
                    return await consume(request, response)
                finally:
                    response.close()
            except Failed as error:
                repeats = self.may_repeat(request, error) and self.may_repeat_stream(text)
                pause = self.pause(request, error, attempt)
                if not repeats or self.is_last(attempt, retries) or pause is None:
                    raise
            await self.sleep(pause)

    def attempt_request(self, request: Request, attempt: int) -> Request:
        return request

    def is_last(self, attempt: int, retries: int) -> bool:
        return attempt >= retries

    def may_repeat(self, request: Request, error: Failed) -> bool:
        """Return whether a repetition of ``request`` may help, and does no harm."""
        if isinstance(error, StatusError):
            if error.status not in self.retried_statuses:
                return False
            # The server says that it has not done anything.
            return error.status == 429 or self.is_repeatable(request)
        return error.may_repeat and self.is_repeatable(request)

    def is_repeatable(self, request: Request) -> bool:
        return request.method in IDEMPOTENT or KEY in request.fields

    def may_repeat_stream(self, text: Text | None) -> bool:
        return text is None or not text.pieces

    def pause(self, request: Request, error: Failed, attempt: int) -> float | None:
        """Return for how long to pause before the next attempt; None if that would be too long."""
        delay = self.asked_delay(error) if isinstance(error, StatusError) else None
        if delay is None:
            return self.backoff(attempt)
        if delay > self.longest_delay:
            return None
        self.remember_limit(request, self.reactor.seconds() + delay)
        return delay

    def asked_delay(self, error: StatusError) -> float | None:
        return asked_delay(error.fields, self.wall)

    def backoff(self, attempt: int) -> float:
        return 0.1 * 2.0**attempt

    def remember_limit(self, request: Request, until: float) -> None:
        origin = origin_of(request.url)
        self.not_before[origin] = max(until, self.not_before.get(origin, 0.0))

    async def hold_back(self, request: Request) -> None:
        """Wait as long as the server wants no calls."""
        while (wait := self.not_before.get(origin_of(request.url), 0.0) - self.reactor.seconds()) > 0:
            await self.sleep(wait)

    async def sleep(self, seconds: float) -> None:
        await deferLater(self.reactor, seconds)

    # One attempt.

    async def follow(self, request: Request) -> Response:
        """Return a successful response to ``request``, after redirects. Raises StatusError for an error."""
        for _ in range(self.most_redirects + 1):
            response = await self.send(request)
            head = response.head
            location = head.get("location")
            if head.status not in (301, 302, 303, 307, 308) or location is None:
                break
            await self.discard(request, response)
            request = self.redirected(request, head.status, urljoin(request.url, location))
        else:
            raise TooManyRedirects(f"More than {self.most_redirects} redirects")
        if not self.is_success(head.status):
            with suppress(Failed):  # the status says more
                await self.discard(request, response)
            raise StatusError(head.status, head.fields, self.source(response))
        return response

    def is_success(self, status: int) -> bool:
        return 200 <= status < 300

    def source(self, response: Response) -> str | None:
        return response.head.get("x-oagw-error-source")

    async def discard(self, request: Request, response: Response) -> None:
        """Read the rest of a response, so that its connection can be used again."""
        try:
            await response.read(request.timeout, _MOST_OF_ERROR)
        finally:
            response.close()

    def redirected(self, request: Request, status: int, url: str) -> Request:
        request = request._replace(url=url)
        if status in self.makes_get_of and request.method not in ("GET", "HEAD"):
            dropped = ("content-type", KEY)
            fields = {name: value for name, value in request.fields.items() if name not in dropped}
            request = request._replace(method="GET", body=None, fields=fields)
        return request

    async def send(self, request: Request) -> Response:
        """Send a request, and return its response."""
        parts = urlsplit(self.url(request))
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        origin = origin_of(request.url)
        fields = {"host": parts.netloc, "accept-encoding": "gzip", **self.fields(request)}
        is_home = origin == request.home
        if is_home and self.sends_token:
            fields["authorization"] = f"Bearer {request.token}"
        if not is_home and not self.keeps_cookie:
            fields.pop("cookie", None)
        if request.body is not None:
            fields["content-length"] = str(len(request.body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        head = f"{request.method} {target} {self.version}\r\n{lines}\r\n".encode("latin-1")
        return await self.pool.send(origin, head + (request.body or b""), self.head_timeout(request))

    def url(self, request: Request) -> str:
        return request.url

    def fields(self, request: Request) -> dict[str, str]:
        return request.fields

    def head_timeout(self, request: Request) -> float | None:
        return request.timeout

    def body_timeout(self, request: Request) -> float | None:
        return request.timeout

    def stream_timeout(self, request: Request) -> float | None:
        return request.timeout

    # What is in a response.

    async def read_json(self, request: Request, response: Response) -> Any:
        if response.head.status == 204:
            return None
        body = await response.read(self.body_timeout(request), _MOST)
        return self.decode(body)

    def decode(self, body: bytes) -> Any:
        try:
            return json.loads(body.decode(), parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise UnexpectedContent("The body is not JSON") from None

    async def read_page(self, request: Request, response: Response) -> tuple[list[Any], str | None]:
        page = await self.read_json(request, response)
        if not isinstance(page, list):
            raise UnexpectedContent("The page is not a list")
        return page, self.next_link(response)

    def next_link(self, response: Response) -> str | None:
        return next_link(response.head.get("link"))

    async def read_stream(
        self, request: Request, response: Response, text: Text, cancel_after: int | None
    ) -> bool:
        """Add what ``response`` streams to ``text``. Return whether it was cancelled."""
        self.check_stream(response)
        parser = self.parser()
        timeout = self.stream_timeout(request)
        while data := await self.stream_piece(response, timeout):
            for event in parser.feed(data):
                if self.ends_stream(event):
                    return False
                self.add(text, event)
                if cancel_after is not None and len(text.pieces) >= cancel_after:
                    self.cancel(response)
                    return True
        for event in parser.end():
            self.add(text, event)
        self.end_of_stream(text)
        return False

    def check_stream(self, response: Response) -> None:
        type = (response.head.get("content-type") or "").partition(";")[0].strip().lower()
        if response.head.status != 200 or type != "text/event-stream":
            raise UnexpectedContent(f"Not a stream but {response.head.status} {type}")

    async def stream_piece(self, response: Response, timeout: float | None) -> bytes:
        return await response.piece(timeout)

    def ends_stream(self, event: Event) -> bool:
        return event.data == "[DONE]"

    def end_of_stream(self, text: Text) -> None:
        raise IncompleteStream("The stream ended without [DONE]")

    def cancel(self, response: Response) -> None:
        response.close()

    def add(self, text: Text, event: Event) -> None:
        """Add the text of an event, or raise ErrorEvent for an error."""
        if event.type not in ("message", "error"):
            return
        try:
            data = json.loads(event.data)
        except ValueError:
            raise UnexpectedContent("An event is not JSON") from None
        if self.is_error(event, data):
            raise ErrorEvent("The stream contains an error")
        piece = content(data)
        if piece:
            text.pieces.append(piece)

    def is_error(self, event: Event, data: Any) -> bool:
        return event.type == "error" or (isinstance(data, dict) and "error" in data)


def content(data: Any) -> str | None:
    """Return the piece of text in a chunk of a chat completion."""
    try:
        piece = data["choices"][0]["delta"].get("content")
    except (LookupError, TypeError, AttributeError):
        return None
    return piece if isinstance(piece, str) else None


def origin_of(url: str) -> Origin:
    parts = urlsplit(url)
    return Origin(parts.hostname or "", parts.port or 80)


def _refuse(constant: str) -> None:
    raise ValueError(constant)
