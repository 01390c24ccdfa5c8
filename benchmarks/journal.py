"""What the journal costs: the requests of ``rates`` with it and without, in turns."""

from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from keepalive import measure
from rates import ASKS, Measured
from subjects import OURS, Running
from table import Row, ratio

# The least rate with the journal, in rates without.
_LEAST = 0.9

# Requests until the journal is full, so that each that comes has one to make room.
_FULL = 11_000


def rows(quick: bool) -> Iterator[Row]:
    """Two rows for each of ASKS: requests per second and the processor time of a request."""
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
                # Who goes first changes, as that is worth a little.
                for one in (kept, off) if number % 2 else (off, kept):
                    one.run(seconds)
            rates = [[rate.per_second for rate in one.rates] for one in (kept, off)]
            share = ratio(*rates)
            yield Row(
                f"{ask.title}: requests per second with the journal",
                f"{median(rates[0]):,.0f}",
                ratio=f"{share:.2f} x {median(rates[1]):,.0f} without",
                target=f"≥ {_LEAST} x without",
                holds=share >= _LEAST,
            )
            cpu, without = kept.per_request(), off.per_request()
            yield Row(
                f"{ask.title}: processor time of a request with the journal",
                f"{cpu * 1e6:.0f} µs",
                ratio=f"{cpu / without:.2f} x {without * 1e6:.0f} µs without",
            )
