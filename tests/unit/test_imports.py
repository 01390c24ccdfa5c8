"""Which part of the package may import which, read from the source: two pillars, and what stands on both.

The rules know nothing of Twisted. The wires take from the rules the model alone, but for ``forward``, which
takes policies and secrets as well. ``gateway`` and ``admin`` bring the two together.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import oagw

HOME = Path(oagw.__file__).parent

RULES = (
    "model",
    "java",
    "matching",
    "templates",
    "toxics",
    "verify",
    "stubs",
    "sandboxes",
    "policies",
    "secrets",
    "registry",
    "exam",
)
WIRES = ("timing", "web", "services", "forward")

# What each part may import besides itself.
MAY_IMPORT: dict[str, set[str]] = {
    "model": set(),
    "java": {"model"},
    "matching": {"model", "java"},
    "templates": {"model", "java", "matching"},
    "toxics": {"model", "java", "matching"},
    "verify": {"model", "java", "matching"},
    "stubs": set(RULES) - {"stubs", "sandboxes", "policies", "secrets", "registry", "exam"},
    "sandboxes": set(RULES) - {"exam"},
    "policies": {"model"},
    "secrets": {"model"},
    "registry": {"model", "policies", "secrets"},
    "exam": {"model", "verify"},
    "timing": {"model"},
    "web": {"model", "timing"},
    "services": {"model", "timing", "web"},
    "forward": {"model", "timing", "web", "policies", "secrets"},
    "gateway": {*RULES, *WIRES},
    "admin": {*RULES, *WIRES, "gateway"},
    "app": {*RULES, *WIRES, "gateway", "admin", "config"},
    "config": {"options", "model", "gateway_file", "registry"},
    "gateway_file": {"options", "model", "registry", "secrets"},
    "options": {"model"},
    "server": {"app", "client", "config", "gateway", "model"},
    "client": {"config", "exam", "model", "options"},
    "in_memory": {"app", "client", "config"},
    # Public names of what moved.
    "__main__": {"server"},
    "tap": {"server"},
    "testing": {"client", "in_memory"},
    "control_plane": {"client"},
    "pytest_plugin": {"client"},
}

# What runs before the socket listens, and what runs in the process of a test.
BEFORE_LISTENING = (
    "config",
    "options",
    "server.console",
    "server.listen",
    "server.run",
    "server.signals",
    "__main__",
)
CLIENT = ("client.control_plane", "client.management", "client.mock_gateway", "client.shared", "testing")


def name_of(path: Path) -> str:
    """The name of the module at ``path``, without ``oagw.``."""
    parts = path.relative_to(HOME).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {name_of(path): path for path in sorted(HOME.rglob("*.py"))}


def imports(module: str) -> list[tuple[str, bool]]:
    """The modules that ``module`` imports, absolute, and whether it does so at its top level."""
    tree = ast.parse(MODULES[module].read_text())
    top = set(map(id, tree.body))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            found += [(f"{node.module}.{alias.name}", id(node) in top) for alias in node.names]
    return found


def own_imports(module: str) -> Iterator[str]:
    """The modules of the package that ``module`` imports, without ``oagw.``."""
    for name, _ in imports(module):
        name = name.removeprefix("oagw.")
        for imported in (name, name.rpartition(".")[0]):
            if imported in MODULES:
                yield imported
                break


def part(module: str) -> str:
    """The folder that ``module`` is in, or its name."""
    return module.partition(".")[0]


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    if module == "__init__":
        return
    allowed = MAY_IMPORT[part(module)] | {part(module)}
    for imported in own_imports(module):
        if imported != "__init__":
            assert part(imported) in allowed, f"{module} imports {imported}"


def test_no_modules_import_each_other() -> None:
    direct = {module: set(own_imports(module)) - {module} for module in MODULES}

    def reaches_itself(module: str) -> bool:
        seen: set[str] = set()
        left = set(direct[module])
        while left:
            seen.add(one := left.pop())
            left |= direct[one] - seen
        return module in seen

    assert {module for module in MODULES if reaches_itself(module)} == set()


@pytest.mark.parametrize("module", [name for name in MODULES if part(name) in RULES])
def test_the_rules_are_without_twisted(module: str) -> None:
    assert not [name for name, _ in imports(module) if name.startswith(("twisted", "zope"))]


@pytest.mark.parametrize("module", MODULES)
def test_the_reactor_is_imported_by_the_server_alone_and_late(module: str) -> None:
    for name, at_top in imports(module):
        if name.startswith("twisted.internet.reactor"):
            assert module in ("server.run", "server.twistd"), module
            assert not at_top, module


def is_entry(expression: ast.expr) -> bool:
    """Whether ``expression`` is an entry of the journal, by its name."""
    if isinstance(expression, ast.Call):
        return isinstance(expression.func, ast.Name) and expression.func.id == "entry_of"
    name = expression.attr if isinstance(expression, ast.Attribute) else getattr(expression, "id", None)
    return name in ("entry", "_entry")


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"model.entry", "model.journal"}))
def test_events_are_reported_to_entries_which_nobody_else_changes(module: str) -> None:
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            assert not is_entry(node.value), f"line {node.lineno}"


@pytest.mark.parametrize("module", [*BEFORE_LISTENING, *CLIENT])
def test_what_runs_before_the_socket_listens_or_in_a_test_is_standard_library(module: str) -> None:
    for imported, at_top in imports(module):
        assert not at_top or not imported.startswith(("twisted", "zope", "msgspec")), imported


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_its_job_and_stays_short(module: str) -> None:
    text = MODULES[module].read_text()
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 400
