"""Under Node the official ``openai`` and ``@octokit/rest`` packages get what they parse, and the clients of
WireMock, ``wiremock-rest-client`` and ``wiremock-captain``, drive the control plane.

The checks are in ``node/*.mjs``. Without Node or the packages they are skipped, but never in CI.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from oagw.testing import MockGateway

SCRIPTS = Path(__file__).with_name("node")
INSTALL = "npm ci --prefix tests/clients/node"

# Seconds that a script gets; it needs a few.
PATIENCE = 60


@pytest.fixture(scope="module")
def node() -> str:
    """The path of Node, if it and the packages are here."""
    path = shutil.which("node")
    if path is None:
        lacking(f"node is not on the PATH: install Node 22 or later, then `{INSTALL}`")
    if not (SCRIPTS / "node_modules").is_dir():
        lacking(f"the Node packages are not installed: `{INSTALL}`")
    return path


def lacking(reason: str) -> NoReturn:
    """Skip, or fail in CI, where a skipped proof would go unnoticed."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def test_openai_under_node_finds_all_well(node: str, oagw_gateway: MockGateway) -> None:
    finds_all_well(node, "openai.mjs", oagw_gateway.alias_url("openai"), oagw_gateway.token)


def test_octokit_under_node_finds_all_well(node: str) -> None:
    with MockGateway(options=["--github-links"]) as gateway:
        finds_all_well(node, "octokit.mjs", gateway.alias_url("github"), gateway.token)


def test_clients_of_wiremock_under_node_find_all_well(
    node: str, wiremock_url: str, oagw_gateway: MockGateway
) -> None:
    finds_all_well(node, "wiremock.mjs", wiremock_url, oagw_gateway.token)


def finds_all_well(node: str, script: str, url: str, token: str) -> None:
    ended = subprocess.run(
        [node, SCRIPTS / script],
        env=os.environ | {"OAGW_URL": url, "OAGW_TOKEN": token},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )

    assert ended.returncode == 0, f"{script}, in its last line here:\n{ended.stdout}\n{ended.stderr}"
    assert ended.stdout.endswith("all is well\n")
