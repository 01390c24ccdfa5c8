"""Every operator keeps to the time budget of a request, however large the body and however many the stubs."""

from time import perf_counter, thread_time
from typing import Any

import pytest

from oagw.matching.operator import OPTIONS
from oagw.matching.pattern import compiled
from oagw.matching.spec import RequestPattern
from oagw.model.call import Call
from oagw.model.document import converted
from oagw.model.time_budget import BudgetExceeded, time_left
from tests.unit.matching.asked import NOW, pattern

pytestmark = pytest.mark.timed

MIB = 1 << 20

# A document for each operator that a large body does not match, at the cost of reading all of it.
NO_MATCH: dict[str, Any] = {
    "equalTo": {"equalTo": "x" * 100, "caseInsensitive": True},
    "contains": {"contains": "the quick brown dog"},
    "doesNotContain": {"doesNotContain": "the quick brown fox"},
    "matches": {"matches": "(?i).*quick.*dog.*"},
    "doesNotMatch": {"doesNotMatch": "(?i).*QUICK.*fox.*"},
    "absent": {"absent": True},
    "anything": {"not": {"anything": "(anything)"}},
    "equalToJson": {"equalToJson": [1, 2], "ignoreArrayOrder": True},
    "matchesJsonPath": {"matchesJsonPath": "$..[?(@.nothing > 1)]"},
    "matchesJsonSchema": {"matchesJsonSchema": {"type": "array", "items": {"required": ["nothing"]}}},
    "equalToNumber": {"equalToNumber": 1},
    "greaterThanNumber": {"greaterThanNumber": 1},
    "greaterThanEqualNumber": {"greaterThanEqualNumber": 1},
    "lessThanNumber": {"lessThanNumber": 1},
    "lessThanEqualNumber": {"lessThanEqualNumber": 1},
    "before": {"before": "now"},
    "after": {"after": "now +3 days", "actualFormat": "yyyy-MM-dd"},
    "equalToDateTime": {"equalToDateTime": "now", "truncateActual": "first hour of day"},
    "binaryEqualTo": {"binaryEqualTo": "AAAA"},
    "and": {"and": [{"contains": "fox"}, {"contains": "dog"}]},
    "or": {"or": [{"contains": "cat"}, {"contains": "dog"}]},
    "not": {"not": {"contains": "fox"}},
    # These are for values of which there can be several.
    "hasExactly": {"hasExactly": [{"contains": "a"}] * 400},
    "includes": {"includes": [{"contains": "fox"}] * 400},
}

TEXT = b'"the quick brown fox, the quick brown dogs", ' * (10 * MIB // 45)
BODIES = {
    "text": TEXT,
    "JSON": b"[" + TEXT + b"1]",
    "objects": b"[" + b'{"a": [1, "fox"]},' * 400_000 + b"1]",
}


def test_there_is_a_case_for_every_operator() -> None:
    assert NO_MATCH.keys() == OPTIONS.keys()


def pattern_of(operator: str) -> Any:
    if operator in ("hasExactly", "includes"):
        return {"headers": {"X-A": NO_MATCH[operator]}}
    return {"bodyPatterns": [NO_MATCH[operator]]}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("operator", NO_MATCH)
def test_a_thousand_stubs_and_a_body_of_10_mb_keep_to_the_budget(operator: str, body: str) -> None:
    stubs = [pattern(pattern_of(operator)) for _ in range(3)]
    head = b"\r\n".join(b"X-A: b%d" % n for n in range(400))
    call = Call("POST", "/x", head=head, body=BODIES[body])
    started = thread_time()  # what other processes take is not the operator's
    for _ in range(334):
        for stub in stubs:
            stub.matches(call, NOW)
    assert thread_time() - started < 0.1 * len(BODIES[body]) / MIB


@pytest.mark.parametrize("operator", NO_MATCH)
def test_an_operator_is_not_tried_when_the_budget_is_used_up(operator: str) -> None:
    call = Call("POST", "/x", head=b"X-A: a", body=b'"the quick brown fox"')
    call.time_budget = 0
    found = compiled(converted(pattern_of(operator), RequestPattern))
    assert not found.matches(call, NOW)
    told = {part.name: part for part in found.compare(call, NOW)}
    assert any("the time budget of the request is used up" in part.actual for part in told.values())


def test_the_budget_is_one_for_all_patterns_and_grows_with_the_body() -> None:
    small, large = Call("POST", "/"), Call("POST", "/", body=bytes(10 * MIB))
    assert 0 < time_left(small) < 0.051
    assert 0.4 < time_left(large) < 0.51


def test_the_time_that_other_processes_take_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call("POST", "/")
    assert time_left(call) > 0
    call.deadline = perf_counter() - 1  # as after a pause of a second, in which this thread did not run
    assert time_left(call) > 0.04


def test_what_has_taken_too_long_by_itself_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call("POST", "/")
    time_left(call)
    call.deadline, call.matching_since = perf_counter() - 1, -1.0  # a second of processor time
    assert time_left(call) <= 0
    with pytest.raises(BudgetExceeded, match="is used up: contains"):
        pattern({"host": {"contains": "a"}})._fields[0].matches(call, NOW)
