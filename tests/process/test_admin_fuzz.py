"""The control plane under schemathesis, which makes calls of the server's own description of it.

OAGW_FUZZ_SECONDS is how long it may take, for longer runs by hand; 30 if it is not set.
"""

import http.client
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from launched import Launched

SECONDS = int(os.environ.get("OAGW_FUZZ_SECONDS", "30"))

# So many of the stubs that were made are called at the end.
PLAYED = 200


def fuzz(server: Launched, folder: Path, seconds: int, *options: str) -> None:
    """Have schemathesis call ``server`` for so long; whatever it finds fails the test."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run"),
        f"http://{server.host}:{server.port}/__admin/openapi.json",
        f"--max-time={seconds}",
        "--seed=1",
        "--request-timeout=10",
        "--suppress-health-check=all",
        "--generation-database=none",
        "--no-color",
        # It would end the run: it stops the server.
        "--exclude-path=/shutdown",
        # Members that exclude each other, for one, are no matter of the types.
        "--exclude-checks=positive_data_acceptance",
        *options,
    ]
    run = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=seconds + 60, check=False
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]


def call(server: Launched, method: str, path: str, value: Any = None, **headers: str) -> tuple[int, Any]:
    status, body = server.ask(method, path, None if value is None else json.dumps(value).encode(), **headers)
    return status, json.loads(body) if body else None


def play(server: Launched, stubs: list[dict[str, Any]]) -> None:
    """Call each stub, alone and matching whatever is asked; it may break off or take its time."""
    for stub in stubs:
        assert call(server, "DELETE", "/__admin/mappings")[0] == 200
        status, answer = call(server, "POST", "/__admin/mappings", {"response": stub.get("response", {})})
        assert status == 201, answer
        connection = http.client.HTTPConnection(server.host, server.port, timeout=0.2)
        with suppress(OSError, http.client.HTTPException):
            connection.request("POST", "/anything?a=b", b'{"c": "d"}')
            connection.getresponse().read(100_000)
        connection.close()


def test_no_call_of_the_control_plane_breaks_it_or_its_description(tmp_path):
    with Launched("0", "--seed", "1") as server:
        fuzz(server, tmp_path, SECONDS)
        _, listed = call(server, "GET", f"/__admin/mappings?limit={PLAYED}")
        play(server, listed["mappings"])
        assert call(server, "POST", "/__admin/reset")[0] == 200
        assert server.get("/health")[0] == 200
        assert server.stop() == 0
        assert "unexpected error" not in server.said()
        assert "Traceback" not in server.said()
