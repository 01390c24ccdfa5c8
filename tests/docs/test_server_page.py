"""docs/server.md: its table has the options of --help, its commands run."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from oagw.config import Config
from oagw.options import SETTINGS
from tests.docs.pages import HOME, blocks, table
from tests.docs.processes import BIN, get, running

SECTION = "A file for the gateway"


def test_the_options_are_those_of_help() -> None:
    command = [sys.executable, str(HOME / "server.py"), "--help"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    option = r"--[a-z][a-z-]+"
    listed = " ".join(cell for cell, _ in table("docs/server.md", "Options", "Option"))
    assert set(re.findall(option, listed)) == set(re.findall(option, told))


def test_the_settings_of_a_file_are_listed_with_their_defaults() -> None:
    listed = {key.strip("`"): default for key, default, _ in table("docs/server.md", SECTION, "Key")}
    defaults = Config()
    assert listed == {
        one.key: f"{getattr(defaults, one.field):g}" for one in SETTINGS if one.type is float
    } | {one.key: str(getattr(defaults, one.field)).lower() for one in SETTINGS if one.type is not float}


def test_the_server_runs_with_the_file(tmp_path: Path) -> None:
    (text,) = blocks("docs/server.md", "toml")
    (tmp_path / "gateway.toml").write_text(text)
    command = f"CHILD_TOKEN=child-token {sys.executable} {HOME}/server.py --port 0 --config gateway.toml"

    with running(command, tmp_path) as line:
        url = json.loads(line)["url"]

        def ask(path: str, token: str, *options: str) -> Any:
            text = get(f"{url}{path}", "-H", f"Authorization: Bearer {token}", *options)
            return json.loads(text) if text else None

        (upstream,) = ask("/api/oagw/v1/upstreams", "root-token")
        (route,) = ask("/api/oagw/v1/routes", "root-token")
        assert (upstream["alias"], route["upstream_id"]) == ("echo.test", upstream["id"])
        assert ask("/api/oagw/v1/upstreams", "child-token") == []
        assert ask("/api/oagw/v1/status", "child-token")["registered_aliases"].count("echo.test") == 1
        reached = ask("/api/oagw/v1/proxy/echo.test/anything/x", "child-token")
        assert ["authorization", "Bearer not-a-real-key"] in reached["headers"]
        ask(f"/api/oagw/v1/upstreams/{upstream['id'].replace('~', '%7E')}", "root-token", "-X", "DELETE")
        assert ask("/api/oagw/v1/routes", "root-token") == []
        ask("/__admin/reset", "root-token", "-X", "POST")
        assert ask("/api/oagw/v1/upstreams", "root-token") == [upstream]
        assert ask("/api/oagw/v1/routes", "root-token") == [route]


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
