"""What WireMock made of each case (``record``) is what we make of it, but for the deviations."""

import json
from contextlib import suppress
from random import Random

import pytest

from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.templates.compiled import compile
from oagw.templates.render_context import Context

from .cases import PARAMETERS, REQUESTS
from .deviations import DEVIATIONS
from .record import RECORDED

CASES: list[tuple[str, str, str | None]] = [tuple(case) for case in json.loads(RECORDED.read_text())]
ON_PURPOSE = {template for templates in DEVIATIONS.values() for template in templates}


def rendered(request: str, template: str) -> str:
    """What we make of a case; raises Invalid."""
    url, head, body, path_template = REQUESTS[request]
    length = f"\r\nContent-Length: {len(body)}"
    names = {"id": "x%20y", "sub": "z%2Fw"} if path_template else {}
    call = Call("POST", url, (head + length).encode(), body)
    return compile(template, "/response/body").render(call, Context(0.0, Random(1), names, PARAMETERS))


@pytest.mark.parametrize(("request_", "template", "expected"), CASES)
def test_a_template_renders_as_in_wiremock(request_: str, template: str, expected: str | None) -> None:
    ours = None
    with suppress(Invalid):
        ours = rendered(request_, template)
    # Where WireMock fails (500), we refuse the template or say in the output what is wrong.
    same = ours == expected or (expected is None and ours is not None and "[ERROR: " in ours)
    assert same != (template in ON_PURPOSE), ours
