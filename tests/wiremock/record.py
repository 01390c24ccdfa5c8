"""Ask the real WireMock again: python -m tests.wiremock.record path/to/wiremock-standalone.jar

Writes ``patterns.json``: when it was asked, and for each case of ``cases`` whether WireMock matched it; null
where it refused the pattern.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.wiremock.cases import CASES, NOW
from tests.wiremock.server import WireMock

PATTERNS = Path(__file__).with_name("patterns.json")


def matched(wiremock: WireMock, pattern: Any, request: Any) -> bool | None:
    """Whether ``pattern`` matches ``request``; None if it was refused."""
    if wiremock.only({"request": pattern, "response": {"status": 299}}).status != 201:
        return None
    head = request.get("headers", ())
    answer = wiremock.ask(request["method"], request["url"], head, request.get("body", "").encode())
    return answer.status == 299


def main(jar: str) -> None:
    with WireMock(jar) as wiremock:
        lines = [
            json.dumps(
                {"pattern": pattern, "request": request, "matched": matched(wiremock, pattern, request)}
            )
            for pattern, request in CASES
        ]
    now = NOW.timestamp()
    PATTERNS.write_text(f'{{"now": {now}, "cases": [\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
