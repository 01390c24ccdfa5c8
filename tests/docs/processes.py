"""Commands of the pages in a shell."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The interpreter that runs the tests, under the name that the pages have for it.
BIN = str(Path(sys.executable).parent)


@contextmanager
def running(command: str, cwd: Path, stream: str = "stdout") -> Iterator[str]:
    """``command`` in a shell and process group of its own; gives the first line of JSON (or of its log)."""
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if stream == "both" else None,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        yield next(line for line in process.stdout if '"listening"' in line or "starting on" in line)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise


def get(url: str, *options: str) -> str:
    command = ["curl", "-sS", "--fail-with-body", "-m", "10", *options, url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
