"""A first test in each language: ``python benchmarks/first_test.py [NAME...] [--rounds N]``.

Each program starts a server, makes a sandbox and a stub, calls it, verifies the call and ends. The
time of its process counts. The programs take turns, so that other work on the machine meets them
all; the processor time, which includes the server's, depends less on it. A program that cannot be
built or run is left out, and a line says why.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import wiremock

HERE = Path(__file__).parent
ROOT = HERE.parent

# Seconds that a program gets to be built, and to run.
_PATIENCE = 600.0


class Program(NamedTuple):
    """A program ``run`` in ``folder``, below the checkout, after ``build`` has made it."""

    run: tuple[str, ...]
    build: tuple[str, ...] = ()
    folder: str = "."


def _python(name: str, *args: str) -> Program:
    return Program((sys.executable, f"benchmarks/first_tests/{name}.py", *args))


# Where the program in Go is built.
_GO = str(Path(tempfile.gettempdir()) / "oagw-first-test-in-go")

PROGRAMS = {
    "Python": _python("ours"),
    "Python, in memory": _python("in_memory"),
    "Rust": Program(
        ("target/release/examples/first_test",),
        ("cargo", "build", "-q", "--release", "--offline", "--example", "first_test"),
        "clients/rust",
    ),
    "Node": Program(("node", "examples/first_test.mjs"), folder="clients/node"),
    "Go": Program((_GO,), ("go", "build", "-o", _GO, "./examples/first_test"), "clients/go"),
    "pytest-httpserver": _python("httpserver"),
}


def main() -> int:
    """Measure the programs that are asked for, and print a table."""
    parser = argparse.ArgumentParser(description="Measure a first test in each language.")
    parser.add_argument("name", nargs="*", help=f"of {', '.join([*PROGRAMS, 'WireMock'])} (default: all)")
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    programs = dict(PROGRAMS)
    found = wiremock.found()
    if isinstance(found, str):
        print(f"WireMock takes no part: {found}", file=sys.stderr)
    else:
        programs["WireMock"] = _python("with_wiremock", found.command[2])
    if options.name:
        programs = {name: programs[name] for name in options.name}
    for name in [*programs]:
        why = _why_not(programs[name])
        if why:
            print(f"{name} takes no part: {why}", file=sys.stderr)
            del programs[name]
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(options.rounds):
        for name, program in programs.items():
            times[name].append(_seconds(program))
    print(
        f"{time.strftime('%Y-%m-%d')}, {platform.system()}, {os.cpu_count()} cores, {options.rounds} rounds\n"
    )
    print("| spawn, sandbox, stub, call, verify, end | median | slowest of ten | processor time |")
    print("| --- | --: | --: | --: |")
    for name, rounds in times.items():
        taken, worked = zip(*rounds, strict=True)
        row = median(taken), quantiles(taken, n=10)[-1], median(worked)
        print(f"| {name} | {' | '.join(f'{seconds * 1000:.0f} ms' for seconds in row)} |")
    return 0


def _why_not(program: Program) -> str:
    """Build ``program`` and run it once, to warm up; return why it cannot take part, or ""."""
    try:
        if program.build:
            _run(program, program.build)
        _run(program, program.run)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        return (said.strip().splitlines() or ["it failed"])[-1]
    return ""


def _seconds(program: Program) -> tuple[float, float]:
    """The seconds that ``program`` takes, and those of processor time."""
    began, worked = time.perf_counter(), _worked()
    _run(program, program.run)
    return time.perf_counter() - began, _worked() - worked


def _worked() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(program: Program, command: tuple[str, ...]) -> None:
    # All clients start the same server. With PYTHONDONTWRITEBYTECODE, it would be compiled at every start.
    ours = {"OAGW_PYTHON": sys.executable, "OAGW_SERVER": str(ROOT / "server.py"), "PYTHONPATH": str(ROOT)}
    kept = {k: v for k, v in os.environ.items() if k not in ("OAGW_URL", "PYTHONDONTWRITEBYTECODE")}
    subprocess.run(
        command,
        cwd=ROOT / program.folder,
        env={**kept, **ours},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=True,
    )


if __name__ == "__main__":
    sys.exit(main())
