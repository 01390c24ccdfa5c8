"""The gateway under test, and a client for each of its tenants. README.md explains the rig."""

import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from json import loads
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.conformance.client import Client, Clients, Rig
from tests.conformance.lab import Lab, open_lab
from tests.conformance.rigged import gateway_file
from tests.conformance.rigged import rig as rig_of

HOME = Path(__file__).resolve().parents[2]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--gateway", metavar="URL", help="the gateway to test, instead of our own server")
    group.addoption("--rig", metavar="FILE", help="the tokens and tenants of that gateway (TOML)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of the mock's own decisions for another gateway."""
    given = _given(config)
    if given is None or given.double:
        return
    left_out = [item for item in items if item.get_closest_marker("double") is not None]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _given(config: pytest.Config) -> Rig | None:
    """The rig of the command line."""
    url, path = (config.getoption(name, None) for name in ("--gateway", "--rig"))
    if url is None and path is None:
        return None
    if url is None or path is None:
        raise pytest.UsageError("--gateway and --rig belong together")
    return Rig(url, **tomllib.loads(Path(path).read_text()))


@contextmanager
def ours(**settings: Any) -> Iterator[str]:
    """Our own server with the rig and ``settings``, in a process of its own; gives its URL."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "gateway.toml")
        file.write_text(gateway_file(**settings))
        command = [sys.executable, "server.py", "--config", str(file)]
        with subprocess.Popen(command, cwd=HOME, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                url: str = loads(process.stdout.readline())["url"]
                yield url
            finally:
                process.terminate()


@pytest.fixture(scope="session")
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """The gateway under test."""
    given = _given(request.config)
    if given is not None:
        yield given
        return
    with ours() as url:
        yield rig_of(url)


@pytest.fixture(scope="session")
def patient() -> Iterator[tuple[Client, Callable[[float], Any]]]:
    """A client of our server with a manual clock, and a function that advances it."""
    waits = {"proxy_timeout_seconds": 60, "streaming_idle_timeout_seconds": 10}
    with ours(clock="manual", **waits) as url:
        client = Client(rig_of(url), "root")
        yield client, lambda seconds: client.ask("POST", "//__admin/clock/advance", {"seconds": seconds})
        client.clean_up()


@pytest.fixture(scope="session")
def open_upstream() -> Iterator[Lab]:
    """The upstream of all tests."""
    yield from open_lab()


@pytest.fixture
def lab(open_upstream: Lab) -> Lab:
    """The upstream that this test plays."""
    open_upstream.clear()
    return open_upstream


@pytest.fixture
def clients(rig: Rig) -> Iterator[Clients]:
    """A function that returns the client of a role, always the same one."""
    known: dict[str | None, Client] = {}

    def client(role: str | None) -> Client:
        return known.setdefault(role, Client(rig, role))

    yield client
    for one in known.values():
        one.clean_up()


@pytest.fixture
def root(clients: Clients) -> Client:
    """The client of the root tenant."""
    return clients("root")


@pytest.fixture
def hierarchy_root(clients: Clients) -> Client:
    """The client of tenant 0001."""
    return clients("hierarchy_root")


@pytest.fixture
def left_child(clients: Clients) -> Client:
    """The client of tenant 0002."""
    return clients("left_child")


@pytest.fixture
def right_child(clients: Clients) -> Client:
    """The client of tenant 0005."""
    return clients("right_child")


@pytest.fixture
def outsider(clients: Clients) -> Client:
    """The client of a tenant that is not in the tree."""
    return clients("outsider")


@pytest.fixture
def nobody(clients: Clients) -> Client:
    """The client of the nil tenant."""
    return clients("nobody")


@pytest.fixture
def anonymous(clients: Clients) -> Client:
    """A client without a token."""
    return clients(None)
