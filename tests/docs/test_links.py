"""Links between the pages, the index, and llms.txt."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import HOME, PAGES

CLIENTS = [f"clients/{language}/README.md" for language in ("go", "node", "rust")]
LINKING = [*PAGES, "CHANGELOG.md", "benchmarks/README.md", "llms.txt", *CLIENTS]


def links(text: str) -> list[str]:
    """The targets of links that do not leave the checkout."""
    without_code = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", without_code) if "://" not in target]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def linked(page: str) -> set[Path]:
    folder = (HOME / page).parent
    return {(folder / target.partition("#")[0]).resolve() for target in links((HOME / page).read_text())}


@pytest.mark.parametrize("page", LINKING)
def test_every_link_leads_somewhere(page: str) -> None:
    for target in links((HOME / page).read_text()):
        file, _, anchor = target.partition("#")
        path = (HOME / page).parent / file if file else HOME / page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.read_text()), target


@pytest.mark.parametrize("index", ["docs/README.md", "llms.txt"])
def test_an_index_lists_every_page(index: str) -> None:
    pages = {path.resolve() for path in (HOME / "docs").glob("*.md")} - {HOME / index}
    assert pages <= linked(index)


def test_the_readme_is_short() -> None:
    assert len(PAGES["README.md"].splitlines()) < 150


def test_llms_txt_has_the_format_of_llmstxt_org() -> None:
    """A title, a summary as a quotation, text without headings, and lists of links below headings."""
    before, *sections = re.split(r"^## ", (HOME / "llms.txt").read_text(), flags=re.MULTILINE)
    assert re.fullmatch(r"# [^\n]+\n\n(> [^\n]+\n)+\n[^#]*", before)
    assert sections
    for section in sections:
        heading, items = section.split("\n\n", 1)
        assert heading
        for item in items.strip().splitlines():
            assert re.fullmatch(r"- \[[^\]]+\]\([^)]+\): .+", item), item
