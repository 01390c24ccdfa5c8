"""docs/ci.md: the steps of its job run in a shell, with stand-ins for uv and cargo."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import HOME, TIMEOUT, blocks

# ``uvx`` runs the command, which ends with the shell; ``uv`` runs pytest in this environment.
STAND_INS = f"""
python={sys.executable}
uvx() {{
  [[ "$1 $2 $3" = "--from ./mock-oagw oagw-mock" ]]
  $python -m oagw --exit-with-parent=$$ "${{@:4}}"
}}
uv() {{ $python -m pytest -p no:cacheprovider -p xdist -p oagw.pytest_plugin "${{@:9}}"; }}
cargo() {{ curl -sSf $OAGW_URL/health; }}
"""

TESTS = """
import pytest

@pytest.mark.parametrize("n", range(2))
def test_stub(oagw_gateway, oagw_sandbox, n, worker_id):
    assert (oagw_gateway.base_url, worker_id[:2]) == ("http://127.0.0.1:PORT", "gw")
    oagw_sandbox.stub("GET stripe/v1/charges", json=[])
"""


def steps() -> list[dict[str, Any]]:
    (workflow,) = blocks("docs/ci.md", "yaml")
    (job,) = yaml.safe_load(workflow)["jobs"].values()
    listed: list[dict[str, Any]] = job["steps"]
    return listed


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.skipif(importlib.util.find_spec("xdist") is None, reason="pytest-xdist is not installed")
def test_the_steps_of_the_job_run(tmp_path: Path) -> None:
    port = str(free_port())
    (tmp_path / "mock-oagw").symlink_to(HOME)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_stub.py").write_text(TESTS.replace("PORT", port))
    script = ["set -eo pipefail", STAND_INS, "export PYTHONPATH=$PWD/mock-oagw GITHUB_ENV=$PWD/environment"]
    for step in steps():
        if "run" in step:
            # As on GitHub, what a step writes to the file is in the environment of the next ones.
            run = step["run"].replace("8765", port).replace("-n auto", "-n 2")
            script += [run, "[ ! -e environment ] || export $(cat environment)"]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env={
            # Other plugins take most of the time to start.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            **{name: value for name, value in os.environ.items() if not name.startswith("OAGW_")},
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT * 2,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert "healthy" in done.stdout
    # The log, which is for failures.
    assert "POST /__admin/mappings" in done.stdout
