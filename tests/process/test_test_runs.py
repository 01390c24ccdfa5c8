"""Runs of tests: a test that fails leaves nothing to the next one, and ignored signals are not inherited."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from launched import ROOT

RUN_SECONDS = 60

# With these, coverage starts in child processes, and takes their SIGTERM.
MEASURING = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")

# What a test may hold when it fails.
FAILING = """
import gc, os, socket, subprocess, sys, threading

import pytest_twisted
from launched import SERVER, Launched
from oagw.config import Config
from oagw.testing import MockGateway
from tests.live.test_live_reactor import Client, Running
from tests.support.wire import BEARER, request

ENDLESS = request("GET /oagw/v1/proxy/stream-test/events?count=0&interval=0 HTTP/1.1", "Host: g", BEARER)


def test_that_fails_with_servers_and_streams():
    with MockGateway() as gateway, Launched("0", stdin=subprocess.PIPE) as server:
        streams = [server.stream() for _ in range(3)]
        server.connect().sendall(b"GET")
        assert gateway.base_url == server.event, "on purpose"


def test_that_fails_as_its_server_does_not_start():
    with Launched("--no-such-option"):
        pass


def test_that_fails_as_its_server_is_not_there():
    with Launched(command=("/no/such/server",)):
        pass


@pytest_twisted.ensureDeferred
async def test_that_fails_with_clients_that_do_not_read():
    async with Running(Config(port=0)) as running:
        clients = [await running.connect(Client(ENDLESS)) for _ in range(3)]
        for client in clients:
            await client.more()
            client.transport.pauseProducing()
        assert not clients, "on purpose"


def test_that_follows():
    gc.collect()  # what is left unclosed is an error in this test
    assert threading.active_count() == 1
    try:
        left, _ = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return
    raise AssertionError(f"a child process is left: {left}")
"""

INHERITED = """
import signal, subprocess, sys


def test_a_child_process_has_default_signals():
    script = "import signal; print([signal.getsignal(n).name for n in (signal.SIGHUP, signal.SIGTERM)])"
    script += "; print(signal.getsignal(signal.SIGINT), signal.pthread_sigmask(0, []))"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    first, second = said.splitlines()
    assert first == "['SIG_DFL', 'SIG_DFL']"
    assert "default_int_handler" in second
    assert second.endswith("set()")


def test_the_session_itself_goes_on_to_ignore_them():
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGHUP)
"""

# Starts a command with signals ignored and blocked, as nohup and a background shell leave them, and more so.
IGNORING = """
import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
os.execv(sys.argv[1], sys.argv[1:])
"""


def run(folder: Path, tests: str, *before: str) -> str:
    """What pytest says of ``tests``, in the way it runs the tests here; ``before`` starts it."""
    (folder / "test_it.py").write_text(tests)
    path = os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "process")))
    options = ("-p", "no:cacheprovider", "-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml"))
    return subprocess.run(
        [*before, sys.executable, "-m", "pytest", *options, str(folder / "test_it.py")],
        cwd=ROOT,
        env={**{k: v for k, v in os.environ.items() if k not in MEASURING}, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    ).stdout


def test_a_test_that_fails_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    said = run(tmp_path, FAILING)
    failed = re.findall(r"^FAILED .*::(\w+)", said, re.MULTILINE)
    assert sorted(failed) == sorted(re.findall(r"def (test_that_fails\w*)", FAILING)), said
    assert len(re.findall(r"^E .*: on purpose$", said, re.MULTILINE)) == 2, said
    assert re.search(r"4 failed, 1 passed in ", said), said
    assert "Warning" not in said, said


@pytest.mark.parametrize("before", [(), (sys.executable, "-c", IGNORING)], ids=["plain", "ignored"])
def test_child_processes_of_tests_have_default_signals(tmp_path: Path, before: tuple[str, ...]) -> None:
    tests = INHERITED if before else INHERITED.partition("def test_the_session")[0]
    said = run(tmp_path, tests, *before)
    assert f"{tests.count('def test_')} passed" in said, said
