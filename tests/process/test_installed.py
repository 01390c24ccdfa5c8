"""The package as a wheel, installed away from the checkout: its command, its fixtures, its plugin."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from launched import ROOT, Launched, ended

STATUS = "/api/oagw/v1/status"

USES_THE_FIXTURES = """
import urllib.request

def test_stub(oagw_sandbox):
    oagw_sandbox.stub("GET stripe/v1/charges", json={"id": "ch_1"})
    headers = {"Authorization": f"Bearer {oagw_sandbox.token}"}
    url = oagw_sandbox.alias_url("stripe") + "/v1/charges"
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        assert answer.read() == b'{"id":"ch_1"}'
    oagw_sandbox.verify("GET stripe/v1/charges", times=1)
"""


def pip(*args: str) -> None:
    command = [sys.executable, "-m", "pip", *args, "-q", "--no-deps", "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # From a copy, because the build leaves files where it is done.
    source = tmp_path_factory.mktemp("source")
    for folder in ("oagw", "twisted"):
        shutil.copytree(ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, source)
    built = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--wheel-dir", str(built), str(source))
    return next(built.iterdir())


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; it borrows the dependencies, and nothing of ours, from this one."""
    home = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True, timeout=60)
    pip("--python", str(home / "bin" / "python"), "install", str(wheel))
    packages = next(home.glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home


@pytest.fixture
def away(tmp_path: Path) -> dict[str, Any]:
    """A directory away from the checkout, and variables that do not lead there."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OAGW"))}
    return {"cwd": tmp_path, "env": env}


def test_the_wheel_has_every_module_and_the_dependencies(wheel: Path, environment: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    sources = [*(ROOT / "oagw").rglob("*.py"), *(ROOT / "twisted").rglob("*.py"), ROOT / "oagw" / "py.typed"]
    assert packed == {str(path.relative_to(ROOT)) for path in sources}
    site_packages = str(next(environment.glob("lib/python*/site-packages")))
    (installed,) = importlib.metadata.distributions(name=project["name"], path=[site_packages])

    def normalized(requirements: list[str]) -> list[set[str]]:
        return [set(text.replace("<", ",<").replace(">", ",>").split(",")) - {""} for text in requirements]

    assert normalized(installed.requires or []) == normalized(project["dependencies"])


def test_the_command_takes_variables_and_options(environment: Path, away: dict[str, Any]) -> None:
    away["env"] |= {
        "OAGW_PORT": "1",
        "OAGW_TOKEN": "one two",
        "OAGW_SEEED": "7",
        "OAGW_EXIT_WITH_PARENT": "1",
    }
    command = (str(environment / "bin" / "oagw-mock"),)
    with Launched("--port", "0", command=command, stdin=subprocess.PIPE, **away) as server:
        tokens = ("one", "two", "test-integration-token")
        assert [server.get(STATUS, Authorization=f"Bearer {token}")[0] for token in tokens] == [200, 200, 403]
        server.process.stdin.close()
        server.rest()
        assert not server.accepts()
        assert "oagw-mock: the variable OAGW_SEEED is no option; did you mean OAGW_SEED?\n" in server.said()


def test_the_command_names_an_invalid_variable(environment: Path, away: dict[str, Any]) -> None:
    away["env"]["OAGW_ACCESS_LOG"] = "yes"
    process = ended(command=(str(environment / "bin" / "oagw-mock"),), **away)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith(
        "oagw-mock: the variable OAGW_ACCESS_LOG: a switch is 1, 0, true or false"
    )


def test_the_fixtures_are_there_without_an_option(environment: Path, away: dict[str, Any]) -> None:
    (away["cwd"] / "test_charges.py").write_text(USES_THE_FIXTURES)
    options = ["-q", "-p", "no:cacheprovider"]
    process = ended(*options, command=(str(environment / "bin" / "python"), "-m", "pytest"), **away)
    assert process.returncode == 0, process.stdout
    assert "1 passed" in process.stdout


def test_the_plugin_is_there(environment: Path, away: dict[str, Any]) -> None:
    python = str(environment / "bin" / "python")
    script = "import oagw, twisted.plugins.oagw_plugin as plugin; print(oagw.__file__, plugin.__file__)"
    for file in ended("-c", script, command=(python,), **away).stdout.split():
        assert Path(file).is_relative_to(environment)
    run = "from twisted.scripts.twistd import run; run()"
    with Launched("0", command=(python, "-c", run, "-n", "--pidfile=", "oagw"), **away) as server:
        assert server.get()[0] == 200
