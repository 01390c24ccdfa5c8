"""A client that makes calls at a steady rate, whether or not the server keeps up (an open loop)."""

import select
import socket
import time
from collections import deque
from typing import NamedTuple

from keepalive import complete


class _Busy(NamedTuple):
    """The call on a connection: when it was due, and what it has received."""

    due: float
    received: list[bytes]


def measure(port: int, request: bytes, per_second: float, connections: int, seconds: float) -> list[float]:
    """Return the duration of each call in seconds, from the time when it was due.

    A call that is due while all ``connections`` are busy waits for one. Every response must be a 200.
    """
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    for one in sockets:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    idle, busy = deque(sockets), {}
    durations: list[float] = []
    total, started = int(per_second * seconds), 0
    start = time.perf_counter()
    while len(durations) < total:
        due = start + started / per_second
        if started < total and idle and due <= time.perf_counter():
            connection = idle.popleft()
            busy[connection] = _Busy(due, [])
            connection.sendall(request)
            started += 1
            continue
        # In contrast to epoll, select wakes up in time, to the microsecond.
        wait = max(0.0, due - time.perf_counter()) if started < total and idle else None
        for connection in select.select([*busy], [], [], wait)[0]:
            call = busy[connection]
            data = connection.recv(65536)
            call.received.append(data)
            response = b"".join(call.received)
            if not data or b" 200 " not in response[:20]:
                raise RuntimeError(f"not a whole 200: {response[:200]!r}")
            if complete(response):
                durations.append(time.perf_counter() - call.due)
                del busy[connection]
                idle.append(connection)
    for one in sockets:
        one.close()
    return durations
