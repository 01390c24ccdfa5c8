"""When what the model says is sent: 50 ms between two pieces, unless the request is steered otherwise."""

from collections.abc import Callable, Iterator

import msgspec

from oagw.model.sse import encode_data
from oagw.model.step import Step, Then
from oagw.services import Env
from oagw.services.openai.directives import Steering
from oagw.services.openai.node import SERVER_ERROR, answer_headers, error
from oagw.web.reply import UPSTREAM, Headers, Reply, json_reply
from oagw.web.stream import EventStream, head

# Seconds between two pieces of a streamed reply.
INTERVAL = 0.05

_STREAM_HEADERS = {b"Content-Type": (b"text/event-stream; charset=utf-8",)}

_ENDS = {"reset": Then.RESET, "cut": Then.TRUNCATE, "hang": Then.HANG}


def _broken(_pieces: int) -> bytes:
    """What most streams say when they break off: an error instead of a chunk."""
    return encode_data(msgspec.json.encode({"error": error(500, SERVER_ERROR)}))


def stream(
    env: Env,
    writes: Iterator[bytes],
    steering: Steering,
    tokens: int = 0,
    broken: Callable[[int], bytes] = _broken,
) -> EventStream:
    """A stream of ``writes``: its opening, its pieces, and its end; headers tell of the ``tokens``.

    ``broken`` gives the event with which it breaks off after so many pieces.
    """
    headers: Headers = {**_STREAM_HEADERS, **answer_headers(tokens)}
    if not steering.timed():
        return env.streams.stream(writes, INTERVAL, headers=headers)
    return env.streams.play(_steps(writes, steering, broken), head(headers))


def buffered(
    env: Env, body: dict[str, object], steering: Steering, pieces: int, tokens: int = 0
) -> Reply | EventStream:
    """``body`` as a Reply, or, where that is steered, at the time when the last of its pieces is said."""
    seconds = (steering.ttft or 0) + (steering.stall or 0)
    if steering.tps is not None:
        seconds += max(0, pieces - 1) / steering.tps
    reply = json_reply(body, source=UPSTREAM, headers=answer_headers(tokens, seconds))
    then = _ENDS.get(steering.ends or "")
    if not seconds and then is None:
        return reply
    length = len(reply.body)
    reply_head = Reply(200, headers={**reply.headers, b"Content-Length": (b"%d" % length,)}, source=UPSTREAM)
    last = Step(seconds, reply.body) if then is None else Step(seconds, reply.body[: length // 2], then)
    return env.streams.play([last], reply_head)


def _steps(writes: Iterator[bytes], steering: Steering, broken: Callable[[int], bytes]) -> Iterator[Step]:
    gap = INTERVAL if steering.tps is None else 1 / steering.tps
    breaks_after = steering.error_after
    if breaks_after is None and steering.ends is not None:
        breaks_after = 1
    stalls_after = 1 if steering.stall_after is None else steering.stall_after
    pause = 0.0
    for said, write in enumerate(writes):  # the opening is no piece
        yield Step(pause, write)
        pause = gap if said or steering.ttft is None else steering.ttft
        if steering.stall is not None and said == stalls_after:
            pause += steering.stall
        if said == breaks_after:
            then = _ENDS.get(steering.ends or "")
            yield Step(pause, broken(said)) if then is None else Step(pause, then=then)
            return
