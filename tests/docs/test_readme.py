"""README.md: its commands and examples run as they are written there (only ports and paths are replaced)."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import pytest
from openai import OpenAI

from oagw.testing import MockGateway, Sandbox
from tests.docs.pages import HOME, blocks
from tests.docs.processes import get, running

SERVER_LINE, TEST_LINE = blocks("README.md", "sh")
CLIENT_TEST, OPENAI = blocks("README.md", "python")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that git knows, in an empty directory."""
    if "CI" not in os.environ:
        pytest.skip("the set-up commands install packages from the index: run with CI=true to try them")
    copy = tmp_path_factory.mktemp("checkout")
    listing = ["git", "-C", str(HOME), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and (HOME / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(HOME / name, copy / name)
    return copy


def test_one_command_sets_up_and_runs_the_server(checkout: Path) -> None:
    with running(SERVER_LINE.strip() + " 0", checkout) as line:
        assert "healthy" in get(json.loads(line)["url"] + "/health")


def test_one_command_sets_up_and_runs_the_tests(checkout: Path) -> None:
    """All but the run itself, which is what runs this: .ci/run takes the same line from the README."""
    command = TEST_LINE.strip() + " --collect-only -q"
    done = subprocess.run(
        ["bash", "-c", command], cwd=checkout, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tests/docs/test_readme.py::test_one_command_sets_up_and_runs_the_tests" in done.stdout


def test_ci_takes_the_test_command_from_the_readme() -> None:
    readme = (HOME / "README.md").read_text()
    taken = re.findall(r"\.venv/bin/python -m pytest.*", readme)[0]
    assert TEST_LINE.strip().endswith(f"&& {taken}")


def client_test(**replaced: Any) -> Any:
    """The test of the README, with other functions in place of its own."""
    names: dict[str, Any] = {}
    exec(compile(CLIENT_TEST, "README.md", "exec"), names)
    names |= replaced
    return names["test_the_client_waits_before_it_retries"]


def test_the_client_that_retries_at_once_fails_as_printed(oagw_sandbox: Sandbox) -> None:
    (printed,) = blocks("README.md", "text")
    with pytest.raises(AssertionError) as failed:
        client_test()(oagw_sandbox)

    def without_times(text: str) -> str:
        return re.sub(r"\d\.\d{3} s", "TIME", text).strip()

    assert without_times(f"AssertionError: {failed.value}") == without_times(printed)


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
