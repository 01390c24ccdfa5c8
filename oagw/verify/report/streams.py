"""Rule on streams: the client continued to read after the test cancelled them.

The server sees that the client disconnects, not that it stops reading. So the test must state that it
cancelled its streams. Then a stream that was read to its end was not cancelled by the client, and one that
is requested again was reconnected against the intent of the test.
"""

from collections.abc import AsyncIterator
from itertools import pairwise

from oagw.model.entry import CLIENT_LEFT, COMPLETE, OPEN, Entry
from oagw.model.work import Work
from oagw.verify.reaction import pause, reacts
from oagw.verify.report.finding import Finding, attempt_key, finding, grouped, named

RULE = "stream-read-after-cancel"

# Seconds within which a new request for the same stream is a reconnection.
_RECONNECTION = 10.0


async def stream_read_after_cancel(entries: list[Entry], work: Work) -> AsyncIterator[Finding]:
    """Find streams that were read on or reconnected. Only for tests that cancelled every stream."""
    streams = []
    for entry in entries:
        await work.breathe()
        if is_stream(entry):
            streams.append(entry)
    for entry in streams:
        if entry.ended in (COMPLETE, OPEN) and entry.half_closed is None:
            what = "was read to its end" if entry.ended is COMPLETE else "is still open"
            text = (
                f"The stream {named(entry)} {what} ({entry.sent} bytes) although the test cancelled it: "
                f"the client did not close the connection."
            )
            yield finding(RULE, "error", text, [entry])
    for group in await grouped(streams, attempt_key, work):
        for left, again in pairwise(group):
            gap = pause(again, left)
            if left.ended is CLIENT_LEFT and reacts(again, left) and gap <= _RECONNECTION:
                text = (
                    f"The client closed the stream {named(left)}, and requested it again {gap:.3f} s after "
                    f"the last data: cancelling a stream must also stop its reconnection."
                )
                yield finding(RULE, "error", text, (left, again))


def is_stream(entry: Entry) -> bool:
    """Return whether the response is an event stream."""
    return any("text/event-stream" in value for value in entry.response_headers.get("content-type", ()))
