"""docs/first-test.md: its tests are those of the clients' READMEs, and its table has the clients' words.

``tests/clients`` runs both, where the toolchain exists. Python's are run here.
"""

import re
from typing import Any

import httpx
import pytest

from oagw.testing import Sandbox
from tests.docs.pages import HOME, PAGES, blocks, words

PAGE = "docs/first-test.md"
LANGUAGES = {"rust": "rust", "js": "node", "go": "go"}


@pytest.mark.parametrize(("language", "client"), LANGUAGES.items())
def test_the_test_is_that_of_the_clients_readme(language: str, client: str) -> None:
    readme = (HOME / "clients" / client / "README.md").read_text()
    (test,) = blocks(PAGE, language)
    assert f"```{language}\n{test}```" in readme


def test_the_set_up_is_that_of_the_clients_readme() -> None:
    readmes = "".join((HOME / "clients" / client / "README.md").read_text() for client in LANGUAGES.values())
    (toml,) = blocks(PAGE, "toml")
    assert toml in readmes
    commands = re.findall(r"`((?:npm|go mod) .*?)`", PAGES[PAGE])
    assert len(commands) == 3
    assert all(f"`{command}`" in readmes for command in commands)


def test_every_language_has_every_word() -> None:
    number = {language: len(words(language)) for language in ("Python", "Rust", "Node", "Go")}
    assert set(number.values()) == {4}


def test_the_words_of_python_run(oagw_sandbox: Sandbox) -> None:
    stub, toxic, verify, requests = words("Python")
    names: dict[str, Any] = {"sandbox": oagw_sandbox, "current": "GET weather/current"}
    exec(f"{stub}\n{toxic}", names)
    headers = {"Authorization": f"Bearer {oagw_sandbox.token}"}
    url = oagw_sandbox.alias_url("weather") + "/current?city=Oslo"
    assert [httpx.get(url, headers=headers).status_code for _ in range(2)] == [429, 200]
    exec(f"{verify}\n{requests}", names)
    assert [len(request["oagw"]["toxics"]) for request in names["requests"]] == [1, 1]
