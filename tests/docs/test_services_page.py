"""docs/services.md: each command is answered, and they call every endpoint."""

import json
import shutil
import subprocess

import pytest

from oagw.testing import MockGateway
from tests.docs.pages import blocks
from tests.support.sse import events

(CURLS,) = blocks("docs/services.md", "sh")


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
    elif " -i " in command:
        assert done.stdout.startswith("HTTP/1.1 202 ")
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
        "/echo/",
        "/httpstatus/",
        "/stream-test/events",
    ):
        assert path in called
