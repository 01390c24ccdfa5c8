"""Time is passed in: nothing but the entry points reads the wall clock."""

import ast
from pathlib import Path

import pytest

import oagw

HOME = Path(oagw.__file__).parent

# The functions that read the wall clock, by the module or class that they belong to.
WALL = {
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime", "asctime"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "utils": {"formatdate", "localtime"},
}

# The entry points, which pass the clocks on.
MAY_USE = {
    "server/run.py": {"time.time"},
    "server/twistd.py": {"time.time"},
    "in_memory/gateway.py": {"time.time"},
}

MODULES = sorted(HOME.rglob("*.py"))


def readings(source: str) -> set[str]:
    """The names of functions in ``source`` that read the wall clock, such as ``time.time``."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            module = (node.module or "").rpartition(".")[2]
            if module in ("time", "utils"):
                names = {alias.name for alias in node.names}
                found |= {f"{module}.{name}" for name in names & WALL[module]}
        elif isinstance(node, ast.Attribute):
            owner = (
                node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            )
            if node.attr in WALL.get(owner, ()):
                found.add(f"{owner}.{node.attr}")
    return found


@pytest.mark.parametrize(
    "source",
    ["import time\ntime.time()", "from time import time", "from datetime import datetime\ndatetime.now(UTC)"],
)
def test_a_reading_is_found(source: str) -> None:
    assert readings(source)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(HOME)))
def test_no_module_reads_the_wall_clock_by_itself(module: Path) -> None:
    assert readings(module.read_text()) <= MAY_USE.get(module.relative_to(HOME).as_posix(), set())
