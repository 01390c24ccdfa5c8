"""The crate ``clients/rust``: its own tests, and the example of its README in another crate.

Rust is optional, on CI too. Without cargo these tests are skipped.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import words

ROOT = Path(__file__).resolve().parents[2]
CRATE = ROOT / "clients" / "rust"
README = (CRATE / "README.md").read_text()

# Compiling takes most of it, and other tests may run at the same time.
SECONDS = 240

# The crate's tests hold a limit of time: what a dropped sandbox may take.
pytestmark = [
    pytest.mark.timed,
    pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo is not installed"),
]

OWN_CRATE = """
[package]
name = "client"
version = "0.1.0"
edition = "2021"

[dev-dependencies]
oagw-mock = {{ path = "{}" }}
"""

STUB, TOXIC, VERIFY, REQUESTS = words("Rust")
WORDS = f"""
#[test]
fn the_words() -> Result<(), oagw_mock::Error> {{
    let (sandbox, current) = (oagw_mock::sandbox()?, "GET weather/current");
    {STUB}
    {TOXIC}
    for status in [429, 200] {{
        assert_eq!(sandbox.call("GET weather/current?city=Oslo")?.status, status);
    }}
    {VERIFY}
    {REQUESTS}
    assert_eq!(requests.len(), 2);
    Ok(())
}}
"""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that cargo builds in."""
    return tmp_path_factory.mktemp("target")


def cargo_test(folder: Path, target: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``cargo test`` in ``folder`` against the server of this checkout."""
    environ = {name: value for name, value in os.environ.items() if name != "OAGW_URL"}
    environ |= {
        "CARGO_TARGET_DIR": str(target),
        "OAGW_PYTHON": sys.executable,
        "OAGW_SERVER": str(ROOT / "server.py"),
    }
    return subprocess.run(
        ["cargo", "test", "--offline", *arguments],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=SECONDS,
    )


def test_the_tests_of_the_crate_pass(target: Path) -> None:
    done = cargo_test(CRATE, target, "--no-fail-fast")
    assert done.returncode == 0, done.stdout + done.stderr
    passed = [int(count) for count in re.findall(r"test result: ok\. (\d+) passed", done.stdout)]
    assert len(passed) == 4  # exam.rs, gateway.rs, json.rs and the examples in the documentation
    assert min(passed) >= 4


def test_the_example_of_the_readme_and_the_words_work_in_another_crate(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example, exam = re.findall(r"```rust\n(.*?)```", README, re.DOTALL)
    (tmp_path / "Cargo.toml").write_text(OWN_CRATE.format(CRATE))
    source = tmp_path / "src" / "lib.rs"
    source.parent.mkdir()
    source.write_text(f"#[cfg(test)]\nmod tests {{\n{example}{WORDS}\nmod exam {{ {exam} }} }}\n")
    monkeypatch.setenv("OAGW_EXAM", "not-retried-403,no-content,cut-inside-event")
    done = cargo_test(tmp_path, target, "--lib")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test result: ok. 3 passed" in done.stdout

    # A client that charges another amount fails the test, whose output says why.
    source.write_text(source.read_text().replace('"amount": 500}"#', '"amount": 600}"#'))
    done = cargo_test(tmp_path, target, "--lib")
    assert done.returncode == 101, done.stdout + done.stderr
    _, _, shown = done.stdout.partition("---- tests::a_declined_card_is_charged_once stdout ----")
    assert "assertion `left == right` failed" in shown
    assert "---- what the gateway saw in sandbox" in shown
    (printed,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    for line in printed.splitlines():
        assert line.partition(", id ")[0] in shown
    assert "what the gateway saw" not in done.stderr
