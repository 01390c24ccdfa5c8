"""Measure forwarded calls beside other proxies: requests per second, and the latency at a steady rate."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from statistics import median, quantiles

import lab
import open_loop
from keepalive import CONNECTIONS, measure
from rates import Measured
from subjects import OURS, Running, Subject
from table import Row, milliseconds, ratio

# The smallest ratios to the rates of the other proxies.
_LEAST = {"mitmproxy": 2.0, "WireMock": 2.0, "proxy_pass": 0.0, "nginx": 0.0}

# Calls a second, on this number of connections, and the largest latency that we may add, in seconds.
_STEADY, _CONNECTIONS = 500, 32
_MOST_ADDED = 0.0015

# Seconds of requests for warming up; Java compiles its hot code.
_WARM_UP = {"WireMock": 8.0}


def rows(quick: bool) -> Iterator[Row]:
    """Yield three rows for the rate, and one for the latency. The servers take turns."""
    program = lab.nginx()
    if isinstance(program, str):
        yield Row("forwarded calls", f"not measured: {program}")
        return
    with ExitStack() as stack:
        upstream, direct = stack.enter_context(lab.upstream(program))
        servers: list[tuple[Running, Subject]] = [
            stack.enter_context(lab.ours(upstream.port)),
            stack.enter_context(lab.proxy_pass(program, upstream.port)),
            (upstream, direct),
            *lab.others(stack, upstream.port),
        ]
        measured = {
            subject.name: Measured(server, subject.get("small"), [], []) for server, subject in servers
        }
        for name, one in measured.items():
            measure(one.server.port, one.request, _WARM_UP.get(name, 1.0))
        rounds, seconds = (5, 0.3) if quick else (25, 0.4)
        for _ in range(rounds):
            for one in measured.values():
                one.run(seconds)
        yield from _rates(measured)
        yield _latency([measured[name] for name in ("ours", "proxy_pass", "nginx")], quick)


def _rates(measured: dict[str, Measured]) -> Iterator[Row]:
    rates = {name: [rate.per_second for rate in one.rates] for name, one in measured.items()}
    of = {name: ratio(rates[OURS.name], them) for name, them in rates.items() if name != OURS.name}
    targets = {name: least for name, least in _LEAST.items() if least and name in of}
    yield _row(
        "GET a small file, forwarded: requests per second",
        {name: f"{median(them):,.0f}" for name, them in rates.items()},
        of,
        ", ".join(f"≥ {least:g} x {name}" for name, least in targets.items()),
        all(of[name] >= least for name, least in targets.items()) if targets else None,
    )
    p99 = {name: [rate.p99 for rate in one.rates] for name, one in measured.items()}
    yield _row(
        f"GET a small file, forwarded: p99, {CONNECTIONS} at a time",
        {name: milliseconds(median(them)) for name, them in p99.items()},
        {name: ratio(p99[OURS.name], p99[name]) for name in of},
    )
    cpu = {name: one.per_request() for name, one in measured.items()}
    yield _row(
        "GET a small file, forwarded: CPU time per request",
        {name: f"{seconds * 1e6:.0f} µs" for name, seconds in cpu.items()},
        {name: cpu[OURS.name] / cpu[name] for name in of},
    )


def _latency(measured: Sequence[Measured], quick: bool) -> Row:
    rounds, seconds = (3, 1.0) if quick else (9, 3.0)
    found: list[list[list[float]]] = [[] for _ in measured]
    for _ in range(rounds):
        for one, percentiles in zip(measured, found, strict=True):
            durations = open_loop.measure(one.server.port, one.request, _STEADY, _CONNECTIONS, seconds)
            percentiles.append(quantiles(durations, n=100))
    p50, p99 = ([[those[at] for those in one] for one in found] for at in (49, 98))
    added, most, passed = (
        median(mine - direct for mine, direct in zip(those[at], those[2], strict=True))
        for those, at in ((p50, 0), (p99, 0), (p50, 1))
    )
    texts = [f"{milliseconds(median(a))}, {milliseconds(median(b))}" for a, b in zip(p50, p99, strict=True)]
    return Row(
        f"GET a small file, forwarded: latency p50, p99 at {_STEADY} a second on {_CONNECTIONS} connections",
        texts[0],
        proxy_pass=texts[1],
        nginx=texts[2],
        ratio=f"{added * 1000:+.2f} ms at p50, {most * 1000:+.2f} ms at p99"
        f" (proxy_pass: {passed * 1000:+.2f} ms)",
        target=f"< {milliseconds(_MOST_ADDED)} added at p50",
        holds=added < _MOST_ADDED,
    )


def _row(
    what: str, shown: dict[str, str], ratios: dict[str, float], target: str = "", holds: bool | None = None
) -> Row:
    text = ", ".join(f"{value:.2f} x {name}" for name, value in ratios.items())
    cells = {name.lower(): shown.get(name, "") for name in _LEAST}
    return Row(what, shown[OURS.name], ratio=text, target=target, holds=holds, **cells)
