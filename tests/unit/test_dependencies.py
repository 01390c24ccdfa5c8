"""What is installed is stated twice: in pyproject.toml, and in server.py for ``uv run server.py``."""

import re
import tomllib
from pathlib import Path

import oagw

ROOT = Path(oagw.__file__).parents[1]


def test_the_metadata_of_the_script_are_those_of_the_project() -> None:
    # The pattern is that of the specification of inline script metadata.
    pattern = r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$"
    found = re.search(pattern, (ROOT / "server.py").read_text())
    assert found is not None
    assert found["type"] == "script"
    script = tomllib.loads(re.sub("(?m)^# ?", "", found["content"]))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert script == {name: project[name] for name in ("requires-python", "dependencies")}
