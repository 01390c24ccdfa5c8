"""Whatever is asked of the journal's API, it is answered, and never with a 5xx."""

import json
from functools import cache
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.wire import Wire

quick = settings(deadline=None, max_examples=80)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PATTERN = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["GET", "POST", "ANY"]) | st.text(max_size=5),
        "urlPath": st.sampled_from(["/a", "/api/oagw/v1/proxy/weather/current"]) | st.text(max_size=5),
        "headers": st.dictionaries(
            st.sampled_from(["Accept", "Authorization", "Cookie"]),
            st.fixed_dictionaries({}, optional={"equalTo": st.text(max_size=5), "absent": st.booleans()}),
            max_size=2,
        ),
        "bodyPatterns": st.lists(
            st.fixed_dictionaries({"equalToJson": JSON, "ignoreExtraElements": st.booleans()}), max_size=2
        ),
    },
)
NUMBER = st.integers(-1, 3) | st.floats(allow_nan=False, allow_infinity=False)
VERIFICATION = st.fixed_dictionaries(
    {"request": PATTERN},
    optional={
        "times": NUMBER,
        "atLeast": NUMBER,
        "atMost": NUMBER,
        "after": PATTERN,
        "notSoonerThan": NUMBER,
        "notLaterThan": NUMBER,
    },
)
LOGGED = st.fixed_dictionaries(
    {},
    optional={
        "url": st.text(max_size=9),
        "method": st.text(max_size=5),
        "headers": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
        "body": st.text(max_size=5),
        "bodyAsBase64": st.text(max_size=5),
    },
)


@cache
def served() -> Wire:
    wire = Wire()
    wire.admin("POST", "/mappings", {"request": {"url": "/a"}, "response": {"status": 200}})
    for _ in range(2):
        wire.ask("GET", "/a")
        wire.post_json("/api/oagw/v1/proxy/weather/current", b'{"a": [1, {"b": "\\ud800"}]}', "Cookie: a=b")
        wire.connect().send(b"\xff\xfe / HTTP/1.1\r\nHost: g\r\n\r\n")
    return wire


def asked(path: str, value: Any) -> int:
    answer = served().admin("POST", path, json.dumps(value).encode("utf-8", "surrogatepass"))
    answer.json()
    return answer.status


@quick
@given(VERIFICATION)
def test_any_verification_is_answered(spec: dict[str, Any]) -> None:
    assert asked("/verify", spec) in (200, 409, 422)


@quick
@given(PATTERN | JSON)
def test_any_pattern_is_answered(pattern: Any) -> None:
    for path in ("/requests/count", "/requests/find", "/near-misses/request-pattern"):
        assert asked(path, pattern) in (200, 422)


@quick
@given(LOGGED | JSON)
def test_any_request_is_compared(given: Any) -> None:
    assert asked("/near-misses/request", given) in (200, 422)


@quick
@given(st.sampled_from(["limit", "since", "unmatched", "matchingStub"]), st.text())
def test_any_parameter_is_answered(name: str, value: str) -> None:
    assert served().admin("GET", f"/requests?{name}={quote(value)}").status in (200, 400, 422)


@quick
@given(st.text(min_size=1))
def test_any_id_is_answered(id: str) -> None:
    assert served().admin("GET", f"/requests/{quote(id, safe='')}").status in (200, 400, 404, 405)
