"""A fast client for many concurrent event streams: one epoll loop that records when each event arrives."""

import re
import select
import socket
import time
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from types import TracebackType
from typing import Self

# The number of connections to open between two polls of those that are open.
_BATCH = 50

_EVENT_END = re.compile(rb"\n\n")
_ID = re.compile(rb"(?:^|\n)id: (\d+)\n")


class Stream:
    """A response: its ``pieces`` as (seconds, bytes), and when it ``ended``, None if it is open."""

    __slots__ = ("ended", "pieces", "socket")

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.pieces: list[tuple[float, bytes]] = []
        self.ended: float | None = None

    def arrivals(self) -> list[float]:
        """Return when each event was complete, in seconds."""
        ends = list(accumulate(len(data) for _, data in self.pieces))
        whole = self._whole()
        return [self.pieces[bisect_left(ends, match.end())][0] for match in _EVENT_END.finditer(whole)]

    def complete(self, ids: list[bytes]) -> bool:
        """Return whether exactly the events with these ``ids`` arrived, in order, followed by a clean end."""
        if self.ended is None or _ID.findall(whole := self._whole()) != ids:
            return False
        return whole.endswith(b"\r\n0\r\n\r\n") or b"chunked" not in whole.partition(b"\r\n\r\n")[0]

    def _whole(self) -> bytes:
        return b"".join(data for _, data in self.pieces)


class EventStreams:
    """A context manager for ``count`` concurrent streams, opened by sending ``request`` to ``port``."""

    def __init__(self, port: int, request: bytes, count: int) -> None:
        self._address = ("127.0.0.1", port)
        self._request = request
        self._count = count
        self._poll = select.epoll()
        self._by_fd: dict[int, Stream] = {}
        self.all: list[Stream] = []
        self.began = 0  # the number of streams that have sent data
        self.ended = 0  # the number of streams that have ended

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in self._by_fd.values():
            stream.socket.close()
        self._poll.close()

    def open(self) -> None:
        """Open all streams."""
        for number in range(self._count):
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(self._address)
            stream = Stream(connection)
            self.all.append(stream)
            self._by_fd[connection.fileno()] = stream
            self._poll.register(connection, select.EPOLLOUT)
            if number % _BATCH == 0:
                self._turn(0)

    def follow(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Read for this number of ``seconds``, or until ``until`` returns true."""
        deadline = time.perf_counter() + seconds
        while not until() and time.perf_counter() < deadline:
            self._turn(0.02)

    def all_began(self) -> bool:
        """Return whether all streams have sent data."""
        return self.began == self._count

    def all_ended(self) -> bool:
        """Return whether all streams have ended."""
        return self.ended == self._count

    def _turn(self, timeout: float) -> None:
        for number, event in self._poll.poll(timeout, 1000):
            stream = self._by_fd[number]
            try:
                if event == select.EPOLLOUT:
                    stream.socket.sendall(self._request)
                    self._poll.modify(number, select.EPOLLIN)
                    continue
                data = stream.socket.recv(65536)
            except OSError:
                data = b""
            now = time.perf_counter()
            if data:
                self.began += not stream.pieces
                stream.pieces.append((now, data))
            if not data or data.endswith(b"0\r\n\r\n"):
                stream.ended = now
                self.ended += 1
                self._by_fd.pop(number).socket.close()
