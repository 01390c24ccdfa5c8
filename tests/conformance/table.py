"""The numbered behaviours: which have a test, and what the others wait for. Run it to print a table."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

LAST = 176

# For the second half of the gateway.
WEB_SOCKET = "WebSocket"
CORS = "CORS"
REGISTRY = "types registry"
NOT_APPLICABLE = "does not apply: each call has a connection of its own"

WAITING = {
    24: NOT_APPLICABLE,
    **dict.fromkeys((104, *range(114, 121), 165), WEB_SOCKET),
    **dict.fromkeys(range(105, 112), CORS),
    **dict.fromkeys((138, 168), REGISTRY),
}

# Numbers of the first half that have no test yet. This list only gets shorter.
NOT_YET: frozenset[int] = frozenset()


def tests() -> Iterator[tuple[int, str]]:
    """Yield the number and the name of each test, by the source."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and (found := re.match(r"test_(\d+)_", node.name)):
                yield int(found[1]), f"{path.name}::{node.name}"


def by_number() -> dict[int, list[str]]:
    """The names of the tests of each number that has any."""
    found: dict[int, list[str]] = {}
    for number, name in tests():
        found.setdefault(number, []).append(name)
    return found


def table() -> str:
    """The table in Markdown, with a summary."""
    found = by_number()
    rows = []
    for number in range(1, LAST + 1):
        words = ", ".join(f"`{name}`" for name in found.get(number, ()))
        rows.append(f"| {number} | {words or WAITING.get(number, 'no test yet')} |")
    waiting = sum(number in WAITING for number in range(1, LAST + 1) if number not in found)
    summary = (
        f"{len(found)} of {LAST} have a test, {waiting} wait, {LAST - waiting - len(found)} have none yet."
    )
    return "\n".join(["| # | Tests |", "|---|---|", *rows, "", summary])


if __name__ == "__main__":
    print(table())
