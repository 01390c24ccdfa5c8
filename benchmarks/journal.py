"""Measure the cost of the journal: the requests of ``rates`` with and without it, alternately."""

from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from keepalive import measure
from rates import ASKS, Measured
from subjects import OURS, Running
from table import Row, ratio

# The smallest rate with the journal, relative to the rate without.
_MIN_SHARE = 0.9

# The number of requests that fill the journal, so that each further request drops one.
_FULL = 11_000


def rows(quick: bool) -> Iterator[Row]:
    """Yield two rows for each of ASKS: requests per second, and CPU time per request."""
    rounds, seconds = (5, 0.3) if quick else (25, 0.4)
    with ExitStack() as stack:
        servers = [stack.enter_context(Running(OURS, options)) for options in ((), ("--journal-count", "0"))]
        filled = 0
        while filled < _FULL:
            filled += measure(servers[0].port, OURS.get("health"), 0.3).requests
        for ask in ASKS:
            kept, off = (Measured(server, ask.request(OURS), [], []) for server in servers)
            for one in (kept, off):
                measure(one.server.port, one.request, 0.3)  # to warm up
            for number in range(rounds):
                # Alternate who goes first, because that is a slight advantage.
                for one in (kept, off) if number % 2 else (off, kept):
                    one.run(seconds)
            rates = [[rate.per_second for rate in one.rates] for one in (kept, off)]
            share = ratio(*rates)
            yield Row(
                f"{ask.title}: requests per second with the journal",
                f"{median(rates[0]):,.0f}",
                ratio=f"{share:.2f} x {median(rates[1]):,.0f} without",
                target=f"≥ {_MIN_SHARE} x without",
                holds=share >= _MIN_SHARE,
            )
            cpu, without = kept.per_request(), off.per_request()
            yield Row(
                f"{ask.title}: CPU time per request with the journal",
                f"{cpu * 1e6:.0f} µs",
                ratio=f"{cpu / without:.2f} x {without * 1e6:.0f} µs without",
            )
