"""Rule on connections: a new one, while another was idle that could have been used."""

from collections.abc import Iterator
from itertools import islice

from oagw.control.report.finding import Finding, alike, ended, finding
from oagw.model.journal import COMPLETE, Entry

# Seconds after which a client may have closed an idle connection, and that it takes to see that it is idle.
_IDLE = 5.0
_SETTLE = 0.002

# Fewer new connections are no habit.
_HABIT = 3


def connections_not_reused(entries: list[Entry]) -> Iterator[Finding]:
    """Requests of one client, one after the other, each on a connection of its own.

    A client is who calls from one address with one User-Agent. It is told only if it did so at least three
    times, and more often than it did use a connection again.
    """
    for group in alike(entries, _client):
        idle: dict[int, Entry] = {}  # the last of each connection that may be
        fresh: list[Entry] = []
        reused = 0
        for entry in group:
            if entry.turn > 1:
                reused += 1
            elif any(_is_idle(one, entry.time) for one in idle.values()):
                fresh.append(entry)
            idle.pop(entry.connection, None)
            if _stays(entry):
                idle[entry.connection] = entry
            for number in tuple(islice(idle, 2)):  # the oldest are in front
                if entry.time - ended(idle[number]) > _IDLE:
                    del idle[number]
        if len(fresh) >= _HABIT and len(fresh) > reused:
            text = (
                f"{len(fresh)} of {len(group)} requests came on a new connection while an earlier one was "
                f"idle and open. The client does not reuse connections: each request pays for a handshake."
            )
            yield finding("connections-not-reused", "warning", text, fresh)


def _client(entry: Entry) -> tuple[str, tuple[str, ...]]:
    return entry.client[0], tuple(entry.call().headers.get("user-agent", ()))


def _is_idle(entry: Entry, now: float) -> bool:
    """Whether the connection whose last answer was that to ``entry`` waits for more at ``now``."""
    return _SETTLE <= now - ended(entry) <= _IDLE


def _stays(entry: Entry) -> bool:
    """Whether the connection stays open after ``entry``."""
    asked, told = entry.call().headers.get("connection", ()), entry.response_headers.get("connection", ())
    closes = any("close" in value.lower() for value in (*asked, *told))
    return entry.ended is COMPLETE and entry.version == b"HTTP/1.1" and not closes
