"""The recipes in examples/: they work, they say why when they cannot, and no server outlives them.

Every server shares the recipe's standard error, so ``Popen.communicate`` returns only after both ended.

Python's recipe always runs. Node is there on CI, where its absence is a failure. Rust and Go are optional
everywhere, on CI too; without them their recipes are skipped.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"

BUILD_SECONDS = 300  # Go compiles its standard library at its first run
RUN_SECONDS = 30

LISTENS = "oagw-mock-server listens on"

# Stand-ins for server.py. They start the real server, but ...
OTHER_TOKEN = 'main(["0", "--token", "another"])'  # ... with no tie to the recipe, which is refused
ORPHAN = "os.kill(os.getppid(), signal.SIGKILL); main(sys.argv[1:])"  # ... after the recipe was killed
NO_SERVER = 'sys.exit("no luck today")'  # ... not even that
FORGETFUL = 'main([*sys.argv[1:], "--journal-count", "1"])'  # ... with a memory for the last request alone

# ... that takes no calls to the control plane, no stubs, or has no memory at all.
REFUSED = {
    "sandboxes": ('main([*sys.argv[1:], "--admin-token", "another"])', "Expected the admin token"),
    "mappings": (
        "import oagw.stubs.store; oagw.stubs.store.MAX_STUBS = 0; main(sys.argv[1:])",
        "More than 0 stubs in one sandbox",
    ),
    "verify": ('main([*sys.argv[1:], "--journal-count", "0"])', "Requests are not recorded"),
}


@pytest.fixture(scope="module", params=["spawn.py", "spawn.mjs", "spawn.rs", "spawn.go"])
def recipe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs a recipe for spawning a server."""
    return command(request.param, tmp_path_factory.mktemp("recipe"))


@pytest.fixture(scope="module", params=["verify.mjs", "verify.rs", "verify.go"])
def verifying(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs a recipe for the control plane."""
    return command(request.param, tmp_path_factory.mktemp("recipe"))


def command(name: str, folder: Path) -> list[str]:
    source, program = EXAMPLES / name, folder / "program"
    match source.suffix:
        case ".py":
            return [sys.executable, str(source)]
        case ".mjs":
            return [tool("node"), str(source)]
        case ".rs":
            build(tool("rustc"), "--edition", "2021", "-o", str(program), str(source))
        case ".go":
            build(tool("go"), "build", "-o", str(program), str(source))
    return [str(program)]


def tool(name: str) -> str:
    path = shutil.which(name)
    if path is None and name == "node" and os.environ.get("CI"):
        pytest.fail("node is not installed, which CI has to have")
    if path is None:
        pytest.skip(f"{name} is not installed, so its recipe in examples/ is not run")
    return path


def build(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS)
    assert done.returncode == 0, done.stderr


class Ended(NamedTuple):
    status: int
    output: str
    errors: str


def run(recipe: list[str], server: Path) -> Ended:
    """Run ``recipe`` until it and its server have ended."""
    with subprocess.Popen(
        recipe,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OAGW_PYTHON": sys.executable, "OAGW_SERVER": str(server)},
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            status = process.poll()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            output, errors = process.communicate()
            who = "the recipe hangs" if status is None else "a server outlived the recipe"
            pytest.fail(f"{who}: {output}{errors}")
    return Ended(process.returncode, output, errors)


@pytest.fixture
def stand_in(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "server.py"
    path.write_text(
        "import os, signal, sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from oagw.server.run import main\n"
        f"{request.param}\n"
    )
    return path


def test_a_recipe_works(recipe: list[str]) -> None:
    ended = run(recipe, ROOT / "server.py")
    assert ended.status == 0, ended
    assert "ok" in ended.output.splitlines()
    assert LISTENS in ended.errors  # or the server's end went unnoticed


@pytest.mark.parametrize("stand_in", [OTHER_TOKEN], indirect=True, ids=["other-token"])
def test_a_recipe_that_fails_stops_its_server(recipe: list[str], stand_in: Path) -> None:
    ended = run(recipe, stand_in)
    assert ended.status > 0, ended
    assert "ok" not in ended.output.splitlines()
    assert "403" in ended.output + ended.errors
    assert LISTENS in ended.errors


@pytest.mark.parametrize("stand_in", [ORPHAN], indirect=True, ids=["orphan"])
def test_a_recipe_that_is_killed_takes_its_server_along(recipe: list[str], stand_in: Path) -> None:
    ended = run(recipe, stand_in)
    assert ended.status == -signal.SIGKILL, ended
    # The server may notice before it listens.
    assert LISTENS in ended.errors or "the parent process has already ended" in ended.errors


@pytest.mark.parametrize("stand_in", [NO_SERVER], indirect=True, ids=["no-server"])
def test_a_recipe_says_that_the_gateway_did_not_start(recipe: list[str], stand_in: Path) -> None:
    ended = run(recipe, stand_in)
    assert ended.status > 0, ended
    assert "the gateway did not start" in ended.output + ended.errors
    assert "no luck today" in ended.errors


def test_a_recipe_stubs_an_error_and_verifies_the_retry(verifying: list[str]) -> None:
    ended = run(verifying, ROOT / "server.py")
    assert ended.status == 0, ended
    assert "ok" in ended.output.splitlines()
    assert LISTENS in ended.errors


@pytest.mark.parametrize("stand_in", [FORGETFUL], indirect=True, ids=["forgetful"])
def test_a_recipe_whose_verification_fails_prints_why(verifying: list[str], stand_in: Path) -> None:
    ended = run(verifying, stand_in)
    assert ended.status > 0, ended
    assert "ok" not in ended.output.splitlines()
    assert "Expected exactly 1 request" in ended.output + ended.errors
    assert LISTENS in ended.errors


@pytest.mark.parametrize(
    ("stand_in", "call", "reason"),
    [(code, call, reason) for call, (code, reason) in REFUSED.items()],
    indirect=["stand_in"],
    ids=list(REFUSED),
)
def test_a_recipe_prints_why_a_call_to_the_control_plane_was_refused(
    verifying: list[str], stand_in: Path, call: str, reason: str
) -> None:
    ended = run(verifying, stand_in)
    assert ended.status > 0, ended
    said = ended.output + ended.errors
    assert "ok" not in ended.output.splitlines()
    assert f"{call}: " in said
    assert reason in said
    assert LISTENS in ended.errors


@pytest.mark.parametrize("name", ["test_with_fixture.py", "test_with_sandbox.py"])
def test_the_example_with_a_fixture_works(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(EXAMPLES / name)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
