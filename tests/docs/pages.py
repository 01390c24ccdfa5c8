"""The pages of the documentation, their code blocks and tables."""

import re
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]

# Seconds that an example may take.
TIMEOUT = 30

# Each page by its path in the checkout.
PAGES = {
    str(path.relative_to(HOME)): path.read_text()
    for path in sorted([HOME / "README.md", HOME / "CONTRIBUTING.md", *(HOME / "docs").glob("*.md")])
}


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in ``language``."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGES[page], re.DOTALL | re.MULTILINE)


def section(page: str, heading: str) -> str:
    """The text below a heading, up to the next one of any level."""
    before, found, rest = PAGES[page].partition(f"# {heading}\n")
    assert found, f"{page} has no heading {heading!r} after {before[-40:]!r}"
    return re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0]


def table(page: str, heading: str, column: str) -> list[list[str]]:
    """The rows of the table below ``heading`` whose first column has this name."""
    head = rf"^\| {re.escape(column)} \|.*\n\|[-|]+\n((?:\|.*\n)+)"
    found = re.search(head, section(page, heading), re.MULTILINE)
    assert found, f"{page} has no table with the column {column!r} below {heading!r}"
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in found[1].splitlines()]


def names(cell: str) -> list[str]:
    """What is between backticks in a cell."""
    return re.findall("`(.*?)`", cell)


def words(language: str) -> list[str]:
    """What docs/first-test.md tells authors of tests in ``language`` to write."""
    return [
        code.strip("`") for _, named, code in table("docs/first-test.md", "Next", "To") if named == language
    ]
