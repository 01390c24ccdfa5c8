"""Turn the Answer of a stub into a response, with its delay, chunks or fault."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.web.http import NO_BODY_CODES
from twisted.web.server import Request

from oagw.model.ending import Ending
from oagw.stubs.answer import Answer
from oagw.timing.ticker import Ticker
from oagw.web.deliver import Answer as AnyAnswer
from oagw.web.reply import Reply, problem_reply
from oagw.web.request import GatewayRequest
from oagw.web.stream import Chunk, Stream, Streams

# Neither a valid response nor a valid chunk.
_GARBAGE = Chunk(0, b"lskdu018973t09sylgasjkfg1][]'./.sdlv", 0, Ending.TRUNCATE, raw=True)


def to_reply(
    answer: Answer, request: Request, streams: Streams, forward: Callable[[Answer], AnyAnswer]
) -> AnyAnswer:
    """Return the response to ``request`` for ``answer``. Its 1xx responses are sent now.

    ``forward`` returns that of an answer that is ``proxied``.
    """
    if answer.informational or answer.trailers:
        answer = _send_extras(answer, request)
    reply = _undelayed(answer, request, streams) if answer.proxied is None else forward(answer)
    return _later(reply, answer.delay, request, streams.ticker) if answer.delay else reply


def _later(reply: AnyAnswer, seconds: float, request: Request, ticker: Ticker) -> "Deferred[Any]":
    """Return a Deferred of ``reply`` that fires after ``seconds``. It is cancelled if the client leaves."""
    waiting = ticker.later(seconds)
    request.notifyFinish().addErrback(lambda _: waiting.cancel())
    return waiting.addCallbacks(lambda _: reply, lambda failure: failure.trap(CancelledError))


def _send_extras(answer: Answer, request: Request) -> Answer:
    """Send the 1xx responses of ``answer``, and set its trailers. If that is impossible, add a warning."""
    if isinstance(request, GatewayRequest) and request.clientproto == b"HTTP/1.1":
        for status, fields in answer.informational:
            request.informational(status, dict(_grouped(fields)))
        if answer.trailers:
            request.trailers(dict(_grouped(answer.trailers)))
        return answer
    headers = tuple((name, value) for name, value in answer.headers if name.lower() != "trailer")
    named = {"1xx responses": answer.informational, "trailers": answer.trailers}
    lost = " and ".join(name for name, value in named.items() if value)
    warning = ("X-OAGW-Warning", f"The {lost} of the stub were left out: only HTTP/1.1 has them")
    return answer._replace(headers=(*headers, warning))


def _undelayed(answer: Answer, request: Request, streams: Streams) -> Reply | Stream:
    head = _head(answer, request)
    if answer.fault == "EMPTY_RESPONSE":
        return streams.play([Chunk(0, ending=Ending.TRUNCATE)], None)
    if answer.fault == "CONNECTION_RESET_BY_PEER":
        return streams.play([Chunk(0, ending=Ending.RESET)], None)
    if answer.fault == "RANDOM_DATA_THEN_CLOSE":
        return streams.play([_GARBAGE], None)
    if answer.fault == "MALFORMED_RESPONSE_CHUNK":
        return streams.play([_GARBAGE], head)
    if answer.events is not None:
        fields = {b"Content-Type": (b"text/event-stream",), b"Cache-Control": (b"no-cache",), **head.headers}
        chunks = [Chunk(event.pause, event.data) for event in answer.events]
        chunks.append(Chunk(0, ending=answer.ending))
        return streams.play(chunks, _without_length(head._replace(body=b"", headers=fields)))
    if answer.pieces is not None and head.status not in NO_BODY_CODES:
        if answer.pieces[0] > 1 and _has_wrong_length(head):
            return streams.play(_dribble(head.body, *answer.pieces, Ending.TRUNCATE), head)
        if isinstance(request, GatewayRequest):
            head = request.coded(head)
        return streams.play(_dribble(head.body, *answer.pieces), _without_length(head))
    return _with_length(head, streams)


def _with_length(reply: Reply, streams: Streams) -> Reply | Stream:
    """Return ``reply``; if its own Content-Length is wrong, the connection is closed after the body."""
    if not _has_wrong_length(reply):
        return reply
    return streams.play([Chunk(0, reply.body, ending=Ending.TRUNCATE)], reply)


def _has_wrong_length(reply: Reply) -> bool:
    """Return whether ``reply`` has its own Content-Length, which is not that of its body."""
    length = (b"%d" % len(reply.body),)
    return reply.headers.get(b"Content-Length", length) != length


def _without_length(head: Reply) -> Reply:
    """Return ``head`` without Content-Length. The body is sent over time, and may end early."""
    return head._replace(headers={n: v for n, v in head.headers.items() if n != b"Content-Length"})


def _head(answer: Answer, request: Request) -> Reply:
    fields: dict[bytes, tuple[bytes, ...]] = {}
    body = answer.body
    if answer.problem is not None:
        reply = problem_reply(answer.problem, request, scripted=True)
        fields.update(reply.headers)
        body = reply.body
    for name, values in _grouped(answer.headers):
        fields[name] = values
        if name == b"Connection" and b"close" in (value.lower() for value in values):
            request.channel.persistent = False
    source = b"" if answer.source == "none" else (answer.source or "").encode()
    return Reply(answer.status, body, fields, source, answer.phrase.encode("latin-1"))


def _grouped(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
    """Group the values of fields by name, in any case."""
    groups: dict[str, list[str]] = {}
    for name, value in headers:
        groups.setdefault(name.title(), []).append(value)
    return ((name.encode(), tuple(value.encode() for value in values)) for name, values in groups.items())


def _dribble(body: bytes, count: int, seconds: float, ending: Ending = Ending.COMPLETE) -> Iterator[Chunk]:
    """Yield ``body`` in ``count`` pieces, each followed by its share of ``seconds``."""
    size = -(-len(body) // count) or 1
    pause = 0.0
    for start in range(0, len(body), size):
        yield Chunk(pause, body[start : start + size])
        pause = seconds / count
    yield Chunk(pause, ending=ending)
