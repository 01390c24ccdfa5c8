"""Every command and example of the README, run as it is written there (only ports and paths are replaced)."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from oagw.services.openai.directives import Directives
from oagw.testing import MockGateway
from tests.support.sse import events

HOME = Path(__file__).resolve().parent.parent
README = (HOME / "README.md").read_text()

# The interpreter that runs the tests, under the name that the README has for it.
BIN = str(Path(sys.executable).parent)


def blocks(language: str) -> list[str]:
    """The README's code blocks in ``language``."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


SERVER_LINE, TEST_LINE, CURLS, TWISTD = blocks("sh")


@contextmanager
def running(command: str, cwd: Path, stream: str = "stdout") -> Iterator[str]:
    """``command`` in a shell and process group of its own; gives the first line of JSON (or of its log)."""
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if stream == "both" else None,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        yield next(line for line in process.stdout if '"listening"' in line or "starting on" in line)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise


def get(url: str, *options: str) -> str:
    command = ["curl", "-sS", "--fail-with-body", "-m", "10", *options, url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


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
    assert "tests/test_readme.py::test_one_command_sets_up_and_runs_the_tests" in done.stdout


def curl_commands() -> list[str]:
    commands = CURLS.replace("\\\n", " ").splitlines()
    return [command for command in commands if command.startswith("curl ")]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("command", curl_commands())
def test_each_curl_example_is_answered(command: str, oagw_gateway: MockGateway) -> None:
    export = next(line for line in CURLS.splitlines() if line.startswith("export "))
    script = export.replace("http://127.0.0.1:8765", oagw_gateway.base_url) + "\n"
    script += command.replace("curl ", "curl -sS --fail-with-body -m 10 ", 1)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    if " -N " in command:
        assert len(events(done.stdout.encode())) >= 2
    else:
        assert json.loads(done.stdout)


def test_the_examples_call_every_endpoint() -> None:
    called = "\n".join(curl_commands())
    for path in (
        "/health",
        "/status",
        "/openai/v1/chat/completions",
        "/openai/v1/responses",
        "/openai/v1/completions",
        "/openai/v1/embeddings",
        "/openai/v1/models",
        "/openai/v1/models/gpt-4",
        "/github/users/octocat",
        "/github/repos/",
        "/weather/current?city=",
        "/calculator/calculate",
        "/stream-test/events",
    ):
        assert path in called


def test_the_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    example, _, _ = blocks("python")
    exec(compile(example, "README.md", "exec"), {})
    url, token, alias_url = capsys.readouterr().out.split()
    assert token == "test-integration-token"
    assert alias_url == f"{url}/api/oagw/v1/proxy/openai"


def test_the_steering_example_says_what_it_asks_for(oagw_gateway: MockGateway) -> None:
    _, _, example = blocks("python")
    base_url = oagw_gateway.alias_url("openai") + "/v1"
    with OpenAI(base_url=base_url, api_key=oagw_gateway.token, max_retries=0, timeout=10) as client:
        names: dict[str, Any] = {"client": client}
        exec(compile(example, "README.md", "exec"), names)
        said = [chunk.choices[0].delta.content or "" for chunk in names["stream"]]
    assert "".join(said) == "It will."


def test_the_directives_of_the_readme_are_those_there_are() -> None:
    table = README.partition("| Directive")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)=", table)) == set(Directives.__struct_fields__)


@pytest.mark.skipif(shutil.which("rustc") is None, reason="rustc is not installed")
def test_the_rust_example_compiles_and_runs(tmp_path: Path) -> None:
    example, _ = blocks("rust")
    source = tmp_path / "example.rs"
    source.write_text(
        "use std::io::{BufRead, BufReader};\nuse std::process::{Command, Stdio};\n"
        "fn main() -> Result<(), Box<dyn std::error::Error>> {\n"
        f'{example}\nserver.kill()?; server.wait()?; print!("{{line}}"); Ok(())\n}}'
    )
    subprocess.run(["rustc", "--edition", "2021", "-o", tmp_path / "example", source], check=True)
    path = BIN + os.pathsep + os.environ["PATH"]
    done = subprocess.run(
        [tmp_path / "example"], cwd=HOME, env={**os.environ, "PATH": path}, capture_output=True, check=True
    )
    (announced,) = blocks("json")
    assert json.loads(done.stdout).keys() == json.loads(announced).keys()


@pytest.mark.parametrize(
    ("language", "recipe"),
    [("python", "test_with_sandbox.py"), ("rust", "verify.rs"), ("js", "verify.mjs"), ("go", "verify.go")],
)
def test_the_excerpts_of_the_recipes_are_from_them(language: str, recipe: str) -> None:
    """``tests/examples`` runs the recipes."""

    def unindented(text: str) -> str:
        return "\n".join(line.strip() for line in text.splitlines())

    whole = unindented((HOME / "examples" / recipe).read_text())
    assert any(unindented(excerpt) in whole for excerpt in blocks(language))


def test_the_twistd_examples_run() -> None:
    as_service, as_web = (line.replace(".venv/bin", BIN).replace("9000", "0") for line in TWISTD.splitlines())
    pidfile = " --pidfile= "
    with running(as_service.replace(" -n ", " -n" + pidfile), HOME) as line:
        assert "healthy" in get(json.loads(line)["url"] + "/health")
    with running(as_web.replace(" -n ", " -n" + pidfile), HOME, "both") as line:
        (port,) = re.findall(r"starting on (\d+)", line)
        authorization = "Authorization: Bearer test-integration-token"
        assert "operational" in get(f"http://127.0.0.1:{port}/api/oagw/v1/status", "-H", authorization)


def test_the_options_are_those_of_help() -> None:
    command = [sys.executable, str(HOME / "server.py"), "--help"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    table = "\n".join(line for line in README.splitlines() if line.startswith("| `"))
    options = r"--[a-z][a-z-]+"
    assert set(re.findall(options, table)) == set(re.findall(options, told))


def test_the_control_plane_has_what_the_table_says(oagw_gateway: MockGateway) -> None:
    table = README.partition("| Below `/__admin`")[2].partition("\n\n")[0]
    names = re.findall(r"`([a-z-]+)`", "".join(row.split("|")[1] for row in table.splitlines()[2:]))
    assert len(names) > 8
    for name in names:
        if name == "near-misses":
            name += "/request"
        assert get(f"{oagw_gateway.base_url}/__admin/{name}", "-X", "OPTIONS") == ""


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (HOME / target).exists(), target
