"""Records what WireMock 3 makes of the cases: ``python -m tests.unit.templates.record JAR``.

An answer of 500 is recorded as null.
"""

import json
import sys
from pathlib import Path

from tests.unit.templates.cases import PARAMETERS, REQUESTS, TEMPLATES
from tests.wiremock.server import WireMock

RECORDED = Path(__file__).with_name("recorded.json")


def rendered(wiremock: WireMock, request: str, template: str) -> str | None:
    """What WireMock makes of ``template`` for this request."""
    url, head, body, path_template = REQUESTS[request]
    pattern = {"urlPathTemplate": path_template} if path_template else {"method": "ANY"}
    response = {"status": 200, "body": template, "transformerParameters": PARAMETERS}
    assert wiremock.only({"request": pattern, "response": response}).status == 201
    fields = [line.split(": ", 1) for line in head.split("\r\n")]
    answer = wiremock.ask("POST", url, fields, body)
    return answer.body.decode() if answer.status == 200 else None


def main(jar: str) -> None:
    with WireMock(jar, "--global-response-templating") as wiremock:
        lines = [
            json.dumps([request, template, rendered(wiremock, request, template)])
            for request, templates in TEMPLATES.items()
            for template in templates
        ]
    RECORDED.write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
