"""The client of the tests takes the exam over sockets: the command and its adapter."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Quick ones, of all kinds: one has two calls at once in turn, one needs another host.
QUICK = "one-write,reuse,pages-followed,redirect-other-host,not-retried-404"


def exam(*adapter: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "server.py", "exam", "--only", QUICK, "--", sys.executable, "-m"]
    return subprocess.run(
        [*command, "tests.exam.adapter", *adapter], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(
    ("client", "status", "summary"),
    [
        ((), 0, "5 passed, 0 failed, 0 not judged"),
        (("OpensConnections",), 1, "4 passed, 1 failed, 0 not judged"),
    ],
)
def test_the_adapter_takes_situations_over_sockets(
    client: tuple[str, ...], status: int, summary: str
) -> None:
    run = exam(*client)
    assert (run.returncode, run.stdout.splitlines()[-1].partition(" in ")[0]) == (status, summary), run
