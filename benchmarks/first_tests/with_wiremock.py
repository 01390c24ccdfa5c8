"""The same with WireMock: ``with_wiremock.py JAR``. It has no sandboxes."""

import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

sys.path.insert(0, str(Path(__file__).parents[1]))
from subjects import free_port

port = free_port()
admin = f"http://127.0.0.1:{port}/__admin"
charge = {"method": "GET", "urlPathTemplate": "/v1/charges/{id}"}


def call(url: str, document: object = None) -> bytes:
    """The body of the answer to a POST of ``document``, or to a GET."""
    body = None if document is None else json.dumps(document).encode()
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=10) as answer:
        return answer.read()


command = ("java", "-jar", sys.argv[1], "--disable-banner", "--port", str(port))
with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
    try:
        for _ in range(6000):
            try:
                call(f"{admin}/mappings", {"request": charge, "response": {"jsonBody": {"id": "ch_1"}}})
                break
            except OSError:
                time.sleep(0.005)  # it says nothing when it listens
        assert b"ch_1" in call(f"http://127.0.0.1:{port}/v1/charges/ch_1")
        assert json.loads(call(f"{admin}/requests/count", charge))["count"] == 1
    finally:
        server.kill()
print("ok")
