"""The examples of every page run as they are written there, against a gateway on another port."""

import contextlib
import inspect
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

import httpx
import pytest
from openai import OpenAI

from oagw.testing import MockGateway, Sandbox
from tests.docs.pages import HOME, PAGES, TIMEOUT, blocks

MANUAL_CLOCK = {"docs/clock.md", "docs/gateway.md"}

# Blocks that other tests run or compare, by page: how many there are in each language.
# - test_readme: the set-up commands, and a test that fails on purpose
# - tests/clients: the tests in the other languages, with test_first_test_page
# - the test of the page itself
ELSEWHERE: dict[str, dict[str, int]] = {
    "README.md": {"sh": 3, "python": 2, "text": 1},
    "CONTRIBUTING.md": {"": 1},
    "docs/architecture.md": {"": 3},
    "docs/ci.md": {"yaml": 1},
    "docs/containers.md": {"dockerfile": 1, "python": 1, "yaml": 1},
    "docs/exam.md": {"sh": 3, "python": 2, "text": 1},
    "docs/first-test.md": {"json": 1, "toml": 1, "rust": 1, "js": 1, "go": 1},
    "docs/reference.md": {"json": 1},
    "docs/server.md": {"sh": 1, "toml": 1},
    "docs/services.md": {"sh": 1},
    "docs/streams.md": {"python": 1, "rust": 1},
    "docs/verify.md": {"text": 1},
}

# What the commands of a page print, among other things.
PRINTED = {
    "docs/break.md": ['"reset_peer_downstream"', '"sunny"'],
    "docs/clock.md": ['"pending"'],
    "docs/gateway.md": [
        '"alias":"api.vendor.example"',
        '"enabled":false,"tags":["test"]',
        '"alias":"lab"',
        '["x-team","lab"]',
        '["x-trace","abc"]',
        "X-Ratelimit-Remaining: 9",
        '"value":"s3cret"',
        '"alias":"vendor"',
    ],
    "docs/parallel.md": ['"operational"', '"requests":'],
    "docs/stub.md": ['{"id":"ch_1"}', '{"id":"cus_1"}'],
    "docs/verify.md": ['"verified":true', "1 request,"],
}


def pages_with(language: str) -> list[str]:
    return [page for page in PAGES if blocks(page, language) and language not in ELSEWHERE.get(page, {})]


@pytest.fixture(scope="module")
def manual_gateway() -> Iterator[MockGateway]:
    with MockGateway(options=["--clock", "manual"]) as gateway:
        yield gateway


@pytest.fixture
def gateway_of_page(page: str, request: pytest.FixtureRequest) -> MockGateway:
    gateway: MockGateway = request.getfixturevalue(
        "manual_gateway" if page in MANUAL_CLOCK else "oagw_gateway"
    )
    return gateway


@pytest.fixture
def sandbox(gateway_of_page: MockGateway) -> Iterator[Sandbox]:
    with gateway_of_page.sandbox() as sandbox:
        yield sandbox


def code(page: str, language: str, sandbox: Sandbox) -> str:
    """All blocks of a page, for a sandbox instead of the default server and token."""
    written = "\n".join(blocks(page, language))
    return written.replace("http://127.0.0.1:8765", sandbox.base_url).replace(
        "test-integration-token", sandbox.token
    )


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("page", pages_with("sh"))
def test_the_commands_of_a_page_are_answered(page: str, sandbox: Sandbox, tmp_path: Path) -> None:
    script = (
        "set -euo pipefail\n"
        # An answer that is to be reset is received with exit status 56.
        'curl() { command curl -sS --fail-with-body -m 10 "$@" || [[ $?$* = 56*then=reset* ]]; }\n'
        + code(page, "sh", sandbox)
    )
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for text in PRINTED.get(page, []):
        assert text in done.stdout


def call(method: str, url: str, token: str) -> None:
    """The client under test of docs/python.md."""
    with contextlib.suppress(httpx.RemoteProtocolError):  # one answer is cut
        httpx.request(method, url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT)


@pytest.mark.parametrize("page", pages_with("python"))
def test_the_python_of_a_page_runs(page: str, sandbox: Sandbox, gateway_of_page: MockGateway) -> None:
    """Test functions are called with the fixtures that they name, after all else."""
    known: dict[str, Any] = {"call": call}
    exec(compile(without_excerpts(page, code(page, "python", sandbox)), page, "exec"), known)
    try:
        for name, function in list(known.items()):
            if name.startswith("test_") and isinstance(function, FunctionType):
                with gateway_of_page.sandbox() as own:
                    fixtures = {"oagw_gateway": gateway_of_page, "oagw_sandbox": own}
                    function(**{name: fixtures[name] for name in inspect.signature(function).parameters})
    finally:
        for value in known.values():
            if isinstance(value, OpenAI):
                value.close()


def without_excerpts(page: str, source: str) -> str:
    """``source`` without the blocks that are excerpts from examples/; ``tests/examples`` runs those."""
    recipe = (HOME / "examples" / "test_with_sandbox.py").read_text()
    for excerpt in blocks(page, "python"):
        if excerpt in recipe:
            source = source.replace(excerpt, "")
    return source


def test_every_block_is_run_or_compared() -> None:
    for page, text in PAGES.items():
        written: dict[str, int] = {}
        for language in re.findall(r"^```(\w*)\n.*?^```", text, re.DOTALL | re.MULTILINE):
            written[language] = written.get(language, 0) + 1
        for language in ("sh", "python"):
            if page in pages_with(language):
                del written[language]
        assert written == ELSEWHERE.get(page, {}), page
