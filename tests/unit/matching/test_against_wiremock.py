"""What matches here matches in WireMock, for every case that was put to it (``tests.wiremock``)."""

import json
from typing import Any

import pytest

from oagw.matching.pattern import compiled
from oagw.matching.spec import RequestPattern
from oagw.model import time_budget as budget
from oagw.model.call import Call
from oagw.model.document import converted
from oagw.model.invalid import Invalid
from tests.wiremock.record import PATTERNS

CORPUS = json.loads(PATTERNS.read_text())


def call_of(request: dict[str, Any]) -> Call:
    fields = request.get("headers", [])
    head = "\r\n".join(f"{name}: {value}" for name, value in fields)
    body = request.get("body", "").encode()
    call = Call(request["method"], request["url"], head.encode(), body, host="127.0.0.1")
    call.time_budget = 60.0  # what matches is the question here, not in what time
    return call


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MAX_ATTEMPT", 60.0)


def ours(case: dict[str, Any]) -> bool | None:
    try:
        pattern = compiled(converted(case["pattern"], RequestPattern))
    except Invalid:
        return None
    return pattern.matches(call_of(case["request"]), CORPUS["now"])


# Where we differ on purpose: the reason, and what the cases (pattern and request as JSON) have in common.
DEVIATIONS = {
    "Two members that exclude each other are refused; WireMock ignores one": [
        '"url": "/x", "urlPath"',
        '"equalTo": "a", "contains": "b"',
    ],
    "What would be ignored is refused": [
        '"urlPath": "/x", "pathParameters"',
        '"extra": "b"',
        '"absent": false',
        '07:08:09Z", "truncateExpected"',
        '"schemaVersion": "V202012"',
        '"{\\"a\\":1} x"',
    ],
    "What can never match is refused": [
        '{"url": "x"}',
        '{"urlPath": "/x?a=1"}',
        '"/a/{x}", "pathParameters": {"y"',
        "json-unit.matches:",
        '\\"nope\\"}',
        '"now+1 days"',
        '"now + 1 days"',
        '"tomorrow"',
        '{"after": ""}',
    ],
    "Half a variable is a mistake, not a path": ['"/a/{x"'],
    "Not supported, and refused": [
        "javaLowerCase",
        "(?x)",
        "matchesPathTemplate",
        '"scheme"',
        '{"username": "me"}',
    ],
    "The method of no request is refused; WireMock compares requests in upper case": [
        '[{"method": "get"',
        '[{"method": "foo"',
        '[{"method": "any"',
        '[{"method": "get_or_head"',
        '[{"method": "GET "',
        '[{"method": ""',
        '[{"method": "G E T"',
        '[{"method": "\\u00c9"',
    ],
    "Operators of WireMock 4": ['"equalToNumber"', '"greaterThanNumber"'],
    "What Jayway ignores in a JSONPath is refused": [
        "index('1')",
        "append('z')",
        '"$.i.first().n"',
        '"$.i.length().x"',
        '"$.a.c.sum().x"',
        '"$.i.length().sum()"',
        '"$.*~"',
        '"$.i[0]n"',
        "\"$['a']b\"",
        '"$.*a"',
        "$.sum([1,2],2)",
        "$..l.append(1)",
    ],
    "What always fails in a JSONPath is refused": [
        "$.a.c.index()",
        ".foo()",
        "$.a.b()",
        "$.i.count()",
        " all [",
        " type 'x'",
        "@.keys() contains",
        '"$..length()"',
    ],
    "An index from the end as earlier versions of Jayway had it": ["(@.length-1)"],
    "The names of keys() are several values": ['"$.a.keys()", "equalTo"'],
    "WireMock fails at null among several values": ['"$.*.length()", "equalTo"'],
    "Filters may be written as in RFC 9535 as well, and spaces do not matter": [
        '" $.a "',
        "?(length(",
        "?(not @.q",
        " and @.p",
        "?@.n",
        "@.n&&@.b",
        "(not @.n)",
        "[::2]",
        "[:]",
    ],
    "A fragment is no part of a request target (RFC 9112 section 3.2)": ["/x#f"],
    "Header values are read as UTF-8 where they are UTF-8": ['"X-A": {"equalTo": "\\u00e9"'],
    "Numbers are doubles, as in most clients": ["0.1000000000000000000001", "9007199254740993.0"],
    "A body is JSON as a whole or not at all": ["trailing"],
    "An object selected by a JSONPath is compared as compact JSON, not pretty printed": [
        '"equalTo": "{\\"b\\":1}"'
    ],
}


def text_of(case: dict[str, Any]) -> str:
    return json.dumps([case["pattern"], case["request"]])


def test_every_case_agrees_but_for_the_deliberate_deviations() -> None:
    differing = [text_of(case) for case in CORPUS["cases"] if ours(case) is not case["matched"]]
    deliberate = [part for parts in DEVIATIONS.values() for part in parts]
    expected = [text for text in map(text_of, CORPUS["cases"]) if any(part in text for part in deliberate)]
    assert differing == expected


@pytest.mark.parametrize("part", [part for parts in DEVIATIONS.values() for part in parts])
def test_no_deviation_is_listed_in_vain(part: str) -> None:
    assert any(part in text_of(case) for case in CORPUS["cases"])


def test_the_corpus_has_cases_of_every_operator() -> None:
    patterns = json.dumps([case["pattern"] for case in CORPUS["cases"]])
    operators = "equalTo contains doesNotContain matches doesNotMatch absent binaryEqualTo equalToJson"
    more = "matchesJsonPath matchesJsonSchema hasExactly includes and or not before after equalToDateTime"
    assert [name for name in f"{operators} {more}".split() if f'"{name}":' not in patterns] == []
    assert len(CORPUS["cases"]) > 1000
