"""README.md: its commands and examples run as they are written there (only ports and paths are replaced)."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import pytest
from openai import OpenAI

from oagw.testing import MockGateway, Sandbox
from tests.docs.pages import HOME, TIMEOUT, blocks
from tests.docs.processes import get, running

UV_LINE, PIP_LINE, TEST_LINE = (block.strip() for block in blocks("README.md", "sh"))
CLIENT_TEST, OPENAI = blocks("README.md", "python")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that git knows and the server needs, in an empty directory."""
    if "CI" not in os.environ:
        pytest.skip("the set-up commands install packages from the index: run with CI=true to try them")
    copy = tmp_path_factory.mktemp("checkout")
    listing = ["git", "-C", str(HOME), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    needed = ["oagw", "pyproject.toml", "requirements.txt", "server.py"]
    files = subprocess.run([*listing, *needed], check=True, capture_output=True, text=True).stdout
    for name in files.split("\0"):
        if name and (HOME / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(HOME / name, copy / name)
    return copy


def test_one_command_sets_up_and_runs_the_server(checkout: Path) -> None:
    with running(f"{PIP_LINE} 0", checkout) as line:
        assert "healthy" in get(json.loads(line)["url"] + "/health")


def test_uv_needs_no_set_up(checkout: Path) -> None:
    """The environment that the other test made is not there for it, and its cache is its own."""
    tools = checkout.with_name("uv")
    install = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", str(tools), "uv"]
    subprocess.run([sys.executable, *install], check=True, timeout=TIMEOUT * 4)
    shutil.rmtree(checkout / ".venv", ignore_errors=True)
    found = f"PATH={tools}/bin:$PATH UV_CACHE_DIR={tools}/cache UV_PYTHON={sys.executable}"
    with running(f"export {found}; {UV_LINE} 0", checkout) as line:
        assert "healthy" in get(json.loads(line)["url"] + "/health")


def test_one_command_sets_up_and_runs_the_tests() -> None:
    """It is what .ci/run does."""
    script = (HOME / ".ci" / "run").read_text()
    environment, install, run = TEST_LINE.split(" && ")
    assert f"\n{environment.replace('venv .venv', 'venv --clear .venv')}\n{install}\n" in script
    (pattern,) = re.findall(r"\$\(grep -o '(.*)' README.md \| head -n 1\)", script)
    assert re.findall(pattern, (HOME / "README.md").read_text())[0] == run


def client_test(**replaced: Any) -> Any:
    """The test of the README, with other functions in place of its own."""
    names: dict[str, Any] = {}
    exec(compile(CLIENT_TEST, "README.md", "exec"), names)
    names |= replaced
    return names["test_the_client_waits_before_it_retries"]


def test_pytest_prints_what_is_printed(oagw_gateway: MockGateway, tmp_path: Path) -> None:
    """But for times, blanks at the ends of lines, and what ``[...]`` leaves out."""
    (tmp_path / "test_weather.py").write_text(CLIENT_TEST)
    options = ["-p", "oagw.pytest_plugin", "-p", "no:cacheprovider", "--oagw-url", oagw_gateway.base_url]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "test_weather.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(HOME), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    (printed,) = blocks("README.md", "text")

    def without_times(text: str) -> str:
        return re.sub(r"0\.\d{3} s", "TIME", re.sub(r" +$", "", text, flags=re.MULTILINE))

    rest = without_times(done.stdout)
    for part in without_times(printed).removesuffix("[...]\n").split("[...]\n"):
        _, found, rest = rest.partition(part)
        assert found, f"{part}\nis not in\n{done.stdout}{done.stderr}"


def test_a_client_that_waits_passes(oagw_sandbox: Sandbox) -> None:
    def weather(url: str, token: str) -> Any:
        answer = httpx.get(f"{url}/current?city=Oslo", headers={"Authorization": f"Bearer {token}"})
        if answer.status_code != 429:
            return answer.json()["condition"]
        sleep(int(answer.headers["Retry-After"]))
        return weather(url, token)

    client_test(weather=weather)(oagw_sandbox)


def test_the_test_of_a_client_has_ten_lines() -> None:
    assert len([line for line in CLIENT_TEST.splitlines() if line]) <= 10


def test_the_openai_example_says_what_it_asks_for(oagw_gateway: MockGateway) -> None:
    names: dict[str, Any] = {}
    source = OPENAI.replace("http://127.0.0.1:8765", oagw_gateway.base_url)
    exec(compile(source, "README.md", "exec"), names)
    client: OpenAI = names["client"]
    with client:
        said = [chunk.choices[0].delta.content or "" for chunk in names["stream"]]
    assert "".join(said) == "It will."
