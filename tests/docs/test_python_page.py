"""docs/python.md: what a request stands for, what is raised, and what the example prints."""

import re
import unittest
from typing import Any

import pytest

import oagw.testing
from oagw.client import fixtures
from oagw.testing import MockGateway, pattern
from tests.docs.pages import blocks, names, table
from tests.docs.test_examples import call

PAGE = "docs/python.md"


def test_a_request_in_a_word_stands_for_what_the_page_says() -> None:
    rows = table(PAGE, "Requests", "Request")
    assert len(rows) == 5
    for written, meaning in rows:
        method, member = pattern(written.strip('`"'))
        assert (method, f"`{member}`") == ("method", re.split("[:,]", meaning)[0])


def test_all_public_names_are_on_the_page() -> None:
    tables = table(PAGE, "Python", "Class") + table(PAGE, "Errors", "Raised")
    listed = {name for cell, _ in tables for name in names(cell)} | {"pattern"}
    assert listed - {"AssertionError", "ConnectionError"} == set(oagw.testing.__all__)


def test_the_fixture_to_override_exists() -> None:
    (overridden,) = re.findall(r"def (oagw_\w+)", "".join(blocks(PAGE, "python")))
    assert overridden in vars(fixtures)


def test_the_test_case_runs(gateway: MockGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAGW_URL", gateway.base_url)
    (source,) = (block for block in blocks(PAGE, "python") if "import start" in block)
    known: dict[str, Any] = {"unittest": unittest, "call": call}
    exec(source, known)
    known["StartTests"]("test_a_charge").debug()
    known["call"] = print  # a client that sends nothing
    with pytest.raises(AssertionError, match="A stub was not called"):
        known["StartTests"]("test_a_charge").debug()


def test_the_methods_in_memory_exist() -> None:
    for written, _ in table(PAGE, "With Twisted", "Method"):
        assert hasattr(oagw.testing.InMemoryGateway, written.strip("`").partition("(")[0])
