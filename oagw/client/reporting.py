"""Report what the gateway saw at the end of a test, and check strict sandboxes, for the pytest plugin."""

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import pytest

from oagw.client.exam.fixture import SITUATIONS
from oagw.client.failure import text_of
from oagw.client.fixtures import GATEWAYS, SANDBOXES
from oagw.client.mock_gateway import RunningGateway, Sandbox

# When the test began, on the clock of each gateway.
_BEGAN = pytest.StashKey[dict[RunningGateway, datetime]]()


class _Since:
    """The default sandbox of ``gateway``, limited to the requests since ``began``, the start of the test."""

    def __init__(self, gateway: RunningGateway, began: datetime | None) -> None:
        self._gateway = gateway
        self._began = began

    def report_text(self) -> str:
        return self._gateway.report_text(since=self._began)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note when a test begins that uses the gateway without a sandbox; called by pytest."""
    names = getattr(item, "fixturenames", ())
    if "oagw_gateway" in names and not {"oagw_sandbox", "oagw_situation"} & set(names):
        item.stash[_BEGAN] = began = {}
        for gateway in item.config.stash.get(GATEWAYS, ()):
            try:
                now = gateway.admin("GET", "/clock")["now"]
            except Exception:  # the test will notice
                continue
            began[gateway] = datetime.fromtimestamp(now, UTC)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test that passed so far, but left its strict sandbox or its exam undone; called by pytest."""
    result = yield
    for situation in item.stash.get(SITUATIONS, ()):
        if not situation.taken:
            pytest.fail(f"the test did not take the situation {situation.name}", pytrace=False)
    for sandbox in item.stash.get(SANDBOXES, ()):
        why = _why_not(sandbox) if sandbox.strict else ""
        if why:
            pytest.fail(why, pytrace=False)
    return result


def _why_not(sandbox: Sandbox) -> str:
    """Return why a strict ``sandbox`` fails its test, or ""."""
    try:
        sandbox.verify_strict()
    except AssertionError as error:
        return str(error)
    return ""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failed test what the gateway saw; called by pytest."""
    report = yield
    if report.failed and report.when != "teardown":
        for sandbox in item.stash.get(SANDBOXES, ()):
            report.sections.append(("oagw_sandbox: what the gateway saw", text_of(sandbox)))
        if _BEGAN in item.stash:
            for gateway in item.config.stash.get(GATEWAYS, ()):
                since = _Since(gateway, item.stash[_BEGAN].get(gateway))
                report.sections.append(("oagw_gateway: what it saw", text_of(since)))
    return report
