"""docs/first-test.md: its excerpts are from examples/, and the heart of the recipe in Rust runs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import HOME, blocks

PAGE = "docs/first-test.md"


@pytest.mark.parametrize(
    ("language", "recipe"),
    [("python", "test_with_sandbox.py"), ("rust", "verify.rs"), ("js", "verify.mjs"), ("go", "verify.go")],
)
def test_the_excerpts_of_the_recipes_are_from_them(language: str, recipe: str) -> None:
    """``tests/examples`` runs the recipes."""

    def unindented(text: str) -> str:
        return "\n".join(line.strip() for line in text.splitlines())

    whole = unindented((HOME / "examples" / recipe).read_text())
    assert any(unindented(excerpt) in whole for excerpt in blocks(PAGE, language))


@pytest.mark.skipif(shutil.which("rustc") is None, reason="rustc is not installed")
def test_the_rust_example_compiles_and_runs(tmp_path: Path) -> None:
    example, _ = blocks(PAGE, "rust")
    source = tmp_path / "example.rs"
    source.write_text(
        "use std::io::{BufRead, BufReader};\nuse std::process::{Command, Stdio};\n"
        "fn main() -> Result<(), Box<dyn std::error::Error>> {\n"
        f'{example}\nserver.kill()?; server.wait()?; print!("{{line}}"); Ok(())\n}}'
    )
    subprocess.run(["rustc", "--edition", "2021", "-o", tmp_path / "example", source], check=True)
    path = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    done = subprocess.run(
        [tmp_path / "example"], cwd=HOME, env={**os.environ, "PATH": path}, capture_output=True, check=True
    )
    (announced,) = blocks(PAGE, "json")
    assert json.loads(done.stdout).keys() == json.loads(announced).keys()
