"""docs/python.md: what a request stands for, what is raised, and what the example prints."""

import re

import oagw.testing
from oagw.client import fixtures
from oagw.testing import pattern
from tests.docs.pages import blocks, names, table

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
    (overridden,) = re.findall(r"def (\w+)", blocks(PAGE, "python")[-1])
    assert overridden in vars(fixtures)
