"""Measure forwarded event streams: an aiohttp server writes ten events a second to each of 1,000 streams."""

from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

import lab
from gaps import Errors, Held, events, held
from subjects import AIOHTTP, Running, Subject
from table import Row

COUNT = 1000

# The largest 99th percentile of the gap error, in seconds.
_MOST = 0.030


def rows(quick: bool) -> Iterator[Row]:
    """Yield two rows: gap errors, and CPU. The servers take turns; each starts anew."""
    rounds, seconds = (2, 3.0) if quick else (5, 5.0)
    program = lab.nginx()
    found: dict[str, list[Held]] = {"ours": [], "aiohttp": [], "proxy_pass": []}
    for _ in range(rounds):
        for name, results in found.items():
            if name != "proxy_pass" or not isinstance(program, str):
                results.append(_measured(name, program, seconds))
    title = f"{COUNT:,} forwarded streams of ten events a second"
    shown = {name: Errors.medians(one.errors for one in them) for name, them in found.items() if them}
    p99 = median(one.errors.p99 for one in found["ours"])
    yield Row(
        f"{title}: gap error p50, p99",
        shown.pop("ours"),
        **shown,
        target=f"p99 < {_MOST * 1000:.0f} ms",
        holds=p99 < _MOST,
    )
    shown = {name: f"{median(one.cpu for one in them):.0%}" for name, them in found.items() if them}
    yield Row(f"{title}: CPU", shown.pop("ours"), **shown)


def _measured(name: str, program: object, seconds: float) -> Held:
    """Measure streams of aiohttp, direct if that is the ``name``, and otherwise forwarded."""
    query = f"?n={events(seconds)}"
    with ExitStack() as stack:
        server: Running = stack.enter_context(Running(AIOHTTP))
        subject: Subject = AIOHTTP
        if name == "ours":
            server, subject = stack.enter_context(lab.ours(server.port, query="n"))
        elif name == "proxy_pass":
            server, subject = stack.enter_context(lab.proxy_pass(program, server.port))
        return held(server, subject.get("ticks", query), COUNT, seconds)
