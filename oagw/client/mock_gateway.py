"""MockGateway: run a gateway in its own process for the length of a test. Standard library only.

``start`` connects to a running gateway instead if its URL is in OAGW_URL.

See ``oagw.client.control_plane`` for the methods that all sandboxes have, and ``oagw.client.fixtures`` for
pytest fixtures.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from oagw.client.control_plane import CannotAct, ControlPlane, Refused, Stub, Toxic, checked_url, pattern
from oagw.client.document import given, in_camel_case
from oagw.client.ending import Ending
from oagw.client.exchange import Answer
from oagw.client.failure import add_report
from oagw.client.management import Management, Route, Secret, Upstream
from oagw.config import Config

__all__ = [
    "CannotAct",
    "ControlPlane",
    "GatewayFailed",
    "MockGateway",
    "Refused",
    "Route",
    "RunningGateway",
    "Sandbox",
    "Secret",
    "Stub",
    "Tenant",
    "Toxic",
    "Upstream",
    "pattern",
    "start",
]

# The token that a gateway accepts by default.
TOKEN = Config().tokens[0]

# Seconds that a server gets to stop before it is killed. It usually needs 0.2 s.
_STOP_TIMEOUT = 5.0
# Seconds to wait for a server that does not answer to exit, so that its output can be reported.
EXIT_TIMEOUT = 1.0

# Seconds between two checks of the clock.
_LOOK = 0.005


class GatewayFailed(RuntimeError):
    """The server did not start, or exited unexpectedly; the message is its output."""


class RunningGateway(Management, Ending):
    """A gateway that already runs at ``base_url``, and its default sandbox.

    ``token`` is the bearer token for clients to use; ``admin_token`` is the value of the server's
    ``--admin-token``, if it has one. Raises ValueError if ``base_url`` is not an http URL or has a path.
    Methods raise ConnectionError if the server does not respond. It keeps running after a ``with`` block.
    """

    def __init__(self, base_url: str, token: str = TOKEN, admin_token: str | None = None) -> None:
        super().__init__(checked_url(base_url), admin_token)
        self.token = token

    def sandbox(
        self,
        expires_after: float | None = None,
        *,
        name: str | None = None,
        tenants: Mapping[str, str | Mapping[str, Any] | None] | None = None,
        strict: bool = False,
    ) -> "Sandbox":
        """Create a sandbox, which expires ``expires_after`` seconds after its last use.

        The default is the server's ``--sandbox-lifetime``. With ``--seed``, what is random in the sandbox
        depends on its ``name`` and its own requests, not on other sandboxes. If it is ``strict``, its
        ``with`` block ends with ``verify_strict``. Raises Refused if there is a sandbox with this name.

        ``tenants`` is a tree of tenants, the parent of each by its name: ``{"root": None, "child": "root"}``.
        Instead of a name, ``{"parent": "root", "self_managed": True}`` can be given. Each has a token in
        ``sandbox.tenants``; that of the sandbox is that of the root.
        """
        tree = tenants and {name: _tenant(one) for name, one in tenants.items()}
        options = {"expiresAfterSeconds": expires_after, "name": name, "tenants": tree}
        created = self.admin("POST", "/sandboxes", given(options))
        sandbox = Sandbox(self, created["id"], created["token"], strict=strict)
        for tenant, about in created.get("tenants", {}).items():
            sandbox.tenants[tenant] = Tenant(sandbox, about["id"], about["token"])
        return sandbox

    def advance(self, seconds: float) -> None:
        """Advance the clock of ``--clock manual``; return when all data that became due is written."""
        self.admin("POST", "/clock/advance", {"seconds": seconds})

    def advance_until_idle(self, limit: float | None = None) -> None:
        """Advance the clock until no response waits for a later time, by at most ``limit`` seconds.

        The default is an hour. Raises Refused if responses are still pending then. Requests that clients send
        in reaction are not waited for.
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

    def stop(self) -> None:
        """Do nothing: whoever started the server stops it."""

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            add_report(value, self)
        finally:
            self._end()

    def _end(self) -> None:
        self.stop()


class Sandbox(Management, Ending):
    """A sandbox of ``gateway``: requests with ``token`` use its stubs, toxics and journal.

    ``tenants`` are those that it was created with, by name.

    As a context manager, it is deleted at the end of the block. An exception that ends the block, such as a
    failing assertion, gets the text of its report as a note. If it is ``strict``, a block that ends without
    one ends with ``verify_strict``.
    """

    def __init__(self, gateway: RunningGateway, id: str, token: str, *, strict: bool = False) -> None:
        super().__init__(gateway.base_url, token)
        self.gateway = gateway
        self.id = id
        self.token = token
        self.strict = strict
        self.tenants: dict[str, Tenant] = {}

    def delete(self) -> None:
        """Delete the sandbox and all its state, if it still exists: it may have expired."""
        self.gateway.admin("DELETE", f"/sandboxes/{self.id}", accept=(204, 404))

    def __exit__(
        self, type: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        try:
            add_report(value, self)
            if value is None and self.strict:
                self.verify_strict()
        finally:
            self._end()

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: str | None) -> Answer:
        return self.gateway._exchange(method, path, headers, body)

    _end = delete


