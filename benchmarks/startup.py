"""From spawn to the first accepted connection, and to the first 200; the ways to start it, compared."""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from subjects import BARE, FLASK, HERE, OURS, Subject, end, free_port, spawn
from table import Row, milliseconds, ratio

# Seconds between two tries to connect.
_POLL = 0.0005


def rows(quick: bool) -> Iterator[Row]:
    """The first connection and the first 200, beside others; then the other ways to start the server."""
    subjects = (OURS, BARE, FLASK)
    rounds = [[first_answer(subject) for subject in subjects] for _ in range(5 if quick else 21)]
    accepted, answered = ([[pair[n] for pair in r] for r in rounds] for n in range(2))
    ours, bare, flask = zip(*accepted, strict=True)
    yield Row(
        "spawn to first accepted connection",
        *(milliseconds(median(times)) for times in (ours, bare, flask)),
        f"{ratio(ours, bare):.2f} x bare, {ratio(ours, flask):.2f} x Flask",
        "≤ 40 ms",
        median(ours) <= 0.040,
    )
    ours, bare, flask = zip(*answered, strict=True)
    yield Row(
        "spawn to first 200",
        *(milliseconds(median(times)) for times in (ours, bare, flask)),
        f"{ratio(ours, bare):.2f} x bare, {ratio(ours, flask):.2f} x Flask",
        "≤ 1.05 x bare",
        ratio(ours, bare) <= 1.05,
    )
    yield from _launchers(quick)


def _launchers(quick: bool) -> Iterator[Row]:
    """Two rows: ``uv run server.py`` to ``listening``, and ``oagw-mock`` to the first 200."""
    with tempfile.TemporaryDirectory() as folder:
        script = OURS.command[1]
        commands = {"python server.py": OURS.command, **_installed(folder)}
        if uv := shutil.which("uv"):
            commands["uv run server.py"] = (uv, "run", "-q", "--python", sys.executable, script)
        for command in commands.values():
            _announced(command)  # uv makes an environment at the first time, Python bytecode
        rounds = range(5 if quick else 21)
        times = [{name: _announced(command) for name, command in commands.items()} for _ in rounds]
    for name, event, at in (("uv run server.py", "`listening`", 0), ("oagw-mock", "the first 200", 1)):
        if name not in commands:
            yield Row(f"{name} to {event}", "not installed")
            continue
        ours, plain = ([one[way][at] for one in times] for way in (name, "python server.py"))
        compared = f"{ratio(ours, plain):.2f} x {milliseconds(median(plain))} of python server.py"
        yield Row(f"{name} to {event}", milliseconds(median(ours)), ratio=compared)


def _installed(folder: str) -> dict[str, tuple[str, ...]]:
    """Install the package into ``folder``; returns its command."""
    source = Path(folder) / "source"
    for name in ("oagw", "twisted"):
        shutil.copytree(HERE.parent / name, source / name)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(HERE.parent / name, source)
    environment = Path(folder) / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = str(environment / "bin" / "python")
    subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "-q", source], check=True)
    return {"oagw-mock": (str(environment / "bin" / "oagw-mock"),)}


def _announced(command: tuple[str, ...]) -> tuple[float, float]:
    """Seconds until the line ``listening``, and until the first 200 to a client that has read it."""
    start = time.perf_counter()
    command = (*command, "0", "--exit-with-parent")
    null = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=null, stdout=subprocess.PIPE, stderr=null) as process:
        assert process.stdout is not None
        listening = json.loads(process.stdout.readline())
        announced = time.perf_counter() - start
        with socket.create_connection((listening["host"], listening["port"]), timeout=10) as connection:
            connection.sendall(OURS.get("health"))
            if b" 200 " not in connection.recv(65536)[:20]:
                raise RuntimeError(f"{command} does not answer")
        answered = time.perf_counter() - start
        process.terminate()
    return announced, answered


def first_answer(subject: Subject) -> tuple[float, float]:
    """Seconds until the first connection is accepted, and until a request on it is answered."""
    port = free_port()
    start = time.perf_counter()
    process = spawn(subject, port)
    try:
        while True:
            connection = socket.socket()
            connection.settimeout(10)
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                break
            connection.close()
            if time.perf_counter() > start + 10:
                raise RuntimeError(f"{subject.name} does not listen")
            time.sleep(_POLL)
        accepted = time.perf_counter() - start
        with connection:
            connection.sendall(subject.get("health"))
            if b" 200 " not in connection.recv(65536)[:20]:
                raise RuntimeError(f"{subject.name} does not answer")
            return accepted, time.perf_counter() - start
    finally:
        end(process)
