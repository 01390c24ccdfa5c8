"""Measure forwarded downloads of 1 GiB: the rate, and the memory that a slow reader costs."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

import lab
from subjects import Running, Subject
from table import Row, ratio

_LEAST = 0.3  # the smallest ratio to the rate of nginx

# What a slow reader reads, in pieces of this size with a pause in seconds, and the most it may cost, in MiB.
_SLOW, _PIECE, _PAUSE = 64 << 20, 64 << 10, 0.005
_MOST_MEMORY = 32

_TIMEOUT = 60.0


def rows(quick: bool) -> Iterator[Row]:
    """Yield three rows: the rate, its CPU time, the memory."""
    program = lab.nginx()
    if isinstance(program, str):
        yield Row("forwarded downloads", f"not measured: {program}")
        return
    with ExitStack() as stack:
        upstream, direct = stack.enter_context(lab.upstream(program))
        servers: list[tuple[Running, Subject]] = [
            stack.enter_context(lab.ours(upstream.port)),
            stack.enter_context(lab.proxy_pass(program, upstream.port)),
            (upstream, direct),
        ]
        rates: list[list[float]] = [[] for _ in servers]
        cpu: list[list[float]] = [[] for _ in servers]
        for _ in range(2 if quick else 7):
            for (server, subject), found, costs in zip(servers, rates, cpu, strict=True):
                before = server.cpu()
                found.append(lab.SIZE / _seconds(server.port, subject.get("large")))
                costs.append(server.cpu() - before)
        share, of_proxy = ratio(rates[0], rates[2]), ratio(rates[0], rates[1])
        texts = [f"{median(one) / 1e6:,.0f} MB/s" for one in rates]
        yield Row(
            "download of 1 GiB, forwarded: rate",
            texts[0],
            proxy_pass=texts[1],
            nginx=texts[2],
            ratio=f"{share:.2f} x nginx, {of_proxy:.2f} x proxy_pass",
            target=f"≥ {_LEAST} x nginx",
            holds=share >= _LEAST,
        )
        texts = [f"{median(one):.2f} s" for one in cpu]
        yield Row(
            "download of 1 GiB, forwarded: CPU time of the server",
            texts[0],
            proxy_pass=texts[1],
            nginx=texts[2],
            ratio=f"{ratio(cpu[0], cpu[1]):.2f} x proxy_pass",
        )
        yield _slow_reader(stack, upstream.port)


def _seconds(port: int, request: bytes) -> float:
    """Download as fast as possible; return the duration in seconds."""
    with _asked(port, request) as connection:
        buffer = bytearray(1 << 20)
        start, left = time.perf_counter(), lab.SIZE
        while left > 0:
            size = connection.recv_into(buffer)
            if not size:
                raise RuntimeError(f"the download ended {left} bytes early")
            left -= size
        return time.perf_counter() - start


def _slow_reader(stack: ExitStack, port: int) -> Row:
    """Read slowly, and return the most memory that the server took meanwhile."""
    server, subject = stack.enter_context(lab.ours(port))
    _seconds(server.port, subject.get("large"))  # so that everything is loaded
    before = most = server.memory()
    with _asked(server.port, subject.get("large")) as connection:
        for _ in range(_SLOW // _PIECE):
            connection.recv(_PIECE)
            time.sleep(_PAUSE)
            most = max(most, server.memory())
    added = (most - before) / 2**20
    return Row(
        "slow reader of a download of 1 GiB: memory added",
        f"{added:.1f} MiB",
        ratio=f"{before / 2**20:.0f} MiB before",
        target=f"≤ {_MOST_MEMORY} MiB",
        holds=added <= _MOST_MEMORY,
    )


def _asked(port: int, request: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), _TIMEOUT)
    connection.sendall(request)
    return connection
