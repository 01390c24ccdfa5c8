"""Rule on connections: the client opened a new one although another was idle.

The journal does not show whether the client had closed the other one. That would not be reuse either.
"""

from collections.abc import AsyncIterator
from heapq import heappop, heappush

from oagw.model.entry import COMPLETE, Entry
from oagw.model.work import Work
from oagw.verify.reaction import ended
from oagw.verify.report.finding import Finding, finding, grouped

# Seconds after which a client may close an idle connection, and after which it must know that it is idle.
_IDLE = 5.0
_SETTLE = 0.002

# The smallest number of unnecessary connections that is reported.
_HABIT = 3


async def connections_not_reused(entries: list[Entry], work: Work) -> AsyncIterator[Finding]:
    """Find clients that send consecutive requests, each on a new connection.

    A client is identified by its address and User-Agent. It is reported only if it did so at least three
    times, and more often than it reused a connection.
    """
    for group in await grouped(entries, _client, work):
        over: list[tuple[float, int, int]] = []  # a heap of responses: end, connection, turn
        turns: dict[int, int] = {}  # the latest turn of each connection
        idle: dict[int, float] = {}  # connections, and since when they are idle, the longest first
        fresh: list[Entry] = []
        reused = 0
        for entry in group:
            await work.breathe()
            while over and over[0][0] <= entry.time - _SETTLE:
                since, connection, turn = heappop(over)
                if turns[connection] == turn:
                    idle[connection] = since
            while idle and entry.time - next(iter(idle.values())) > _IDLE:
                del idle[next(iter(idle))]
            if entry.turn > 1:
                reused += 1
            elif idle:
                fresh.append(entry)
            idle.pop(entry.connection, None)
            turns[entry.connection] = entry.turn
            if _keeps_open(entry):
                heappush(over, (ended(entry), entry.connection, entry.turn))
        if len(fresh) >= _HABIT and len(fresh) > reused:
            text = (
                f"{len(fresh)} of {len(group)} requests came on a new connection, although an existing "
                "connection was idle. "
                "The client does not reuse connections: each request pays for a handshake."
            )
            yield finding("connections-not-reused", "warning", text, fresh)


def _client(entry: Entry) -> tuple[str, tuple[str, ...]]:
    return entry.client[0], tuple(entry.call().headers.get("user-agent", ()))


def _keeps_open(entry: Entry) -> bool:
    """Return whether the connection stays open after ``entry``."""
    sent, received = entry.call().headers.get("connection", ()), entry.response_headers.get("connection", ())
    closes = any("close" in value.lower() for value in (*sent, *received))
    return entry.ended is COMPLETE and entry.version == b"HTTP/1.1" and not closes
