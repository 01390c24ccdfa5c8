"""The pytest fixtures ``oagw_gateway`` and ``oagw_sandbox``, and ``oagw_options`` to configure the gateway.

They are installed with the package. In a checkout, use ``-p oagw.pytest_plugin``. ``client.reporting`` has
what the plugin does besides: it shows what the gateway saw when a test fails, and checks strict sandboxes.
"""

import os
import platform
from collections.abc import Iterator, Sequence
from hashlib import sha256

import pytest

from oagw.client.mock_gateway import MockGateway, Refused, RunningGateway, Sandbox, start

# The gateways that the fixtures of a session use, and the sandboxes that those of a test do.
GATEWAYS = pytest.StashKey[list[RunningGateway]]()
SANDBOXES = pytest.StashKey[list["SandboxOfTest"]]()

# The largest number of characters of the name of a sandbox.
MAX_NAME = 200

# Where a worker of pytest-xdist finds the host and the process that control the run.
CONTROLLER = "oagw_controller"


class SandboxOfTest(Sandbox):
    """The sandbox of ``oagw_sandbox``."""

    def __call__(self, *, strict: bool = True) -> "SandboxOfTest":
        """Make it strict, or not strict, and return it: ``sandbox = oagw_sandbox(strict=True)``."""
        self.strict = strict
        return self


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; called by pytest."""
    group = parser.getgroup("oagw", "the mock OAGW gateway")
    group.addoption(
        "--oagw-url",
        metavar="URL",
        help="use the gateway that runs at URL instead of starting one (default: the variable OAGW_URL)",
    )
    group.addoption(
        "--oagw-strict",
        action="store_true",
        help="fail tests whose stubs were not all called, or whose calls got the gateway's own 404",
    )
    group.addoption(
        "--oagw-exam",
        metavar="NAMES",
        action="append",
        default=[],
        help="the situations of the exam that tests with oagw_situation take: names, groups or patterns, "
        "with commas between them (default: all)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; called by pytest."""
    what = "what the fixture oagw_sandbox gives this test; strict: as with --oagw-strict"
    config.addinivalue_line("markers", f"oagw(strict=False): {what}")
    if config.getoption("oagw_exam"):
        from oagw.client.exam.fixture import names

        names(config)  # now, as a UsageError is clear only at this time


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "object") -> None:
    """Tell a worker which process controls the run; called by pytest-xdist in that process."""
    node.workerinput[CONTROLLER] = (platform.node(), os.getpid())  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def oagw_options() -> Sequence[str]:
    """The command-line options of ``oagw_gateway``: none. Override this fixture in a conftest.py:

    >>> @pytest.fixture(scope="session")
    ... def oagw_options():
    ...     return ["--clock", "manual"]
    """
    return ()


@pytest.fixture(scope="session")
def oagw_gateway(request: pytest.FixtureRequest, oagw_options: Sequence[str]) -> Iterator[RunningGateway]:
    """A running gateway, shared by the whole test session. Stubs that a test adds remain.

    It is started with ``oagw_options``, unless ``--oagw-url`` or OAGW_URL says where one runs, which has its
    own. The workers of pytest-xdist share one.

    >>> def test_weather(oagw_gateway):
    ...     url = oagw_gateway.alias_url("weather") + "/current?city=Oslo"
    ...     headers = {"Authorization": f"Bearer {oagw_gateway.token}"}
    ...     assert httpx.get(url, headers=headers).json()["location"] == "Oslo"
    """
    with _gateway(request, oagw_options) as gateway:
        gateways = request.config.stash.setdefault(GATEWAYS, [])
        gateways.append(gateway)
        yield gateway
        gateways.remove(gateway)


def _gateway(request: pytest.FixtureRequest, options: Sequence[str]) -> RunningGateway:
    config = request.config
    url = config.getoption("oagw_url") or os.environ.get("OAGW_URL")
    if url:
        return start(url)
    host, controller = getattr(config, "workerinput", {}).get(CONTROLLER, (None, 0))
    if host != platform.node():
        return MockGateway(options=options)
    from oagw.client.shared import SharedGateway

    # The folder of the whole run; each worker has its own in it.
    folder = request.getfixturevalue("tmp_path_factory").getbasetemp().parent
    return SharedGateway(folder, controller, options)


@pytest.fixture
def oagw_sandbox(request: pytest.FixtureRequest, oagw_gateway: RunningGateway) -> Iterator[SandboxOfTest]:
    """A sandbox of ``oagw_gateway`` for one test, with its own stubs, toxics and journal.

    >>> def test_charge(oagw_sandbox):
    ...     oagw_sandbox.stub("POST stripe/v1/charges", status=201, json={"id": "ch_1"})
    ...     headers = {"Authorization": f"Bearer {oagw_sandbox.token}"}
    ...     answer = httpx.post(oagw_sandbox.alias_url("stripe") + "/v1/charges", headers=headers)
    ...     assert answer.json() == {"id": "ch_1"}
    ...     oagw_sandbox.verify("POST stripe/v1/charges", times=1)

    A test that fails shows what the gateway saw. In a strict sandbox, a test also fails if one of its stubs
    was not called, or if a call was answered by the gateway's own 404. Ask for that with the marker
    ``@pytest.mark.oagw(strict=True)``, in the test with ``oagw_sandbox(strict=True)``, or for all tests with
    ``--oagw-strict``.
    """
    sandbox = _named(oagw_gateway, request.node.nodeid)
    strict = bool(request.config.getoption("oagw_strict"))

    def oagw(*, strict: bool = strict) -> bool:
        return strict

    marker = request.node.get_closest_marker("oagw")
    if marker is not None:
        strict = oagw(*marker.args, **marker.kwargs)
    mine = SandboxOfTest(sandbox.gateway, sandbox.id, sandbox.token, strict=strict)
    request.node.stash.setdefault(SANDBOXES, []).append(mine)
    yield mine
    mine.delete()


def _named(gateway: RunningGateway, name: str) -> Sandbox:
    """Create a sandbox that has the ``name`` of its test, so that what is random in it does not vary."""
    if len(name) > MAX_NAME:
        name = sha256(name.encode()).hexdigest()
    try:
        return gateway.sandbox(name=name)
    except Refused:  # another run on the same gateway is at this test, too
        return gateway.sandbox()
