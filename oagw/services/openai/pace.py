"""The pace of responses: 50 ms between two pieces, unless directives of the request change it."""

from collections.abc import Callable, Iterator

import msgspec

from oagw.model import sse
from oagw.model.ending import ENDINGS_BY_NAME
from oagw.model.sse import encode_data
from oagw.services import Env
from oagw.services.openai.directives import Directives
from oagw.services.openai.node import SERVER_ERROR, answer_headers, error
from oagw.web.reply import UPSTREAM, Reply, json_reply, prepared
from oagw.web.stream import Chunk, Stream, head

# Seconds between two pieces of a streamed reply.
INTERVAL = 0.05

_STREAM_HEADERS = prepared({b"Content-Type": (b"text/event-stream; charset=utf-8",)})


def _broken(_pieces: int) -> bytes:
    """Return the error event with which most streams fail."""
    return encode_data(msgspec.json.encode({"error": error(500, SERVER_ERROR)}))


def stream(
    env: Env,
    writes: Iterator[bytes],
    directives: Directives,
    tokens: int = 0,
    broken: Callable[[int], bytes] = _broken,
) -> Stream:
    """Return a stream of ``writes``: an opening, the pieces, and the end.

    ``tokens`` is the usage for the rate limit headers. ``broken`` returns the event with which the stream
    fails, given the number of pieces before it.
    """
    headers = _STREAM_HEADERS + answer_headers(tokens)
    if not directives.timed():
        return env.streams.stream(writes, INTERVAL, headers=headers)
    return env.streams.play(_timed(writes, directives, broken), head(headers))


def buffered(
    env: Env, body: dict[str, object], directives: Directives, pieces: int, tokens: int = 0
) -> Reply | Stream:
    """Return a reply with ``body``. With directives about pace, it is sent when its last token would be."""
    seconds = (directives.ttft or 0) + (directives.stall or 0)
    if directives.tps is not None:
        seconds += max(0, pieces - 1) / directives.tps
    reply = json_reply(body, source=UPSTREAM, headers=answer_headers(tokens, seconds))
    ending = ENDINGS_BY_NAME.get(directives.ends or "")
    if not seconds and ending is None:
        return reply
    length = len(reply.body)
    reply_head = Reply(200, headers={**reply.headers, b"Content-Length": (b"%d" % length,)}, source=UPSTREAM)
    if ending is None:
        return env.streams.play([Chunk(seconds, reply.body, 0)], reply_head)
    return env.streams.play([Chunk(seconds, reply.body[: length // 2], 0, ending)], reply_head)


def _timed(
    writes: Iterator[bytes], directives: Directives, broken: Callable[[int], bytes]
) -> Iterator[Chunk]:
    gap = INTERVAL if directives.tps is None else 1 / directives.tps
    breaks_after = directives.error_after
    if breaks_after is None and directives.ends is not None:
        breaks_after = 1
    stalls_after = 1 if directives.stall_after is None else directives.stall_after
    pause = 0.0
    for count, write in enumerate(writes):  # write 0 is the opening
        yield Chunk(pause, write, sse.count(write))
        pause = gap if count or directives.ttft is None else directives.ttft
        if directives.stall is not None and count == stalls_after:
            pause += directives.stall
        if count == breaks_after:
            ending = ENDINGS_BY_NAME.get(directives.ends or "")
            yield Chunk(pause, broken(count), 1) if ending is None else Chunk(pause, ending=ending)
            return
