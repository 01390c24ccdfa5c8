"""The servers to compare: how to start and to call them, and their processes."""

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

HERE = Path(__file__).parent

# The time limit for a server to respond, in seconds.
_TIMEOUT = 30.0

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


class Subject(NamedTuple):
    """A server: its ``name``, the ``command`` that starts it (a port is appended), and its paths by name."""

    name: str
    command: tuple[str, ...]
    paths: Mapping[str, str]

    def get(self, what: str, query: str = "") -> bytes:
        """Return a GET request for the path with the name ``what``."""
        return self._head("GET", self.paths[what] + query) + b"\r\n"

    def post(self, what: str, document: object) -> bytes:
        """Return a POST request with ``document`` as JSON."""
        body = json.dumps(document).encode()
        fields = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        return self._head("POST", self.paths[what]) + fields + body

    def _head(self, method: str, path: str) -> bytes:
        token = "Authorization: Bearer test-integration-token"
        return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{token}\r\n".encode()


_PROXY = "/api/oagw/v1/proxy"
_PEER_PATHS = {name: f"/{name}" for name in ("health", "octocat", "chat", "events", "ticks")}

OURS = Subject(
    "ours",
    (sys.executable, str(HERE.parent / "server.py")),
    {
        "health": "/health",
        "octocat": f"{_PROXY}/github/users/octocat",
        "chat": f"{_PROXY}/openai/v1/chat/completions",
        "events": f"{_PROXY}/stream-test/events",
        "held": f"{_PROXY}/stream-test/events?count=0&interval=0.1",
    },
)
BARE = Subject("bare", (sys.executable, str(HERE / "peers" / "bare_twisted.py")), _PEER_PATHS)
AIOHTTP = Subject("aiohttp", (sys.executable, str(HERE / "peers" / "aiohttp_app.py")), _PEER_PATHS)
FLASK = Subject("flask", (sys.executable, str(HERE / "peers" / "flask_app.py")), _PEER_PATHS)


class Running:
    """A context manager that runs a subject on a free port of the loopback interface."""

    def __init__(self, subject: Subject, options: Sequence[str] = ()) -> None:
        self.port = free_port()
        self._process = spawn(subject, self.port, options)
        self._proc = Path(f"/proc/{self._process.pid}")
        self._health = subject.get("health")

    def __enter__(self) -> Self:
        deadline = time.perf_counter() + _TIMEOUT
        while not self._answers():
            if time.perf_counter() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"{self._process.args} does not answer")
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end(self._process)

    def memory(self) -> int:
        """Return the current resident memory, in bytes."""
        return int((self._proc / "statm").read_text().split()[1]) * _PAGE

    def peak(self) -> int:
        """Return the peak resident memory, in bytes."""
        status = (self._proc / "status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def cpu(self) -> float:
        """Return the CPU time so far, in seconds."""
        fields = (self._proc / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=_TIMEOUT) as connection:
                connection.sendall(self._health)
                return b" 200 " in connection.recv(65536)
        except OSError:
            return False


def free_port() -> int:
    """Return a free port of the loopback interface, outside the range of ephemeral ports.

    A client that repeatedly connects to a free ephemeral port might be given that port as its own, and so
    connect to itself.
    """
    while True:
        port = random.randrange(10000, 30000)
        with socket.socket() as listening, contextlib.suppress(OSError):
            listening.bind(("127.0.0.1", port))
            return port


def spawn(subject: Subject, port: int, options: Sequence[str] = ()) -> subprocess.Popen[bytes]:
    """Start ``subject`` on ``port`` without waiting until it listens."""
    command = [*subject.command, str(port), *options]
    # With this variable, our modules would be compiled at every start. The packages of the peers would not,
    # because pip has compiled them.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill ``process`` and wait until it has ended."""
    process.kill()
    process.wait()
