"""Measure requests per second and the 99th percentile of durations: /health, the octocat, a buffered chat."""

from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from keepalive import CONNECTIONS, Rate, measure
from subjects import BARE, FLASK, OURS, Running, Subject
from table import Row, milliseconds, ratio

_CHAT = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hello"}]}


class Ask(NamedTuple):
    """A request to measure, and the smallest ratios to the bare site and to Flask (0 for no target)."""

    title: str
    what: str
    of_bare: float
    of_flask: float

    def request(self, subject: Subject) -> bytes:
        if self.what == "chat":
            return subject.post("chat", _CHAT)
        return subject.get(self.what)


ASKS = (
    Ask("GET /health", "health", 0.75, 0),
    Ask("GET the octocat, with token", "octocat", 0.5, 6),
    Ask("POST a buffered chat, with token", "chat", 0.45, 0),
)


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
    subjects = (OURS, BARE, FLASK)
    with ExitStack() as stack:
        running = [stack.enter_context(Running(subject)) for subject in subjects]
        for ask in ASKS:
            measured = [
                Measured(server, ask.request(subject), [], [])
                for server, subject in zip(running, subjects, strict=True)
            ]
            for one in measured:
                measure(one.server.port, one.request, 0.3)  # to warm up
            for _ in range(rounds):
                for one in measured:
                    one.run(seconds)
            yield from _rows(ask, measured)


def _rows(ask: Ask, measured: list[Measured]) -> Iterator[Row]:
    ours, bare, flask = ([rate.per_second for rate in one.rates] for one in measured)
    of_bare, of_flask = ratio(ours, bare), ratio(ours, flask)
    target = f"≥ {ask.of_bare} x bare" + (f", ≥ {ask.of_flask} x Flask" if ask.of_flask else "")
    yield Row(
        f"{ask.title}: requests per second",
        *(f"{median(rates):,.0f}" for rates in (ours, bare, flask)),
        f"{of_bare:.2f} x bare, {of_flask:.1f} x Flask",
        target,
        of_bare >= ask.of_bare and of_flask >= ask.of_flask,
    )
    ours, bare, flask = ([rate.p99 for rate in one.rates] for one in measured)
    yield Row(
        f"{ask.title}: p99, {CONNECTIONS} at a time",
        *(milliseconds(median(times)) for times in (ours, bare, flask)),
        f"{ratio(ours, bare):.2f} x bare, {ratio(ours, flask):.2f} x Flask",
    )
    cpu = [one.per_request() for one in measured]
    yield Row(
        f"{ask.title}: CPU time per request",
        *(f"{seconds * 1e6:.0f} µs" for seconds in cpu),
        f"{cpu[0] / cpu[1]:.2f} x bare, {cpu[0] / cpu[2]:.2f} x Flask",
    )
