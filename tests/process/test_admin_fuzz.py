"""The control plane and the management API under schemathesis, by the server's own descriptions of them.

OAGW_FUZZ_SECONDS is how long it may take in all, for longer runs by hand (with ``-o faulthandler_timeout=0``,
which else ends a test of two minutes); 36 if it is not set.
"""

import http.client
import json
import os
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from launched import TOKEN, Launched

SECONDS = int(os.environ.get("OAGW_FUZZ_SECONDS", "36"))

# Streams without gaps, for with the manual clock they would wait.
QUICK = ("--stream-interval-scale", "0")

# So many of the stubs that were made are called at the end.
PLAYED = 200


# What the journal has at first: calls that are served, refused, streamed, and that nothing is there for.
TRAFFIC = (
    ("GET", "/api/oagw/v1/proxy/weather/current?city=%C3%85s", None),
    ("POST", "/api/oagw/v1/proxy/calculator/calculate", b'{"operation": "divide", "a": 1, "b": 0}'),
    ("POST", "/api/oagw/v1/proxy/openai/v1/chat/completions", b"\xff{"),
    ("GET", "/api/oagw/v1/proxy/stream-test/events", None),
    ("GET", "/api/oagw/v1/proxy/nobody/%FF?a=%00", None),
    ("DELETE", "/nowhere", b"[" * 2_000),
)


def fuzz(
    server: Launched,
    folder: Path,
    seconds: int,
    *options: str,
    token: str = TOKEN,
    document: str = "/__admin/openapi.json",
) -> None:
    """Have schemathesis call ``server`` for so long; whatever it finds fails the test."""
    for method, path, body in TRAFFIC:
        server.ask(method, path, body, Authorization=f"Bearer {token}")
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run"),
        f"http://{server.host}:{server.port}{document}",
        f"--max-time={seconds}",
        "--seed=1",
        "--request-timeout=10",
        "--suppress-health-check=all",
        "--generation-database=none",
        "--no-color",
        # It would end the run: it stops the server.
        "--exclude-path=/shutdown",
        # Members that exclude each other, for one, are no matter of the types; and a sandbox may be made
        # that is gone in a moment.
        "--exclude-checks=positive_data_acceptance,ensure_resource_availability",
        *options,
    ]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "fuzz_hooks",
        "PYTHONPATH": str(Path(__file__).parent),
    }
    run = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]


def call(server: Launched, method: str, path: str, value: Any = None, **headers: str) -> tuple[int, Any]:
    status, body = server.ask(method, path, None if value is None else json.dumps(value).encode(), **headers)
    return status, json.loads(body) if body else None


def play(server: Launched, stub: dict[str, Any], **headers: str) -> None:
    """Call ``stub``, alone and whatever is asked; it may break off, or take its time."""
    assert call(server, "DELETE", "/__admin/mappings", **headers)[0] == 200
    made, answer = call(
        server, "POST", "/__admin/mappings", {"response": stub.get("response", {})}, **headers
    )
    assert made == 201, answer
    connection = http.client.HTTPConnection(server.host, server.port, timeout=0.2)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("POST", "/anything?a=b", b'{"c": "d"}', headers)
        connection.getresponse().read(100_000)


def lives_on(server: Launched, **headers: str) -> None:
    """Call the stubs that were made; then all is as at the start of ``server``, and nothing went wrong."""
    _, listed = call(server, "GET", f"/__admin/mappings?limit={PLAYED}", **headers)
    for stub in listed["mappings"]:
        play(server, stub, **headers)
    assert call(server, "POST", "/__admin/reset", **headers)[0] == 200
    assert server.get("/health", **headers)[0] == 200
    assert server.stop() == 0
    assert "unexpected error" not in server.said()
    assert "Traceback" not in server.said()


@pytest.mark.parametrize("clock", ["real", "manual"])
def test_no_call_of_the_control_plane_breaks_it_or_its_description(tmp_path: Path, clock: str) -> None:
    with Launched("0", "--seed", "1", "--clock", clock, *QUICK) as server:
        fuzz(server, tmp_path, SECONDS // 3)
        lives_on(server)


def test_no_call_from_within_a_sandbox_does(tmp_path: Path) -> None:
    with Launched("0", "--seed", "1", *QUICK) as server:
        _, sandbox = call(server, "POST", "/__admin/sandboxes")
        authorization = f"Bearer {sandbox['token']}"
        # A sandbox that is gone would answer nothing more.
        options = (f"--header=Authorization:{authorization}", "--exclude-operation-id=deleteSandboxesId")
        fuzz(server, tmp_path, SECONDS // 3, *options, token=sandbox["token"])
        lives_on(server, Authorization=authorization)


def test_no_call_of_the_management_api_does(tmp_path: Path) -> None:
    with Launched("0", "--seed", "1") as server:
        authorization = f"Bearer {TOKEN}"
        document = "/api/oagw/v1/openapi.json"
        fuzz(server, tmp_path, SECONDS // 6, f"--header=Authorization:{authorization}", document=document)
        lives_on(server)
