"""MockGateway: a gateway in a process of its own, for the length of a test, and its sandboxes.

``oagw.client.control_plane`` has what can be done with them, ``oagw.client.fixtures`` makes fixtures of them.
Standard library only.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

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

# What a gateway takes that was told nothing else.
_TOKEN = Config().tokens[0]

# Seconds that a server gets to stop before it is killed; it needs a fifth of one.
_PATIENCE = 5.0
# Seconds for the process of a server that does not answer to be over, if it is on its way out.
_LAST_WORDS = 1.0


class GatewayFailed(RuntimeError):
    """The server did not start, or ended by itself; the message is what it said."""


class RunningGateway(ControlPlane):
    """A gateway that is running already at ``base_url``, and the sandbox that all share.

    ``token`` is what clients show, ``admin_token`` that of ``--admin-token``, if the server has one. Raises
    ValueError for a URL that is none, or has a path. Calls raise ConnectionError if nobody answers there.
    """

    def __init__(self, base_url: str, token: str = _TOKEN, admin_token: str | None = None) -> None:
        super().__init__(checked_url(base_url), admin_token)
        self.token = token

    def sandbox(self, expires_after: float | None = None) -> "Sandbox":
        """A sandbox of its own for a test, which goes away ``expires_after`` seconds after its last use."""
        document = {} if expires_after is None else {"expiresAfterSeconds": expires_after}
        created = self.admin("POST", "/sandboxes", document)
        return Sandbox(self, created["id"], created["token"])

    def advance(self, seconds: float) -> None:
        """Move the clock of ``--clock manual``; returns when all that fell due has been written."""
        self.admin("POST", "/clock/advance", {"seconds": seconds})


class Sandbox(ControlPlane, Ending):
    """A sandbox of its own on ``gateway``: whoever calls with ``token`` has its stubs, toxics and journal.

    As a context manager it deletes itself at the end.
    """

    def __init__(self, gateway: RunningGateway, id: str, token: str) -> None:
        super().__init__(gateway.base_url, token)
        self.gateway = gateway
        self.id = id
        self.token = token

    def delete(self) -> None:
        """Free it and all it has; nothing happens if it is gone, as it may have expired."""
        self.gateway.admin("DELETE", f"/sandboxes/{self.id}", accept=(204, 404))

    def _failed(self) -> None:
        self.gateway._failed()

    _end = delete


class MockGateway(RunningGateway, Ending):
    """A server process on a free port of the loopback interface, from ``start`` (or ``with``) to ``stop``.

    ``options`` are those of ``server.py``, each a string of its own: ``["--clock", "manual"]``. The process
    does not outlive this one, even if this one is killed. Calls raise GatewayFailed if it ended by itself.

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
            raise TypeError(f"options are a list, such as {options.split()}, not one string")
        ControlPlane.__init__(self, "", None)  # its URL is known once it has started
        self.token = token
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        """Where the gateway listens, such as ``http://127.0.0.1:41234``; RuntimeError if it does not."""
        if self._process is None:
            raise RuntimeError("the gateway is not running")
        return self._base_url

    def start(self) -> None:
        """Start the server and wait until it accepts connections; raises GatewayFailed."""
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
        except BaseException:  # such as Ctrl-C, or a time-out of the test
            process.kill()
            process.communicate()
            raise
        if not line.startswith(b"{"):
            out, said = process.communicate()
            raise GatewayFailed((line + out + said).decode(errors="replace").strip())
        self._base_url = json.loads(line)["url"]
        self._process = process

    def stop(self) -> None:
        """Stop the server and wait for its end; nothing happens if it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()

    def _failed(self) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(_LAST_WORDS)
        except subprocess.TimeoutExpired:
            return
        out, said = self._process.communicate()
        text = (out + said).decode(errors="replace").strip()
        raise GatewayFailed(f"the server ended by itself, with {self._process.returncode}:\n{text}")

    def __enter__(self) -> Self:
        self.start()
        return self

    _end = stop
