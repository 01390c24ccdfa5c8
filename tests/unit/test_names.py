"""Class names are unique in the package, so that a name in a log or in a question means one thing."""

import ast
from collections import Counter

from tests.unit.test_imports import MODULES, part


def test_class_names_are_unique() -> None:
    names = Counter(
        node.name
        for module, path in MODULES.items()
        if part(module) != "client"  # a program of its own, whose names are public
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []
