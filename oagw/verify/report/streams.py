"""Rule on streams: read on after they were cancelled, as far as a server can see that.

It sees that the client left, not that it stopped reading before. So it must be told that the test cancelled
its streams; then a stream that was read to its end was not cancelled, and one that is asked for again at once
was not meant to end.
"""

from collections.abc import AsyncIterator
from itertools import pairwise

from oagw.model.journal import CLIENT_LEFT, COMPLETE, OPEN, Entry
from oagw.model.work import Work
from oagw.verify.reaction import pause, reacts
from oagw.verify.report.finding import Finding, alike, attempt, finding, named

RULE = "stream-read-after-cancel"

# Seconds within which a stream that is asked for again is a reconnection.
_RECONNECTION = 10.0


async def stream_read_after_cancel(entries: list[Entry], work: Work) -> AsyncIterator[Finding]:
    """To be asked where every stream was cancelled before its end."""
    streams = []
    for entry in entries:
        await work.breathe()
        if is_stream(entry):
            streams.append(entry)
    for entry in streams:
        if entry.ended in (COMPLETE, OPEN):
            what = "was read to its end" if entry.ended is COMPLETE else "is still open"
            text = (
                f"The stream {named(entry)} {what} ({entry.sent} bytes) although the test cancelled it: "
                f"the client has not closed the connection."
            )
            yield finding(RULE, "error", text, [entry])
    for group in await alike(streams, attempt, work):
        for left, again in pairwise(group):
            gap = pause(again, left)
            if left.ended is CLIENT_LEFT and reacts(again, left) and gap <= _RECONNECTION:
                text = (
                    f"The client left the stream {named(left)}, and asked for it again {gap:.3f} s after "
                    f"what it had last been sent: what cancels a stream must also stop its reconnection."
                )
                yield finding(RULE, "error", text, (left, again))


def is_stream(entry: Entry) -> bool:
    """Whether the answer is an event stream."""
    return any("text/event-stream" in value for value in entry.response_headers.get("content-type", ()))
