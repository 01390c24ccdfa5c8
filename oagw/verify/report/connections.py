"""Rule on connections: a new one, though an answer left another that could have been used.

Whether the client has closed that other one, the journal does not tell: that is no use of it either.
"""

from collections.abc import AsyncIterator
from heapq import heappop, heappush

from oagw.model.journal import COMPLETE, Entry
from oagw.model.work import Work
from oagw.verify.reaction import ended
from oagw.verify.report.finding import Finding, alike, finding

# Seconds after which a client may have closed an idle connection, and that it takes to see that it is idle.
_IDLE = 5.0
_SETTLE = 0.002

# Fewer new connections are no habit.
_HABIT = 3


async def connections_not_reused(entries: list[Entry], work: Work) -> AsyncIterator[Finding]:
    """Requests of one client, one after the other, each on a connection of its own.

    A client is who calls from one address with one User-Agent. It is told only if it did so at least three
    times, and more often than it did use a connection again.
    """
    for group in await alike(entries, _client, work):
        over: list[tuple[float, int, int]] = []  # answers: when each is over, its connection and turn
        turns: dict[int, int] = {}  # the latest of each connection
        idle: dict[int, float] = {}  # connections, and since when; the longest idle in front
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
            if _stays(entry):
                heappush(over, (ended(entry), entry.connection, entry.turn))
        if len(fresh) >= _HABIT and len(fresh) > reused:
            text = (
                f"{len(fresh)} of {len(group)} requests came on a new connection, though the answer before "
                "allowed another on the one there was. "
                "The client does not reuse connections: each request pays for a handshake."
            )
            yield finding("connections-not-reused", "warning", text, fresh)


def _client(entry: Entry) -> tuple[str, tuple[str, ...]]:
    return entry.client[0], tuple(entry.call().headers.get("user-agent", ()))


def _stays(entry: Entry) -> bool:
    """Whether the connection stays open after ``entry``."""
    asked, told = entry.call().headers.get("connection", ()), entry.response_headers.get("connection", ())
    closes = any("close" in value.lower() for value in (*asked, *told))
    return entry.ended is COMPLETE and entry.version == b"HTTP/1.1" and not closes
