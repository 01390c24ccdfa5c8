"""The pytest plugin in runs of its own: what a failing test shows, strict sandboxes, other runners."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from launched import ROOT, listens, until

from oagw.testing import MockGateway

RUN_SECONDS = 60

CALL = """
import os, pathlib, urllib.error, urllib.request
import pytest

HERE = pathlib.Path(__file__).parent


def call(sandbox, path):
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    request = urllib.request.Request(sandbox.alias_url("stripe") + path, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
"""

PLAIN = """
def test_a_failure(oagw_sandbox):
    oagw_sandbox.stub("GET stripe/charges", mapping={"name": "charges"})
    assert call(oagw_sandbox, "/charge?api_key=secret-of-the-test") == 200


def test_a_success(oagw_sandbox):
    oagw_sandbox.stub("GET stripe/never")
    assert call(oagw_sandbox, "/x") == 404


def test_its_sandbox_has_its_name(oagw_gateway, oagw_sandbox):
    (sandbox,) = oagw_gateway.admin("GET", "/sandboxes")["sandboxes"]
    assert sandbox["name"] == "test_it.py::test_its_sandbox_has_its_name"


def test_the_shared_gateway_before(oagw_gateway):
    call(oagw_gateway, "/before")


def test_the_shared_gateway(oagw_gateway):
    assert call(oagw_gateway, "/now") == 200


@pytest.mark.oagw(strict=True)
def test_strict_with_a_stub_left(oagw_sandbox):
    oagw_sandbox.stub("GET stripe/x")
    oagw_sandbox.stub("GET stripe/y")
    call(oagw_sandbox, "/x")


def test_strict_with_a_404_of_the_gateway(oagw_sandbox):
    call(oagw_sandbox(strict=True), "/x")


@pytest.mark.oagw(strict=True)
def test_strict_and_fine(oagw_sandbox):
    oagw_sandbox.stub("GET stripe/x", status=404)
    call(oagw_sandbox, "/x")


@pytest.fixture
def client(oagw_sandbox):
    assert call(oagw_sandbox, "/set-up") == 200


def test_a_set_up(client):
    pass
"""

TRIAL = """
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase


class Trial(TestCase):
    @pytest.fixture(autouse=True)
    def _sandbox(self, oagw_sandbox):
        self.sandbox = oagw_sandbox

    async def test_trial(self):
        self.sandbox.stub("GET stripe/x")
        self.assertEqual(await deferToThread(call, self.sandbox, "/x"), 200)

    @pytest.mark.oagw(strict=True)
    def test_strict_trial(self):
        self.assertEqual(call(self.sandbox, "/trial"), 404)
"""

LOOPS = """
import asyncio
import pytest_twisted
from twisted.internet.threads import deferToThread


@pytest_twisted.ensureDeferred
async def test_twisted(oagw_sandbox):
    oagw_sandbox.stub("GET stripe/x")
    assert await deferToThread(call, oagw_sandbox, "/x") == 200
    assert await deferToThread(call, oagw_sandbox, "/of-twisted") == 200


@pytest_twisted.ensureDeferred
@pytest.mark.oagw(strict=True)
async def test_strict_twisted(oagw_sandbox):
    oagw_sandbox.stub("GET stripe/left")


@pytest.mark.asyncio
async def test_asyncio(oagw_sandbox):
    oagw_sandbox.stub("GET stripe/x")
    assert await asyncio.to_thread(call, oagw_sandbox, "/x") == 200
    assert await asyncio.to_thread(call, oagw_sandbox, "/of-asyncio") == 200


@pytest.mark.asyncio
@pytest.mark.oagw(strict=True)
async def test_strict_asyncio(oagw_sandbox):
    oagw_sandbox.stub("GET stripe/left")
"""

WORKERS = """
@pytest.mark.parametrize("n", range(6))
def test_a_share(oagw_sandbox, n):
    assert call(oagw_sandbox, "/x") == 404
    assert len(oagw_sandbox.requests()) == 1
    (HERE / f"{os.environ['PYTEST_XDIST_WORKER']}.{n}").write_text(oagw_sandbox.base_url)
    if not (HERE / "crashed").exists():
        (HERE / "crashed").touch()
        os._exit(1)  # the worker that started the server, maybe
"""

EXAM = """
def make(call):
    request = urllib.request.Request(call["url"], headers={"Authorization": f"Bearer {call['token']}"})
    try:
        urllib.request.urlopen(request, timeout=call["timeout"]).close()
    except urllib.error.HTTPError as error:
        with error:
            return {"outcome": "error", "error": "HTTPError", "status": error.code}


def test_right(oagw_situation):
    oagw_situation.take(make)


def test_wrong(oagw_situation):
    oagw_situation.take(lambda call: {"outcome": "value", "value": "wrong"})


def test_unsupported(oagw_situation):
    oagw_situation.take(lambda call: {"outcome": "unsupported"})


def test_raises(oagw_situation):
    oagw_situation.take(lambda call: {}["bug"])


def test_not_taken(oagw_situation):
    pass


def test_not_taken_for_a_reason(oagw_situation):
    pytest.skip("no time")
"""

RUNNERS = """
import unittest
from oagw.testing import start


class Plain(unittest.TestCase):
    def test_a_failure(self):
        with start() as gateway, gateway.sandbox() as sandbox:
            self.assertEqual(call(sandbox, "/of-unittest"), 200)

    def test_strict(self):
        with start() as gateway, gateway.sandbox(strict=True) as sandbox:
            sandbox.stub("GET stripe/left")
"""


def answers(url: str) -> bool:
    """Whether somebody listens at ``url``."""
    host, _, port = url.removeprefix("http://").partition(":")
    return listens(host, int(port))


def run(folder: Path, tests: str, *options: str, runner: str = "pytest", **variables: str) -> str:
    """What a ``runner`` says of ``tests``, which it finds in ``folder``."""
    (folder / "test_it.py").write_text(CALL + tests)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers -p no:cacheprovider\n")
    if runner == "pytest":
        options = ("-p", "oagw.pytest_plugin", *options)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OAGW_")}
    environment["COVERAGE_FILE"] = str(ROOT / ".coverage")  # if coverage is measured, then in one place
    return subprocess.run(
        [sys.executable, "-m", runner, *options, "test_it.py"],
        cwd=folder,
        # Only the plugins that the options name: to load all takes longer than the tests.
        env={**environment, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    ).stdout


def failure(said: str, name: str) -> str:
    """The part of the output that is about the failure of the test ``name``."""
    found = re.search(rf"^_+ (?:ERROR at setup of )?\S*{name} _+$", said, re.MULTILINE)
    assert found, said
    rest = said[found.end() :]
    return re.split(r"^(?:_{5,}.*_{5,}|={5,}.*={5,})$", rest, maxsplit=1, flags=re.MULTILINE)[0]


def test_a_failing_test_shows_what_the_gateway_saw_and_a_strict_one_fails(tmp_path: Path) -> None:
    said = run(tmp_path, PLAIN)

    shown = failure(said, "test_a_failure")
    assert "oagw_sandbox: what the gateway saw" in shown
    assert 'The nearest stub is GET [path] /api/oagw/v1/proxy/stripe/charges "charges"' in shown
    assert "    ! url     expected  [path] /api/oagw/v1/proxy/stripe/charges   <<<" in shown
    assert re.search(r"^all requests:\n +\+0.000 s  GET /\S*/charge\?api_key=\S+ -> 404 from", shown, re.M)
    assert "secret-of-the-test" not in shown.partition("what the gateway saw")[2]
    # Only the calls of this test, though the default sandbox has those of others.
    shared = failure(said, "test_the_shared_gateway")
    assert "unmatched: GET /api/oagw/v1/proxy/stripe/now ->" in shared
    assert "/before" not in shared
    assert "unmatched: GET /api/oagw/v1/proxy/stripe/set-up ->" in failure(said, "test_a_set_up")
    # Strict: in the call phase, so that these are failures and not errors.
    left = failure(said, "test_strict_with_a_stub_left")
    assert "A stub was not called: id " in left
    assert "  GET [path] /api/oagw/v1/proxy/stripe/y: It matched no request." in left
    answered = failure(said, "test_strict_with_a_404_of_the_gateway")
    assert "A call was answered by the gateway's own 404:\n  GET /api/oagw/v1/proxy/stripe/x ->" in answered
    assert re.search("4 failed, 4 passed, 1 error in ", said), said


def test_it_works_on_event_loops(tmp_path: Path) -> None:
    if importlib.util.find_spec("pytest_asyncio") is None:
        pytest.skip("pytest-asyncio is not installed; requirements-dev.txt has it")

    said = run(
        tmp_path,
        LOOPS,
        *("-p", "twisted", "-p", "pytest_asyncio.plugin"),
        *("-o", "asyncio_default_fixture_loop_scope=function"),
    )

    for loop in ("twisted", "asyncio"):
        assert f"unmatched: GET /api/oagw/v1/proxy/stripe/of-{loop} ->" in failure(said, f"test_{loop}")
        assert "A stub was not called: id" in failure(said, f"test_strict_{loop}")
    assert "4 failed in " in said, said


def test_it_works_with_trial_and_on_a_gateway_that_runs(tmp_path: Path, gateway: MockGateway) -> None:
    said = run(tmp_path, TRIAL, "--oagw-strict", "--oagw-url", gateway.base_url)

    assert "A call was answered by the gateway's own 404:" in failure(said, "test_strict_trial")
    assert "1 failed, 1 passed in " in said, said
    assert gateway.admin("GET", "/sandboxes") == {"sandboxes": []}
    assert answers(gateway.base_url)


def test_other_runners_print_it_as_a_note(tmp_path: Path, gateway: MockGateway) -> None:
    said = run(tmp_path, RUNNERS, runner="unittest", OAGW_URL=gateway.base_url)

    assert re.search("404 != 200\nWhat the gateway saw:\n1 request, 0 findings\n\nunmatched: GET /", said), (
        said
    )
    assert "A stub was not called: id " in said
    assert "Ran 2 tests" in said
    assert "FAILED (failures=2)" in said
    assert answers(gateway.base_url)


def test_workers_share_a_server_that_ends_with_the_run(tmp_path: Path) -> None:
    if importlib.util.find_spec("xdist") is None:
        pytest.skip("pytest-xdist is not installed; requirements-dev.txt has it")

    said = run(tmp_path, WORKERS, "-p", "xdist", "-n", "2")

    assert "1 failed, 5 passed in " in said, said
    shares = list(tmp_path.glob("gw*.*"))
    assert len({share.stem for share in shares}) > 1
    (url,) = {share.read_text() for share in shares}
    until(lambda: not answers(url))


def test_each_verdict_has_its_outcome_on_workers(tmp_path: Path) -> None:
    if importlib.util.find_spec("xdist") is None:
        pytest.skip("pytest-xdist is not installed; requirements-dev.txt has it")

    said = run(tmp_path, EXAM, "-p", "xdist", "-n", "1", "-rs", "--oagw-exam", "retry-after-seconds")

    wrong = failure(said, r"test_wrong\[retry-after-seconds\]")
    assert "AssertionError: retry-after-seconds: The client returns " in wrong
    assert "What a correct client does: " in wrong
    assert "oagw_gateway: what it saw" not in wrong
    assert "oagw/client/exam/fixture.py" not in wrong
    assert "KeyError: 'bug'" in failure(said, r"test_raises\[retry-after-seconds\]")
    idle = failure(said, r"test_not_taken\[retry-after-seconds\]")
    assert "the test did not take the situation retry-after-seconds" in idle
    assert "not judged: The client does not support" in said
    assert "3 failed, 1 passed, 2 skipped in " in said, said


def test_an_unknown_situation_is_a_usage_error(tmp_path: Path) -> None:
    said = run(tmp_path, EXAM, "--oagw-exam=retry,retry-after-secnds")
    assert said.startswith(
        'ERROR: --oagw-exam: there is no situation or group "retry-after-secnds", '
        'did you mean "retry-after-seconds"?'
    )
    assert "Traceback" not in said
