"""What one operator does with a body of a MiB that has very many parts: it gives up in time."""

from collections.abc import Iterator
from time import thread_time
from typing import Any

import pytest

from oagw.model.call import Call
from tests.unit.matching.asked import NOW, pattern

pytestmark = [pytest.mark.usefixtures("frozen_heap"), pytest.mark.timed]

MIB = 1 << 20

# The rule is 0.1, and reading the JSON takes half of it; a machine may be slow.
MOST = 0.3

BODIES = {
    "numbers": b"[" + b"1," * (MIB // 2) + b"1]",
    "arrays": b"[" + b"[]," * (MIB // 3) + b"1]",
    "objects": b"[" + b'{"a":1},' * (MIB // 8) + b"1]",
    "members": b"{" + b",".join(b'"%d":1' % number for number in range(MIB // 10)) + b"}",
}


def operators() -> Iterator[dict[str, Any]]:
    for path in ("$..a", "$..*", "$..[*]", "$[*]", "$[?(@.a > 2)]", "$[?(@ == $)]", "$[?(@..a)]", "$.max()"):
        yield {"matchesJsonPath": path}
    yield {"matchesJsonPath": {"expression": "$..*", "matches": "z"}}
    yield {"matchesJsonPath": {"expression": "$[*]", "equalToJson": {"a": 2}}}
    lists: list[list[Any]] = [[1] * 3_000 + [2], [[]] * 3_000 + [[2]], [{"a": 1}] * 3_000 + [2]]
    for expected in lists:
        yield {"equalToJson": expected, "ignoreArrayOrder": True, "ignoreExtraElements": True}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("operator", list(operators()), ids=lambda operator: str(operator)[:60])
def test_an_operator_gives_up_in_time(operator: dict[str, Any], body: str) -> None:
    found = pattern({"bodyPatterns": [operator]})
    found.matches(Call("POST", "/", body=b"[1]"), NOW)  # loads what is loaded once
    for ask in (found.matches, found.distance, found.compare):
        call = Call("POST", "/", body=BODIES[body])
        started = thread_time()
        ask(call, NOW)
        assert thread_time() - started < MOST, ask
