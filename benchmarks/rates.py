"""Measure requests per second and the 99th percentile of durations: /health, the octocat, a buffered chat."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

import aimock
from keepalive import CONNECTIONS, Rate, measure
from subjects import BARE, FLASK, OURS, Running, Subject
from table import Row, milliseconds, ratio

_CHAT = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hello"}]}


class Ask(NamedTuple):
    """A request to measure, and the smallest ratios to the other servers (0 for no target)."""

    title: str
    what: str
    of_bare: float = 0
    of_flask: float = 0
    of_aimock: float = 0

    def request(self, subject: Subject) -> bytes:
        if self.what == "chat":
            return subject.post("chat", _CHAT)
        return subject.get(self.what)


ASKS = (
    Ask("GET /health", "health", of_bare=1.25),
    Ask("GET the octocat, with token", "octocat", of_bare=1.1, of_flask=6),
    Ask("POST a buffered chat, with token", "chat", of_bare=1, of_aimock=0.8),
)

# Seconds of requests in which Node compiles what is asked for most.
_WARM_UP = 8.0


class Measured(NamedTuple):
    """The results of a server for ``request``: the rate and the CPU time in seconds of each round."""

    server: Running
    request: bytes
    rates: list[Rate]
    cpu: list[float]

    def run(self, seconds: float) -> None:
        before = self.server.cpu()
        self.rates.append(measure(self.server.port, self.request, seconds))
        self.cpu.append(self.server.cpu() - before)

    def per_request(self) -> float:
        """Return the CPU time of the server per request, in seconds."""
        return sum(self.cpu) / sum(rate.requests for rate in self.rates)


def rows(quick: bool) -> Iterator[Row]:
    """Yield three rows for each of ASKS: requests per second, p99, and CPU time per request.

    There are many short rounds in which the servers take turns, so that other load on the machine affects
    all of them alike. The CPU time depends least on that load.
    """
    rounds, seconds = (5, 0.3) if quick else (25, 0.4)
    subjects = [OURS, BARE, FLASK]
    other = aimock.found()
    if isinstance(other, str):
        print(f"aimock takes no part: {other}", file=sys.stderr)
    else:
        subjects.append(other)
    with ExitStack() as stack:
        running = [stack.enter_context(Running(subject)) for subject in subjects]
        for ask in ASKS:
            measured = [
                Measured(server, ask.request(subject), [], [])
                for server, subject in zip(running, subjects, strict=True)
                if subject is not other or ask.of_aimock
            ]
            for one in measured:
                compiles = one.server in running[3:]
                measure(one.server.port, one.request, _WARM_UP if compiles else 0.3)
            for _ in range(rounds):
                for one in measured:
                    one.run(seconds)
            yield from _rows(ask, measured)


def _rows(ask: Ask, measured: list[Measured]) -> Iterator[Row]:
    names = ("bare", "Flask", "aimock")
    rates = [[rate.per_second for rate in one.rates] for one in measured]
    targets = [
        least for least in zip((ask.of_bare, ask.of_flask, ask.of_aimock), names, strict=True) if least[0]
    ]
    of = dict(zip(names, (ratio(rates[0], theirs) for theirs in rates[1:]), strict=False))
    yield _row(
        f"{ask.title}: requests per second",
        [f"{median(one):,.0f}" for one in rates],
        of,
        ", ".join(f"≥ {least} x {name}" for least, name in targets if name in of),
        all(of[name] >= least for least, name in targets if name in of),
    )
    p99 = [[rate.p99 for rate in one.rates] for one in measured]
    yield _row(
        f"{ask.title}: p99, {CONNECTIONS} at a time",
        [milliseconds(median(one)) for one in p99],
        dict(zip(names, (ratio(p99[0], theirs) for theirs in p99[1:]), strict=False)),
    )
    cpu = [one.per_request() for one in measured]
    yield _row(
        f"{ask.title}: CPU time per request",
        [f"{seconds * 1e6:.0f} µs" for seconds in cpu],
        dict(zip(names, (cpu[0] / theirs for theirs in cpu[1:]), strict=False)),
    )


def _row(
    what: str, shown: list[str], ratios: dict[str, float], target: str = "", holds: bool | None = None
) -> Row:
    """A row with what is ``shown`` of our server, the bare site, Flask and perhaps aimock."""
    ours, bare, flask, *others = shown
    text = ", ".join(f"{value:.2f} x {name}" for name, value in ratios.items())
    return Row(what, ours, bare, flask, text, target, holds, aimock="".join(others))
