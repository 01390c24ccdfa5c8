"""Spawn the mock gateway from a Python test, with the standard library alone.

    python3 examples/spawn.py

OAGW_PYTHON names the interpreter (default: python3), OAGW_SERVER the script (default: server.py).
Where the package ``oagw`` can be imported, ``from oagw.testing import MockGateway`` does the same, and
pytest has the fixture ``oagw_gateway``: see test_with_fixture.py.
"""

import http.client
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


@contextmanager
def mock_gateway() -> Iterator[str]:
    """Run a gateway for the length of a ``with`` block; gives its URL."""
    command = [os.environ.get("OAGW_PYTHON", "python3"), os.environ.get("OAGW_SERVER", "server.py")]
    # The server stops when its standard input ends, so it cannot outlive us, even if we are killed.
    with subprocess.Popen(
        [*command, "0", "--exit-with-parent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()  # one line of JSON, as soon as the socket accepts
            if not line:
                raise RuntimeError("the gateway did not start; standard error says why")
            yield json.loads(line)["url"]
        finally:
            server.kill()


def test_weather_in_oslo() -> None:
    with mock_gateway() as url:
        client = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        client.request(
            "GET",
            "/api/oagw/v1/proxy/weather/current?city=Oslo",
            headers={"Authorization": "Bearer test-integration-token"},
        )
        answer = client.getresponse()
        body = answer.read()
        client.close()
        assert answer.status == 200, body
        assert answer.getheader("X-OAGW-Error-Source") == "upstream"
        assert json.loads(body)["location"] == "Oslo"


if __name__ == "__main__":
    test_weather_in_oslo()
    print("ok")
