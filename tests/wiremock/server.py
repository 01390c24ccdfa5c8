"""The real WireMock in a child process, asked over HTTP; only recording needs it, and Java."""

import json
import socket
import subprocess
import time
from http.client import HTTPConnection
from types import TracebackType
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class WireMock:
    """WireMock run from ``jar`` on a free port, with these options; a context manager.

    It has no journal unless that is asked for.
    """

    def __init__(self, jar: str, *options: str, journal: bool = False) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = ["java", "-jar", jar, "--port", str(self.port), *options]
        if not journal:
            command.append("--no-request-journal")
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._connection = HTTPConnection("127.0.0.1", self.port, timeout=10)

    def __enter__(self) -> "WireMock":
        for _ in range(300):
            try:
                self.ask("GET", "/__admin/mappings")
                return self
            except OSError:
                time.sleep(0.1)
        self.__exit__(None, None, None)
        raise TimeoutError("WireMock does not answer")

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()
        self._process.terminate()
        self._process.wait(10)

    def ask(self, method: str, url: str, headers: Any = (), body: bytes = b"") -> Answer:
        """One request, its header fields sent as they are."""
        connection = self._connection
        try:
            own_host = any(name.lower() == "host" for name, _ in headers)
            connection.putrequest(method, url, skip_host=own_host, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value.encode())
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        except Exception:
            connection.close()
            raise

    def only(self, mapping: Any) -> Answer:
        """Make ``mapping`` the only stub; the answer is 201 if WireMock accepts it."""
        self.ask("DELETE", "/__admin/mappings")
        return self.ask("POST", "/__admin/mappings", body=json.dumps(mapping).encode())