class Tenant(Management):
    """A tenant of ``sandbox``. Its ``token`` leads to the sandbox as this tenant; ``id`` is a UUID."""

    def __init__(self, sandbox: Sandbox, id: str, token: str) -> None:
        super().__init__(sandbox.base_url, token)
        self.sandbox = sandbox
        self.id = id
        self.token = token

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: str | None) -> Answer:
        return self.sandbox._exchange(method, path, headers, body)


class MockGateway(RunningGateway):
    """A gateway in a process of its own, on a free port of the loopback interface.

    It runs from ``start`` to ``stop``, or for the block of a ``with`` statement. ``options`` are command-line
    options of ``server.py``, such as ``["--clock", "manual"]``. The server ends with this process, even if
    this process is killed. Methods raise GatewayFailed if the server exited unexpectedly.

    ``start`` returns as soon as the server accepts connections; early calls wait for a moment. With
    ``until_ready``, it returns when calls are answered at once.

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

    def __init__(self, *, token: str = TOKEN, options: Sequence[str] = (), until_ready: bool = False) -> None:
        if isinstance(options, str):
            raise TypeError(f"options must be a list, such as {options.split()}, not a string")
        # start() sets the URL; the server finds its admin token in the same variable
        ControlPlane.__init__(self, "", os.environ.get("OAGW_ADMIN_TOKEN"))
        self.token = token
        self._options = options
        self._until_ready = until_ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        """The URL of the gateway, such as ``http://127.0.0.1:41234``; RuntimeError if it is not running."""
        if self._process is None:
            raise RuntimeError("the gateway is not running")
        return self._base_url

    @property
    def pid(self) -> int:
        """The process id of the server; RuntimeError if it is not running."""
        if self._process is None:
            raise RuntimeError("the gateway is not running")
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it listens. Raises GatewayFailed if it exits instead."""
        if self._process is not None:
            raise RuntimeError("the gateway is already running")
        process = spawn(["--exit-with-parent", f"--token={self.token}", *self._options], subprocess.PIPE)
        self._base_url = announced(process, "ready" if self._until_ready else "listening")
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
            self._process.wait(EXIT_TIMEOUT)
        except subprocess.TimeoutExpired:
            return
        out, err = self._process.communicate()
        text = (out + err).decode(errors="replace").strip()
        raise GatewayFailed(f"the server exited with status {self._process.returncode}:\n{text}")

    def __enter__(self) -> Self:
        if self._process is None:
            self.start()
        return self


def start(url: str | None = None, *, token: str | None = None, options: Sequence[str] = ()) -> RunningGateway:
    """Connect to the gateway at ``url``, by default that of the variable OAGW_URL, or start a MockGateway.

    A running gateway's tokens are in OAGW_TOKEN and OAGW_ADMIN_TOKEN, unless they are the default ones. A new
    one gets the ``token`` and the ``options``. Call ``stop`` at the end, or use ``with``.
    """
    url = url or os.environ.get("OAGW_URL")
    if url:
        tokens = os.environ.get("OAGW_TOKEN", "").split() or [TOKEN]
        return RunningGateway(url, token or tokens[0], os.environ.get("OAGW_ADMIN_TOKEN"))
    gateway = MockGateway(token=token or TOKEN, options=options)
    gateway.start()
    return gateway


def _tenant(parent: str | Mapping[str, Any] | None) -> str | Mapping[str, Any] | None:
    return in_camel_case(parent) if isinstance(parent, Mapping) else parent


def spawn(
    arguments: Sequence[str], stdin: int, stderr: int | IO[bytes] = subprocess.PIPE
) -> "subprocess.Popen[bytes]":
    """Start the server on a free port."""
    package_home = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [package_home, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-m", "oagw", "0", *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={**os.environ, "PYTHONPATH": path},
    )


def announced(process: "subprocess.Popen[bytes]", event: str) -> str:
    """Wait until the server announces ``event``; return its URL. Raises GatewayFailed if it exits instead."""
    assert process.stdout is not None
    told: dict[str, str] = {}
    try:
        while told.get("event") != event:
            line = process.stdout.readline()
            if not line.startswith(b"{"):
                out, err = process.communicate()
                raise GatewayFailed((line + out + (err or b"")).decode(errors="replace").strip())
            told = json.loads(line)
    except GatewayFailed:
        raise
    except BaseException:  # for instance KeyboardInterrupt, or the timeout of a test
        process.kill()
        process.communicate()
        raise
    return told["url"]
