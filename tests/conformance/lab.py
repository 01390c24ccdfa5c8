"""Lab: an upstream that a test plays, on several addresses of this machine."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

# The addresses on which it listens, all with the same port.
HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3")

# Seconds that anything may take.
PATIENCE = 15.0


@dataclass
class Received:
    """A request as it reached the upstream. The spelling of names and the order are kept."""

    method: str
    target: str
    fields: list[tuple[str, str]]
    body: bytes
    host: str  # the address that it was sent to

    def values(self, name: str) -> list[str]:
        """The values of a header field, whatever the case of its name."""
        return [value for known, value in self.fields if known.lower() == name.lower()]

    @property
    def names(self) -> set[str]:
        """The names of all header fields in lower case."""
        return {name.lower() for name, _ in self.fields}


class Peer:
    """The upstream's end of one connection."""

    def __init__(self, connection: socket.socket, host: str) -> None:
        self.socket = connection
        self.host = host

    def send(self, data: bytes) -> None:
        """Send ``data`` as it is."""
        with suppress(OSError):
            self.socket.sendall(data)

    def answer(
        self, status: int = 200, *fields: str, body: bytes = b"lab", length: int | None = None
    ) -> None:
        """Send a whole response; ``length`` replaces the true Content-Length."""
        lines = [f"HTTP/1.1 {status} Lab", f"Content-Length: {len(body) if length is None else length}"]
        self.send("\r\n".join([*lines, *fields, "", ""]).encode("latin-1") + body)

    def reset(self) -> None:
        """Reset the connection."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def wait_until_left(self) -> bool:
        """Wait until the gateway has closed the connection."""
        self.socket.settimeout(PATIENCE)
        try:
            return self.socket.recv(1) == b""
        except OSError as error:
            return not isinstance(error, TimeoutError)

    def read(self) -> Received | None:
        """Read one request; None if there is none."""
        stream = self.socket.makefile("rb")
        first = stream.readline().decode("latin-1").rstrip("\r\n")
        if not first:
            return None
        fields = []
        while line := stream.readline().decode("latin-1").rstrip("\r\n"):
            name, _, value = line.partition(": ")
            fields.append((name, value))
        length = next((int(value) for name, value in fields if name.lower() == "content-length"), 0)
        method, target, version = first.split(" ")
        assert version == "HTTP/1.1"
        return Received(method, target, fields, stream.read(length), self.host)


Script = Callable[[Received, Peer], None]


def plain(request: Received, peer: Peer) -> None:
    """Answer 200."""
    peer.answer(200, "Content-Type: text/plain")


@dataclass
class Lab:
    """What arrived, and what is answered: ``script`` is called for each request in a thread of its own."""

    port: int
    script: Script = plain
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    closed: set[str] = field(default_factory=set)  # addresses whose connections are reset at once

    def only(self) -> Received:
        """The one request that arrived."""
        assert len(self.requests) == 1, self.requests
        return self.requests[0]

    def clear(self) -> None:
        """Forget everything, for the next test."""
        self.script, self.requests, self.connections = plain, [], 0

    def serve(self, listening: socket.socket, host: str) -> None:
        """Accept connections until ``listening`` is closed."""
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=(Peer(connection, host),), daemon=True).start()

    def _answer(self, peer: Peer) -> None:
        with suppress(OSError), peer.socket:
            peer.socket.settimeout(PATIENCE)
            request = peer.read()
            if request is not None:
                self.requests.append(request)
                self.script(request, peer)


def open_lab() -> Iterator[Lab]:
    """Serve a lab until the end."""
    first = socket.create_server((HOSTS[0], 0))
    port = first.getsockname()[1]
    listening = [first, *(socket.create_server((host, port)) for host in HOSTS[1:])]
    lab = Lab(port)
    for one, host in zip(listening, HOSTS, strict=True):
        threading.Thread(target=lab.serve, args=(one, host), daemon=True).start()
    yield lab
    for one in listening:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


def free_port(host: str = HOSTS[0]) -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
