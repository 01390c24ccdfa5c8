"""Servers that many tests start at once: is each client answered, and does any server stay behind?"""

import contextlib
import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from subjects import HERE
from table import Row

_SERVER = [sys.executable, str(HERE.parent / "server.py"), "0"]

# How many run at the same time, beside one busy process for each processor.
_AT_ONCE = 8

# Seconds after which a server that still runs counts as an orphan.
_PATIENCE = 15.0

# Starts a server in the way that is named first, says its process id, and lives on.
_PARENT = """
import os, signal, subprocess, sys
kind, *command = sys.argv[1:]
if kind == "process":
    command[-1] += f"={os.getpid()}"
stdin = subprocess.PIPE if kind == "pipe" else subprocess.DEVNULL
server = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(server.pid, flush=True)
signal.pause()
"""


def rows(quick: bool) -> Iterator[Row]:
    """Two rows: the answers to clients that connect at once, and the servers that outlive their parents."""
    with _load():
        count = 100 if quick else 1_000
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = Counter(pool.map(_first_answer, range(count)))
        others = ", ".join(f"{many} {what}" for what, many in answers.items() if what != "200")
        yield Row(
            f"{count:,} spawns under load: answered",
            f"{answers['200']:,}{others and ': '}{others}",
            target="all",
            holds=answers["200"] == count,
        )
        count = 20 if quick else 200
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            orphans = sum(pool.map(_is_orphaned, range(count)))
        yield Row(f"{count} killed parents: orphans", str(orphans), target="none", holds=not orphans)


def _first_answer(_: int) -> str:
    """Start a server and call it as soon as it says where it listens: the status, or what went wrong."""
    with subprocess.Popen(
        _SERVER, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            with urllib.request.urlopen(f"{url}/health", timeout=30) as answer:
                return str(answer.status)
        except Exception as error:
            return f"{error!r}, exit status {server.poll()}"
        finally:
            server.kill()


def _is_orphaned(number: int) -> bool:
    """Whether a server outlives its parent, which is killed at some moment of the start or after it."""
    kind = ("pipe", "null", "process")[number % 3]
    command = [sys.executable, "-c", _PARENT, kind, *_SERVER, "--exit-with-parent"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        time.sleep(random.uniform(0, 1))
        parent.kill()
    deadline = time.monotonic() + _PATIENCE
    while _runs(server):
        if time.monotonic() > deadline:
            os.kill(server, 9)
            return True
        time.sleep(0.05)
    return False


def _runs(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _load() -> Iterator[None]:
    """Keep all processors busy."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
