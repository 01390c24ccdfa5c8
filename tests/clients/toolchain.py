"""Runs the toolchains of other languages for the tests of ``clients/``."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Seconds that a run gets; it needs a few, and Go compiles its standard library at the first.
PATIENCE = 300

# Seconds until a server without its parent has to be gone.
GONE = 30.0

# What a failed test prints that called stripe/v1/chargez instead of stripe/v1/charges.
CARD = (
    "what the gateway saw:",
    "1 request, 0 findings",
    "unmatched: GET /api/oagw/v1/proxy/stripe/v1/chargez -> 404 from the gateway",
    'The nearest stub is GET [path] /api/oagw/v1/proxy/stripe/v1/charges "GET stripe/v1/charges", id ',
    "! url     expected  [path] /api/oagw/v1/proxy/stripe/v1/charges   <<<",
    "received         /api/oagw/v1/proxy/stripe/v1/chargez",
    "all requests:",
)

# With the server of this checkout, and without other packages or another Go.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("OAGW_")} | {
    "OAGW_PYTHON": sys.executable,
    "GOFLAGS": "-mod=mod",
    "GOPROXY": "off",
    "GOTOOLCHAIN": "local",
    "NO_COLOR": "1",  # vitest would colour its output in CI
}


def example(client: Path, language: str, number: int = 0) -> str:
    """Return an example of a README."""
    found = re.findall(rf"```{language}\n(.*?)```", (client / "README.md").read_text(), re.DOTALL)
    return str(found[number])


def run(command: Sequence[str | Path], folder: Path, *, passes: bool, timeout: float = PATIENCE) -> str:
    """Return what ``command`` prints."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=timeout,
    )
    assert (done.returncode == 0) is passes, done.stdout
    return done.stdout


def assert_gone(url: str) -> None:
    """Wait until nothing listens at ``url`` any more."""
    address = urlsplit(url)
    deadline = time.monotonic() + GONE
    while time.monotonic() < deadline:
        try:
            socket.create_connection((address.hostname, address.port), timeout=GONE).close()
        except OSError:
            return
        time.sleep(0.02)
    pytest.fail(f"the server at {url} outlived its parent")


def url_of_killed(command: Sequence[str | Path], folder: Path) -> str:
    """Start ``command``, which prints the URL of a gateway, and kill it."""
    with subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGKILL)
    assert url.startswith("http://"), url
    return url
