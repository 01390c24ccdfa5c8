"""docs/server.md: its table has the options of --help, its commands run."""

import json
import re
import subprocess
import sys

from tests.docs.pages import HOME, blocks, table
from tests.docs.processes import BIN, get, running


def test_the_options_are_those_of_help() -> None:
    command = [sys.executable, str(HOME / "server.py"), "--help"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    option = r"--[a-z][a-z-]+"
    listed = " ".join(cell for cell, _ in table("docs/server.md", "Options", "Option"))
    assert set(re.findall(option, listed)) == set(re.findall(option, told))


def test_the_twistd_examples_run() -> None:
    (commands,) = blocks("docs/server.md", "sh")
    as_service, as_web = commands.replace(".venv/bin", BIN).replace("9000", "0").splitlines()
    pidfile = " --pidfile= "
    with running(as_service.replace(" -n ", " -n" + pidfile), HOME) as line:
        (announced,) = blocks("docs/first-test.md", "json")
        assert json.loads(line).keys() == json.loads(announced).keys()
        assert "healthy" in get(json.loads(line)["url"] + "/health")
    with running(as_web.replace(" -n ", " -n" + pidfile), HOME, "both") as line:
        (port,) = re.findall(r"starting on (\d+)", line)
        authorization = "Authorization: Bearer test-integration-token"
        assert "operational" in get(f"http://127.0.0.1:{port}/api/oagw/v1/status", "-H", authorization)
