"""A server process for the length of a test. Whatever is waited for has a deadline."""

import contextlib
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
SERVER = (sys.executable, str(ROOT / "server.py"))
TWISTD = (sys.executable, str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=")

TOKEN = "test-integration-token"
EVENTS = "/api/oagw/v1/proxy/stream-test/events"

# Seconds after which something that should happen at once counts as never happening.
PATIENCE = 10.0


class Launched:
    """A server from ``with`` on; it and whatever else it started are killed at the end, connections closed.

    ``command`` is run with ``args``; further keywords are those of Popen. Standard error goes to a file,
    see ``said``. If the server ``announces`` nothing on standard output, its port is the first of ``args``.
    """

    def __init__(
        self, *args: str, command: tuple[str, ...] = SERVER, announces: bool = True, **popen: Any
    ) -> None:
        self._command = [*command, *args]
        self._announces = announces
        self._stack = contextlib.ExitStack()
        self._popen = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "start_new_session": True,
            # What the server does not flush by itself has to be missed.
            "env": {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            **popen,
        }
        self._unread = b""
        self.event: dict[str, Any] = {}
        self.host = "127.0.0.1"
        self.port = int(args[0]) if args and args[0].isdigit() else 0

    def __enter__(self) -> Self:
        with self._stack:  # closes what is there if this fails
            self._stderr = self._stack.enter_context(tempfile.TemporaryFile())
            self.process = subprocess.Popen(self._command, **{"stderr": self._stderr, **self._popen})
            self._stack.callback(self._kill)
            if self._announces:
                self.event = json.loads(self.line(rb'\{"event".*\}')[0])
                self.host, self.port = self.event["host"], self.event["port"]
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def line(self, pattern: bytes) -> re.Match[bytes]:
        """The next line on standard output in which ``pattern`` is found."""
        while True:
            line, separator, rest = self._unread.partition(b"\n")
            if separator:
                self._unread = rest
                if match := re.search(pattern, line):
                    return match
            else:
                more = self._more()
                assert more, f"ended with status {self.process.wait(PATIENCE)}: {self.said()}"
                self._unread += more

    def rest(self) -> bytes:
        """What standard output has until its end, which comes when no process holds it any more."""
        while more := self._more():
            self._unread += more
        return self._unread

    def said(self) -> str:
        """All of standard error so far."""
        size = os.fstat(self._stderr.fileno()).st_size
        return os.pread(self._stderr.fileno(), size, 0).decode()

    def connect(self, patience: float = PATIENCE) -> socket.socket:
        """A new connection; it is closed at the end if the test has not done so."""
        connection = socket.create_connection((self.host, self.port), timeout=patience)
        return self._stack.enter_context(connection)

    def get(self, path: str = "/health", **headers: str) -> tuple[int, bytes]:
        """Status and body of a GET request; underscores in names of ``headers`` stand for dashes."""
        return self.ask("GET", path, None, **headers)

    def ask(self, method: str, path: str, body: bytes | None, **headers: str) -> tuple[int, bytes]:
        """As ``get``, with any method and a body."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, fields)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def stream(self) -> socket.socket:
        """A connection on which an event stream is open: its first event is read, no other is."""
        connection = self.connect()
        request = f"GET {EVENTS} HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        connection.sendall(request.encode())
        received = b""
        while not received.endswith(b"data: First event\n\n\r\n"):
            piece = connection.recv(1)
            assert piece, received
            received += piece
        return self._stack.enter_context(connection)

    def accepts(self) -> bool:
        """Whether somebody listens at the port."""
        return listens(self.host, self.port)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def _more(self) -> bytes:
        readable, _, _ = select.select([self.process.stdout.fileno()], [], [], PATIENCE)
        assert readable, f"nothing on standard output; standard error: {self.said()}"
        return os.read(self.process.stdout.fileno(), 65536)


def ended(*args: str, command: tuple[str, ...] = SERVER, **run: Any) -> subprocess.CompletedProcess[str]:
    """A server that ends by itself, with all that it said; further keywords are those of run."""
    options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, **run}
    return subprocess.run([*command, *args], timeout=PATIENCE, **options)


def until(condition: Callable[[], object]) -> None:
    """Wait for ``condition``."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def listens(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection((host, port), timeout=PATIENCE) as connection:
            # Where nobody listens, a connection may by chance be made to itself.
            return connection.getsockname() != connection.getpeername()
    except ConnectionError:
        return False


def free_port() -> int:
    """A port that nobody uses at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def read_to_end(connection: socket.socket) -> bytes:
    """What arrives until the server closes the connection; closes the connection as well."""
    received = b""
    with connection:
        while piece := connection.recv(65536):
            received += piece
    return received


def ipv6() -> bool:
    """Whether this machine has IPv6."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
