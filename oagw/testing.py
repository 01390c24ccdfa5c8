"""MockGateway: a gateway in a process of its own, for the length of a test.

Standard library only. ``oagw.pytest_plugin`` makes a fixture of it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from oagw.config import Config
from oagw.control_plane import ControlPlane

# Seconds that a server gets to stop before it is killed; it needs a fifth of one.
_PATIENCE = 5.0


class GatewayFailed(RuntimeError):
    """The server did not start; the message is what it said."""


class Sandbox(ControlPlane):
    """A space of its own on a gateway: whoever calls with ``token`` has its stubs, toxics and journal.

    As a context manager it deletes itself at the end.
    """

    def __init__(self, gateway: ControlPlane, id: str, token: str) -> None:
        self._gateway = gateway
        self.id = id
        self.token = token

    @property
    def base_url(self) -> str:
        return self._gateway.base_url

    @property
    def _admin_token(self) -> str:
        return self.token

    def delete(self) -> None:
        """Free it and all it has."""
        self.admin("DELETE", f"/sandboxes/{self.id}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.delete()


class MockGateway(ControlPlane):
    """A server process on a free port of the loopback interface, from ``start`` (or ``with``) to ``stop``.

    As a ControlPlane it acts on the space that all share who do not call with the token of a sandbox.
    ``options`` are those of ``server.py``. The process does not outlive this one, even if this one is
    killed.

    >>> import urllib.request
    >>> with MockGateway(options=["--stream-interval-scale", "0"]) as gateway:
    ...     request = urllib.request.Request(
    ...         gateway.alias_url("weather") + "/current?city=Oslo",
    ...         headers={"Authorization": f"Bearer {gateway.token}"},
    ...     )
    ...     answer = urllib.request.urlopen(request)
    >>> answer.headers["X-OAGW-Error-Source"]
    'upstream'
    """

    def __init__(self, token: str = Config().tokens[0], options: Sequence[str] = ()) -> None:
        self.token = token
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""

    @property
    def _admin_token(self) -> str | None:
        return None

    @property
    def base_url(self) -> str:
        """Where the gateway listens, such as ``http://127.0.0.1:41234``; RuntimeError if it does not."""
        if self._process is None:
            raise RuntimeError("the gateway is not running")
        return self._url

    def sandbox(self, expires_after: float | None = None) -> Sandbox:
        """A space of its own for a test, which goes away ``expires_after`` seconds after its last use."""
        document = {} if expires_after is None else {"expiresAfterSeconds": expires_after}
        created = self.admin("POST", "/sandboxes", document)
        return Sandbox(self, created["id"], created["token"])

    def start(self) -> None:
        """Start the server and wait until it accepts connections; raises GatewayFailed."""
        if self._process is not None:
            raise RuntimeError("the gateway is already running")
        package_home = str(Path(__file__).resolve().parent.parent)
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
        line = process.stdout.readline()
        if not line.startswith(b"{"):
            out, said = process.communicate()
            raise GatewayFailed((line + out + said).decode(errors="replace").strip())
        self._url = json.loads(line)["url"]
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

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
