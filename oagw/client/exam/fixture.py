"""The pytest fixture ``oagw_situation``: a test that takes it is run once for each situation of the exam."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import quote

import pytest

from oagw.client.exam.reports import checked_report, complete, masked, no_report, not_possible
from oagw.client.mock_gateway import RunningGateway
from oagw.exam.explanation import one_line
from oagw.exam.selection import UnknownSituation, selected
from oagw.exam.verdict import FAILED, NOT_JUDGED

# Makes a call, and returns the report on it.
Client = Callable[[dict[str, Any]], Mapping[str, Any]]

# The situations of a test: the fixture gives one to each.
SITUATIONS = pytest.StashKey[list["SituationOfTest"]]()


class SituationOfTest:
    """The situation ``name`` of the exam, to be taken with a client of this process."""

    def __init__(self, gateway: RunningGateway, name: str) -> None:
        self._gateway = gateway
        self.name = name
        self.taken = False

    def take(self, client: Client) -> dict[str, Any]:
        """Let ``client`` make the calls of the situation, and return the judgement if it passed.

        ``client`` is called with each call, a dict as an adapter reads it, and returns the report, as an
        adapter writes it, without ``id``. It runs in threads. What it raises fails the test. If it takes
        longer than the situation allows, that is judged, and the thread is left alone.

        Raises AssertionError, with the evidence, if the client failed; skips the test if it was not judged.
        """
        __tracebackhide__ = True
        self.taken = True
        path = f"/exam/{quote(self.name, safe='')}"
        examination = self._gateway.admin("POST", path, accept=(201, 409))
        if (why := not_possible(examination)) is not None:
            pytest.skip(f"not judged: {why['text']}")
        reports = _made(client, examination)
        judged: dict[str, Any] = self._gateway.admin(
            "POST", f"{path}/{quote(examination['id'], safe='')}", {"reports": reports}, accept=(200,)
        )
        judged = masked(judged, examination["calls"])
        if judged["verdict"] == FAILED:
            raise AssertionError(f"{self.name}: {judged['explanation']}")
        if judged["verdict"] == NOT_JUDGED:
            pytest.skip(f"not judged: {one_line(judged['text'])}")
        return judged


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the fixture once for each situation that ``--oagw-exam`` selects; called by pytest."""
    if "oagw_situation" in metafunc.fixturenames:
        metafunc.parametrize("oagw_situation", names(metafunc.config), indirect=True)


def names(config: pytest.Config) -> list[str]:
    """Return the names of the situations that ``--oagw-exam`` selects."""
    try:
        return [one["name"] for one in selected(_catalogue(), config.getoption("oagw_exam"))]
    except UnknownSituation as unknown:
        raise pytest.UsageError(f"--oagw-exam: {unknown}") from None


@pytest.fixture
def oagw_situation(request: pytest.FixtureRequest, oagw_gateway: RunningGateway) -> SituationOfTest:
    """A situation of the exam on ``oagw_gateway``. The test runs once for each, or for those of --oagw-exam.

    >>> def test_my_client(oagw_situation):
    ...     oagw_situation.take(make)  # make(call) returns a report
    """
    situation = SituationOfTest(oagw_gateway, request.param)
    request.node.stash.setdefault(SITUATIONS, []).append(situation)
    return situation


def _catalogue() -> Sequence[Mapping[str, Any]]:
    """Return name and group of all situations, from the data: there may be no gateway yet."""
    from oagw.exam.catalogue import SITUATIONS as ALL

    return [{"name": one.name, "group": one.group} for one in ALL.values()]


def _made(client: Client, examination: Mapping[str, Any]) -> list[Any]:
    """Return the reports on the calls of ``examination``, in their order."""
    __tracebackhide__ = True
    calls: Sequence[Mapping[str, Any]] = examination["calls"]
    done: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    reports: dict[str, Any] = {}
    at_once, began = examination["at_once"], time.monotonic()
    for number, call in enumerate(calls):
        if at_once:
            time.sleep(max(0.0, began + number * examination["stagger"] - time.monotonic()))
        threading.Thread(target=_make, args=(client, call, done), daemon=True).start()
        if at_once and number + 1 < len(calls):
            continue
        until = time.monotonic() + examination["deadline"]
        while len(reports) <= number:
            try:
                id, report = done.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                return complete(calls, reports, lambda id: no_report(id, "none"))
            if isinstance(report, BaseException):
                raise report
            reports[id] = report
    return complete(calls, reports, lambda id: no_report(id, "none"))


def _make(client: Client, call: Mapping[str, Any], done: "SimpleQueue[tuple[str, Any]]") -> None:
    id = call["id"]
    try:
        report = client(dict(call))
        try:
            checked = checked_report(report, call["kind"])
        except ValueError as why:
            raise ValueError(f"the client returned {report!r:.200}, which is not a report: {why}") from None
        done.put((id, {**checked, "id": id}))
    except BaseException as error:  # raised by the test
        done.put((id, error))
