"""Records what WireMock 3 makes of the cases: ``python -m tests.unit.control.template.record JAR``.

An answer of 500 is recorded as null.
"""

import http.client
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.unit.control.template.cases import PARAMETERS, REQUESTS, TEMPLATES

RECORDED = Path(__file__).with_name("recorded.json")


def answer(port: int, method: str, path: str, body: bytes, head: str = "") -> tuple[int, bytes]:
    """The status and body of WireMock's answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_host=bool(head), skip_accept_encoding=True)
    for line in head.split("\r\n") if head else ["Content-Type: application/json"]:
        name, _, value = line.partition(": ")
        connection.putheader(name, value)
    if body:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body or None)
    response = connection.getresponse()
    try:
        return response.status, response.read()
    finally:
        connection.close()


def ask(port: int, request: str, template: str) -> str | None:
    """What WireMock makes of ``template`` for this request."""
    url, head, body, path_template = REQUESTS[request]
    pattern = {"urlPathTemplate": path_template} if path_template else {"method": "ANY"}
    response = {"status": 200, "body": template, "transformerParameters": PARAMETERS}
    answer(port, "DELETE", "/__admin/mappings", b"")
    stub = json.dumps({"request": pattern, "response": response}).encode()
    assert answer(port, "POST", "/__admin/mappings", stub)[0] == 201
    status, text = answer(port, "POST", url, body, head)
    return text.decode() if status == 200 else None


def main(jar: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--port", str(port), "--global-response-templating", "--disable-banner"]
    server = subprocess.Popen(["java", "-jar", jar, *options], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                answer(port, "GET", "/__admin/mappings", b"")
                break
            except OSError:
                time.sleep(0.2)
        recorded = [
            [request, template, ask(port, request, template)]
            for request, templates in TEMPLATES.items()
            for template in templates
        ]
    finally:
        server.kill()
        server.wait()
    lines = ",\n".join(json.dumps(each) for each in recorded)
    RECORDED.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main(sys.argv[1])
