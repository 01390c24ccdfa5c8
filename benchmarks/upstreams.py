"""Measure calls to many registered upstreams, compared with a few: each call goes to the next one."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle
from statistics import median

from keepalive import measure
from lab import PROXY, registering
from subjects import OURS, Running
from table import Row, ratio

FEW, MANY = 10, 10_000

# The smallest ratio of the rates.
_LEAST = 0.95

# The built-in service that answers: it costs less than a connection to a real upstream.
_ENDPOINT = {"scheme": "https", "host": "echo.test", "port": 443}


def rows(quick: bool) -> Iterator[Row]:
    """Yield two rows: the rate, and the CPU time. The two servers take turns."""
    rounds, seconds = (7, 0.4) if quick else (25, 0.6)
    with ExitStack() as stack:
        servers = [stack.enter_context(Running(OURS)) for _ in range(2)]
        requests = []
        for server, count in zip(servers, (FEW, MANY), strict=True):
            paths = _register(server.port, count)
            requests.append(cycle([OURS._replace(paths={"it": path}).get("it") for path in paths]))
            measure(server.port, requests[-1], 10.0)  # each upstream is called before
        rates: list[list[float]] = [[], []]
        cpu: list[list[float]] = [[], []]
        for _ in range(rounds):
            for server, asked, found, costs in zip(servers, requests, rates, cpu, strict=True):
                before = server.cpu()
                rate = measure(server.port, asked, seconds)
                found.append(rate.per_second)
                costs.append((server.cpu() - before) / rate.requests)
    share = ratio(rates[1], rates[0])
    yield Row(
        f"calls to {MANY:,} upstreams in turn: requests per second",
        f"{median(rates[1]):,.0f}",
        ratio=f"{share:.2f} x {median(rates[0]):,.0f} with {FEW}",
        target=f"≥ {_LEAST} x with {FEW}",
        holds=share >= _LEAST,
    )
    few, many = (sum(costs) / len(costs) for costs in cpu)
    yield Row(
        f"calls to {MANY:,} upstreams in turn: CPU time per request",
        f"{many * 1e6:.0f} µs",
        ratio=f"{many / few:.2f} x {few * 1e6:.0f} µs with {FEW}",
    )


def _register(port: int, count: int) -> list[str]:
    """Register ``count`` upstreams with one route each; return the path to call for each."""
    with registering(port) as register:
        # The alias follows from host and port.
        aliases = [register({**_ENDPOINT, "port": 1024 + number}) for number in range(count)]
    return [f"{PROXY}/{alias}/" for alias in aliases]
