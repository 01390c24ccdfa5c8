"""docs/containers.md: its image has what it needs, and its command runs with the image's variables."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import httpx
import pytest

from oagw.config import parse_args
from oagw.options import OPTIONS
from tests.docs.pages import HOME, TIMEOUT, blocks

(DOCKERFILE,) = blocks("docs/containers.md", "dockerfile")
(EXAMPLE,) = blocks("docs/containers.md", "python")
(COMPOSE,) = blocks("docs/containers.md", "yaml")

ENV = dict(word.split("=", 1) for word in shlex.split(re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE)[0]))
TOKEN = ENV["OAGW_ADMIN_TOKEN"]


def address() -> str:
    """An address of this machine that is not the loopback one, if it has any."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return "127.0.0.2"
        name: str = probe.getsockname()[0]
        return name


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server that was started as in the image."""
    env = {**os.environ, **ENV, "OAGW_PORT": "0"}
    command = [sys.executable, "-m", "oagw"]
    with subprocess.Popen(
        command, cwd=HOME, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdout is not None
        listening = json.loads(server.stdout.readline())
        assert listening["host"] == "0.0.0.0"
        yield listening["port"]
        server.terminate()


def test_the_image_has_what_the_package_is_built_from() -> None:
    project = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]
    copied = [
        part for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE) for part in line.split()[:-1]
    ]
    assert sorted(copied) == ["README.md", "oagw", "pyproject.toml", "twisted"]
    assert [*project["scripts"]] == json.loads(re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)[0])


def test_its_variables_are_options() -> None:
    known = {option.variable for option in OPTIONS}
    assert ENV.keys() <= known
    assert set(re.findall(r"OAGW_\w+", COMPOSE)) <= {*known, "OAGW_URL"}
    config = parse_args([], environ=ENV)
    assert (config.host, config.admin_token) == ("0.0.0.0", TOKEN)


def test_its_health_check_passes(port: int) -> None:
    command: list[str] = json.loads(re.findall(r"HEALTHCHECK .* CMD (.*)$", DOCKERFILE, re.MULTILINE)[0])
    check = command[-1].replace("8765", str(port))
    subprocess.run([sys.executable, *command[1:-1], check], check=True, timeout=TIMEOUT)


def test_the_control_plane_answers_another_machine_that_has_the_token(port: int) -> None:
    url = f"http://{address()}:{port}/__admin/mappings"
    for token, status in ((TOKEN, 200), ("other", 401)):
        answer = httpx.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT)
        assert answer.status_code == status


def test_the_example_runs(port: int) -> None:
    exec(EXAMPLE.replace("127.0.0.1:8765", f"{address()}:{port}"), {})
