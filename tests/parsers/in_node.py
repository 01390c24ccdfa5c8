"""Parsers in JavaScript: the scripts in ``node``, of which each reads all cases in one process."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oagw.testing import MockGateway
from tests.parsers.observed import UNSEEN, Observed
from tests.support.event_stream import Received
from tests.support.stream_cases import CASES, Case, expected

SCRIPTS = Path(__file__).with_name("node")
INSTALL = "npm ci --prefix tests/parsers/node"

# Event types that a parser could make up, by mistake; those that a case expects come on top.
LIKELY_TYPES = ("update", "ping", "done", "complete", "Message", "a", "b", "data", "event", "undefined", "")

# Seconds that a script gets for all its cases.
PATIENCE = 80


def lacking_node() -> str | None:
    """What keeps the scripts from running, and the remedy; None if nothing does."""
    if shutil.which("node") is None:
        return f"node is not on the PATH: install Node 20 or later, then `{INSTALL}`"
    if not (SCRIPTS / "node_modules").is_dir():
        return f"the Node packages are not installed: `{INSTALL}`"
    return None


def chromium() -> str | None:
    """The path of Chromium: the environment's CHROMIUM, or the one on the path."""
    return shutil.which(os.environ.get("CHROMIUM", "chromium"))


def node_version(package: str) -> str:
    """The version of a package that is installed for the scripts, or else of the one that would be."""
    lock = json.loads((SCRIPTS / "package-lock.json").read_text())
    return lock["packages"][f"node_modules/{package}"]["version"]


def chromium_version() -> str:
    """Chromium's major version, or a question mark where there is no Chromium."""
    path = chromium()
    if path is None:
        return "?"
    command = [path, "--version"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout  # "Chromium 140.0.1..."
    return said.partition("Chromium ")[2].partition(".")[0] or "?"


def observe_all(script: str, gateway: MockGateway, cases: Sequence[Case]) -> dict[str, Observed]:
    """What the parser in ``script`` makes of each case, by name; RuntimeError if the script fails."""
    node = shutil.which("node")
    assert node is not None
    asked = {
        "url": gateway.base_url + CASES,
        "token": gateway.token,
        "cases": [{"name": case["name"], "types": _types(case)} for case in cases],
    }
    ended = subprocess.run(
        [node, SCRIPTS / script],
        input=json.dumps(asked).encode(),
        capture_output=True,
        timeout=PATIENCE,
    )
    if ended.returncode != 0:
        raise RuntimeError(f"{script}: {ended.stderr.decode(errors='replace')}")
    return {name: _observed(**found) for name, found in json.loads(ended.stdout).items()}


def _types(case: Case) -> list[str]:
    return sorted({event.type for event in expected(case).events}.union(LIKELY_TYPES))


def _observed(events: list[list[str]], **more: Any) -> Observed:
    found: dict[str, Any] = {"retry": UNSEEN, "reconnects": UNSEEN, **more}
    return Observed([Received(*event) for event in events], **found)
