"""A stub's Answer as what goes over the wire: the edge that waits and writes what a matcher decided."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from twisted.web.http import NO_BODY_CODES
from twisted.web.server import Request

from oagw.model.step import Step, Then
from oagw.stubs.answer import Answer
from oagw.web.deliver import Delayed
from oagw.web.reply import Reply, problem_reply
from oagw.web.stream import EventStream, Streams

# What is no response, and no chunk either.
_GARBAGE = b"lskdu018973t09sylgasjkfg1][]'./.sdlv"

_ENDS = {"complete": Then.CLOSE, "cut": Then.TRUNCATE, "reset": Then.RESET, "hang": Then.HANG}


def played(answer: Answer, request: Request, streams: Streams) -> Reply | EventStream | Delayed:
    """``answer`` to ``request``, ready to be delivered."""
    ready = _sent(answer, request, streams)
    return Delayed(ready, answer.delay, streams) if answer.delay else ready


def _sent(answer: Answer, request: Request, streams: Streams) -> Reply | EventStream:
    head = _head(answer, request)
    if answer.fault == "EMPTY_RESPONSE":
        return streams.play([Step(0, then=Then.TRUNCATE)], None)
    if answer.fault == "CONNECTION_RESET_BY_PEER":
        return streams.play([Step(0, then=Then.RESET)], None)
    if answer.fault == "RANDOM_DATA_THEN_CLOSE":
        return streams.play([Step(0, _GARBAGE, Then.TRUNCATE, raw=True)], None)
    if answer.fault == "MALFORMED_RESPONSE_CHUNK":
        return streams.play([Step(0, _GARBAGE, Then.TRUNCATE, raw=True)], head)
    if answer.frames is not None:
        fields = {b"Content-Type": (b"text/event-stream",), b"Cache-Control": (b"no-cache",), **head.headers}
        steps = [Step(frame.pause, frame.data) for frame in answer.frames]
        steps.append(Step(0, then=_ENDS[answer.ends]))
        return streams.play(steps, _unmeasured(replace(head, body=b"", headers=fields)))
    if answer.pieces is not None and head.status not in NO_BODY_CODES:
        return streams.play(_dribbled(head.body, *answer.pieces), _unmeasured(head))
    return _framed(head, streams)


def _framed(reply: Reply, streams: Streams) -> Reply | EventStream:
    """``reply`` with the length that its own field says; if that is wrong, the connection is closed."""
    if reply.headers.get(b"Content-Length", (length := b"%d" % len(reply.body),)) == (length,):
        return reply
    return streams.play([Step(0, reply.body, Then.TRUNCATE)], reply)


def _unmeasured(head: Reply) -> Reply:
    """``head`` of what comes over time, whose end is ours to say."""
    return replace(head, headers={n: v for n, v in head.headers.items() if n != b"Content-Length"})


def _head(answer: Answer, request: Request) -> Reply:
    fields: dict[bytes, tuple[bytes, ...]] = {}
    body = answer.body
    if answer.problem is not None:
        reply = problem_reply(answer.problem, request)
        fields.update(reply.headers)
        body = reply.body
    for name, values in _grouped(answer.headers):
        fields[name] = values
        if name == b"Connection" and b"close" in (value.lower() for value in values):
            request.channel.persistent = False
    source = b"" if answer.source == "none" else (answer.source or "").encode()
    return Reply(answer.status, body, fields, source, answer.phrase.encode("latin-1"))


def _grouped(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
    """The values of each field, whatever the case of its name."""
    groups: dict[str, list[str]] = {}
    for name, value in headers:
        groups.setdefault(name.title(), []).append(value)
    return ((name.encode(), tuple(value.encode() for value in values)) for name, values in groups.items())


def _dribbled(body: bytes, count: int, seconds: float) -> Iterator[Step]:
    """``body`` in ``count`` pieces, each followed by its share of ``seconds``."""
    size = -(-len(body) // count) or 1
    pause = 0.0
    for start in range(0, len(body), size):
        yield Step(pause, body[start : start + size])
        pause = seconds / count
    yield Step(pause, then=Then.CLOSE)
