"""A fast client that measures requests per second over a few connections, with one request at a time each."""

import select
import socket
import time
from collections.abc import Iterable
from itertools import repeat
from statistics import quantiles
from typing import NamedTuple

CONNECTIONS = 8


class Rate(NamedTuple):
    """The result: the number of ``requests`` in ``seconds``, and the 99th percentile of their durations."""

    requests: int
    seconds: float
    p99: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


class _Connection:
    """A connection. Its current request was sent at ``asked``; ``received`` is the response so far."""

    __slots__ = ("asked", "received", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.asked = 0.0

    def ask(self, request: bytes) -> None:
        self.received = b""
        self.asked = time.perf_counter()
        self.socket.sendall(request)


def measure(port: int, request: bytes | Iterable[bytes], seconds: float) -> Rate:
    """Send ``request`` repeatedly for this number of ``seconds``. Every response must be a 200.

    Several requests take turns; they must not come to an end.
    """
    requests = repeat(request) if isinstance(request, bytes) else iter(request)
    durations: list[float] = []
    connections: dict[int, _Connection] = {}
    with select.epoll() as poll:

        def connect() -> None:
            connection = _Connection(port)
            connections[connection.socket.fileno()] = connection
            poll.register(connection.socket, select.EPOLLIN)
            connection.ask(next(requests))

        for _ in range(CONNECTIONS):
            connect()
        start = now = time.perf_counter()
        while now < start + seconds:
            for number, _ in poll.poll():
                connection = connections[number]
                data = connection.socket.recv(65536)
                connection.received += data
                if data and not complete(connection.received):
                    continue
                if b" 200 " not in connection.received[:20]:
                    raise RuntimeError(f"not a 200: {connection.received[:200]!r}")
                now = time.perf_counter()
                durations.append(now - connection.asked)
                if data and b"\r\nConnection: close\r\n" not in connection.received:
                    connection.ask(next(requests))
                else:
                    connections.pop(number).socket.close()
                    connect()
    for connection in connections.values():
        connection.socket.close()
    return Rate(len(durations), now - start, quantiles(durations, n=100)[98])


def complete(received: bytes) -> bool:
    """Return whether ``received`` is a whole response."""
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return False
    head = head.lower()
    if b"\r\ntransfer-encoding: chunked" in head:
        return body.endswith(b"\r\n0\r\n\r\n")
    length = head.partition(b"content-length:")[2].split(b"\r\n", 1)[0]
    return len(body) >= int(length)
