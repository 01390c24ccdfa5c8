"""MockGateway: run a gateway in its own process for the length of a test. Standard library only.

See ``oagw.client.control_plane`` for the methods that all sandboxes have, and ``oagw.client.fixtures`` for
pytest fixtures.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from oagw.client.control_plane import CannotAct, ControlPlane, Refused, Stub, Toxic, checked_url, pattern
from oagw.client.ending import Ending
from oagw.config import Config

__all__ = [
    "CannotAct",
    "ControlPlane",
    "GatewayFailed",
    "MockGateway",
    "Refused",
    "RunningGateway",
    "Sandbox",
    "Stub",
    "Toxic",
    "pattern",
]

# The token that a gateway accepts by default.
_TOKEN = Config().tokens[0]

# Seconds that a server gets to stop before it is killed. It usually needs 0.2 s.
_STOP_TIMEOUT = 5.0
# Seconds to wait for a server that does not answer to exit, so that its output can be reported.
_EXIT_TIMEOUT = 1.0
# Seconds between two looks at the clock.
_LOOK = 0.005


class GatewayFailed(RuntimeError):
    """The server did not start, or exited unexpectedly; the message is its output."""


class RunningGateway(ControlPlane):
    """A gateway that already runs at ``base_url``, and its default sandbox.

    ``token`` is the bearer token for clients to use; ``admin_token`` is the value of the server's
    ``--admin-token``, if it has one. Raises ValueError if ``base_url`` is not an http URL or has a path.
    Methods raise ConnectionError if the server does not respond.
    """

    def __init__(self, base_url: str, token: str = _TOKEN, admin_token: str | None = None) -> None:
        super().__init__(checked_url(base_url), admin_token)
        self.token = token

    def sandbox(self, expires_after: float | None = None, *, name: str | None = None) -> "Sandbox":
        """Create a sandbox, which expires ``expires_after`` seconds after its last use.

        The default is the server's ``--sandbox-lifetime``. With ``--seed``, what is random in the sandbox
        depends on its ``name`` and its own requests, not on other sandboxes. Raises Refused if there is a
        sandbox with this name.
        """
        options = {"expiresAfterSeconds": expires_after, "name": name}
        given = {option: value for option, value in options.items() if value is not None}
        created = self.admin("POST", "/sandboxes", given)
        return Sandbox(self, created["id"], created["token"])

    def advance(self, seconds: float) -> None:
        """Advance the clock of ``--clock manual``; return when everything that fell due has been written."""
        self.admin("POST", "/clock/advance", {"seconds": seconds})

    def advance_until_idle(self, limit: float | None = None) -> None:
        """Advance the clock until no answer waits for a time to come, by at most ``limit`` seconds.

        The default is an hour. Raises Refused if answers are still pending then. What clients send in
        reaction is not waited for.
        """
        document: dict[str, Any] = {"untilIdle": True}
        self.admin("POST", "/clock/advance", document if limit is None else {**document, "seconds": limit})

    def wait_pending(self, count: int = 1, within: float = 5.0) -> None:
        """Wait until at least ``count`` answers wait for the clock of ``--clock manual``.

        They may be delayed, or streams that wait for their next event; those of all sandboxes count. After
        that, the clock can be advanced without overtaking requests that are still on their way. Raises
        TimeoutError after ``within`` seconds of real time.
        """
        end = time.monotonic() + within
        while (pending := self.admin("GET", "/clock")["pending"]) < count:
            if time.monotonic() >= end:
                raise TimeoutError(f"{pending} answers are pending after {within:g} s, not {count}")
            time.sleep(_LOOK)


class Sandbox(ControlPlane, Ending):
    """A sandbox of ``gateway``: requests with ``token`` use its stubs, toxics and journal.

    As a context manager, it is deleted at the end of the block.
    """

    def __init__(self, gateway: RunningGateway, id: str, token: str) -> None:
        super().__init__(gateway.base_url, token)
        self.gateway = gateway
        self.id = id
        self.token = token

    def delete(self) -> None:
        """Delete the sandbox and all its state, if it still exists: it may have expired."""
        self.gateway.admin("DELETE", f"/sandboxes/{self.id}", accept=(204, 404))

    def _check_server(self) -> None:
        self.gateway._check_server()

    _end = delete


class MockGateway(RunningGateway, Ending):
    """A gateway in a process of its own, on a free port of the loopback interface.

    It runs from ``start`` to ``stop``, or for the block of a ``with`` statement. ``options`` are command-line
    options of ``server.py``, such as ``["--clock", "manual"]``. The server ends with this process, even if
    this process is killed. Methods raise GatewayFailed if the server exited unexpectedly.

    >>> import urllib.request
    >>> with MockGateway() as gateway, gateway.sandbox() as sandbox:
    ...     stub = sandbox.stub("GET stripe/v1/charges/{id}", status=402, json={"error": "declined"})
    ...     request = urllib.request.Request(
    ...         gateway.alias_url("stripe") + "/v1/charges/ch_1",
    ...         headers={"Authorization": f"Bearer {sandbox.token}"},
    ...     )
    ...     try:
    ...         urllib.request.urlopen(request)
    ...     except urllib.error.HTTPError as error:
    ...         error.close()
    ...     sandbox.verify("GET stripe/v1/charges/ch_1", times=1)
    1
    """

    def __init__(self, *, token: str = _TOKEN, options: Sequence[str] = ()) -> None:
        if isinstance(options, str):
            raise TypeError(f"options must be a list, such as {options.split()}, not a string")
        ControlPlane.__init__(self, "", None)  # start() sets the URL
        self.token = token
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        """The URL of the gateway, such as ``http://127.0.0.1:41234``; RuntimeError if it is not running."""
        if self._process is None:
            raise RuntimeError("the gateway is not running")
        return self._base_url

    def start(self) -> None:
        """Start the server and wait until it listens. Raises GatewayFailed if it exits instead."""
        if self._process is not None:
            raise RuntimeError("the gateway is already running")
        package_home = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, [package_home, os.environ.get("PYTHONPATH")]))
        arguments = ["0", "--exit-with-parent", f"--token={self.token}", *self._options]
        process = subprocess.Popen(
            [sys.executable, "-m", "oagw", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
        except BaseException:  # for instance KeyboardInterrupt, or the timeout of a test
            process.kill()
            process.communicate()
            raise
        if not line.startswith(b"{"):
            out, err = process.communicate()
            raise GatewayFailed((line + out + err).decode(errors="replace").strip())
        self._base_url = json.loads(line)["url"]
        self._process = process

    def stop(self) -> None:
        """Stop the server, if it is running, and wait until its process has ended."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.communicate(timeout=_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

    def _check_server(self) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(_EXIT_TIMEOUT)
        except subprocess.TimeoutExpired:
            return
        out, err = self._process.communicate()
        text = (out + err).decode(errors="replace").strip()
        raise GatewayFailed(f"the server exited with status {self._process.returncode}:\n{text}")

    def __enter__(self) -> Self:
        self.start()
        return self

    _end = stop
