"""The layers: which part of the package may import which, read from the source."""

import ast
from pathlib import Path

import pytest

import oagw

HOME = Path(oagw.__file__).parent

# From left to right; a layer imports only from itself and from those before it.
LAYERS = ("model", "control", "web", "services", "api")

# The rest of the package: what each may import besides the layers.
ABOVE = {
    "app": {"config"},
    "tap": {"app", "config", "console", "listen", "mappings", "parent", "signals"},
    "run": {"app", "config", "console", "listen", "log", "mappings", "parent", "signals"},
    "mappings": {"app", "config"},
    "listen": {"config", "console"},
    "log": {"console"},
    "parent": {"console", "signals"},
    "signals": set(),
    "config": set(),
    "console": set(),
    "testing": {"config", "control_plane"},
    "control_plane": set(),
    "pytest_plugin": {"testing"},
    "__main__": {"run"},
}
WITHOUT_LAYERS = {
    "config",
    "console",
    "control_plane",
    "listen",
    "log",
    "parent",
    "run",
    "signals",
    "testing",
    "pytest_plugin",
    "__main__",
}

MODULES = sorted(HOME.rglob("*.py"))


def imports(module: Path) -> list[tuple[str, bool]]:
    """The modules that ``module`` imports, absolute, and whether it does so at its top level."""
    tree = ast.parse(module.read_text())
    top = set(map(id, tree.body))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            found += [(f"{node.module}.{alias.name}", id(node) in top) for alias in node.names]
    return found


def part(module: Path) -> str:
    """The layer of ``module``, or its name if it is not in one."""
    first, *rest = module.relative_to(HOME).parts
    return first if rest else Path(first).stem


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(HOME)))
def test_imports_point_to_lower_layers_only(module: Path) -> None:
    own = part(module)
    if own in LAYERS:
        allowed = set(LAYERS[: LAYERS.index(own) + 1])
    elif own in WITHOUT_LAYERS:
        allowed = ABOVE[own]
    else:
        allowed = ABOVE.get(own, set()) | set(LAYERS)
    for name, _ in imports(module):
        if name.startswith("oagw.") and name != "oagw.__version__":
            assert name.split(".")[1] in allowed, f"{module} imports {name}"


@pytest.mark.parametrize(
    "module",
    [*sorted((HOME / "model").rglob("*.py")), *sorted((HOME / "control").rglob("*.py"))],
    ids=lambda path: str(path.relative_to(HOME)),
)
def test_the_model_and_what_the_control_plane_knows_are_without_twisted(module: Path) -> None:
    assert not [name for name, _ in imports(module) if name.startswith(("twisted", "zope"))]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(HOME)))
def test_the_reactor_is_imported_by_run_and_tap_alone_and_late(module: Path) -> None:
    for name, at_top in imports(module):
        if name.startswith("twisted.internet.reactor"):
            assert part(module) in ("run", "tap"), module
            assert not at_top, module


@pytest.mark.parametrize("name", ["config", "console", "listen", "run", "signals", "testing", "__main__"])
def test_what_runs_before_the_socket_listens_is_standard_library(name: str) -> None:
    for imported, at_top in imports(HOME / f"{name}.py"):
        assert not at_top or not imported.startswith(("twisted", "zope", "msgspec")), imported


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(HOME)))
def test_every_module_says_its_job_and_stays_short(module: Path) -> None:
    text = module.read_text()
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 400
