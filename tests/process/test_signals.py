"""What the server makes of signals, also of those that its parent ignored or blocked."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from launched import ROOT, SERVER, TWISTD, Launched, until

# Starts a command with signals that are ignored, and others that are blocked, as a parent may leave them.
INHERITING = """
import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.argv[1], sys.argv[1:])
"""
INHERITED = (sys.executable, "-c", INHERITING, *SERVER)


@pytest.mark.parametrize(
    "command", [SERVER, INHERITED, (*TWISTD, "oagw")], ids=["plain", "ignored", "twistd"]
)
def test_a_hangup_without_a_folder_of_stubs_is_ignored_with_a_line(
    command: list[str], tmp_path: Path
) -> None:
    place = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    with Launched("0", command=command, **place) as server:
        assert server.get()[0] == 200
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "ignoring SIGHUP" in server.said())
        assert server.get()[0] == 200
        lines = [line for line in server.said().splitlines() if "SIGHUP" in line]
        assert lines == ["ignoring SIGHUP: without --mappings there is nothing to reload"]


def test_a_hangup_while_the_server_starts_does_not_end_it() -> None:
    with Launched("0") as server:
        server.process.send_signal(signal.SIGHUP)
        assert server.get()[0] == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
@pytest.mark.parametrize("when", ["while it starts", "when it answers"])
def test_signals_stop_the_server_though_its_parent_ignored_or_blocked_them(
    number: signal.Signals, when: Any
) -> None:
    with Launched("0", command=INHERITED) as server:
        if when == "when it answers":
            assert server.get()[0] == 200
        assert server.stop(number) == 0
