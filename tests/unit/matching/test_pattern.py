"""Pattern: matching, and saying what does not match."""

from base64 import b64encode

import msgspec
import pytest

from oagw.matching.spec import RequestPattern
from oagw.model.call import Call
from tests.unit.matching.asked import NOW, pattern, refusal

STRIPE = "/api/oagw/v1/proxy/stripe/charges"


@pytest.mark.parametrize(
    "written", [STRIPE, "/oagw/v1/proxy/stripe/charges", "/oagw/v1/proxy/Stripe/charges"]
)
@pytest.mark.parametrize(
    "sent", [STRIPE, "/oagw/v1/proxy/stripe/charges", "/api/oagw/v1/proxy/STRIPE/charges"]
)
def test_a_resource_is_the_same_in_all_its_spellings(written: str, sent: str) -> None:
    for member in ("url", "urlPath", "urlPathTemplate"):
        assert pattern({member: written}).matches(Call("GET", sent), NOW), member
    # The alias is part of an expression like all else.
    for member in ("urlPattern", "urlPathPattern"):
        assert pattern({member: written.lower()}).matches(Call("GET", sent), NOW), member


@pytest.mark.parametrize(
    ("document", "path", "alias"),
    [
        ({"url": STRIPE}, STRIPE, "stripe"),
        ({"url": STRIPE + "?a=1"}, STRIPE, "stripe"),
        ({"urlPath": "/oagw/v1/proxy/STRIPE/charges"}, STRIPE, "stripe"),
        ({"urlPath": "/api/oagw/v1/proxy/stripe"}, "/api/oagw/v1/proxy/stripe", "stripe"),
        ({"urlPathTemplate": "/api/oagw/v1/proxy/stripe/{x}"}, None, "stripe"),
        ({"urlPathTemplate": "/api/oagw/v1/proxy/{alias}/x"}, None, None),
        ({"urlPathPattern": "/api/oagw/v1/proxy/stripe/.*"}, None, "stripe"),
        ({"urlPattern": "^/oagw/v1/proxy/Stripe/v1.*"}, None, "stripe"),
        ({"urlPattern": "/api/oagw/v1/proxy/stripe.*"}, None, None),
        ({"urlPattern": "/api/oagw/v1/proxy/stripe/a|/b"}, None, None),
        ({"url": "/health"}, "/health", None),
        ({}, None, None),
    ],
)
def test_what_an_index_needs_is_known(document: dict[str, str], path: str | None, alias: str | None) -> None:
    made = pattern(document)
    assert (made.literal_path, made.alias, made.method) == (path, alias, "ANY")
    if path:
        assert Call("GET", document.get("url") or document["urlPath"]).paths[0] == path


def test_path_parameters_are_those_of_the_template() -> None:
    made = pattern({"urlPathTemplate": "/oagw/v1/proxy/a/{one}/b/{two}"})
    assert made.path_parameters(Call("GET", "/api/oagw/v1/proxy/a/1/b/x%20y?q=1")) == {
        "one": "1",
        "two": "x%20y",
    }
    assert made.path_parameters(Call("GET", "/api/oagw/v1/proxy/a/1")) == {}
    assert pattern({"url": "/x"}).path_parameters(Call("GET", "/x")) == {}


EVERYTHING = {
    "method": "POST",
    "urlPathTemplate": "/a/{x}",
    "pathParameters": {"x": {"equalTo": "1"}},
    "headers": {"Accept": {"contains": "json"}, "X-Api-Key": {"equalTo": "hush"}},
    "queryParameters": {
        "q": {"hasExactly": [{"equalTo": "1"}, {"equalTo": "2"}]},
        "token": {"matches": "hush.*"},
    },
    "cookies": {"session": {"equalTo": "hush"}},
    "basicAuth": {"username": "me", "password": "hush"},
    "bodyPatterns": [
        {"matchesJsonPath": {"expression": "$.a", "equalTo": "1"}},
        {"not": {"equalToJson": {}}},
    ],
    "host": {"equalTo": "localhost"},
    "port": 8765,
    "clientIp": {"equalTo": "127.0.0.1"},
}


def test_a_comparison_goes_field_by_field_with_secrets_masked() -> None:
    head = b"Accept: text/html\r\nX-Api-Key: hush1\r\nCookie: session=hush2\r\nAuthorization: Basic aHVzaA=="
    call = Call("POST", "/a/2?q=1&token=hushhush", head, b'{"a": 2}', port=8765)
    parts = pattern(EVERYTHING).compare(call, NOW)
    assert [(part.name, part.expected, part.actual, part.matches) for part in parts] == [
        ("method", "POST", "POST", True),
        ("url", "[path template] /a/{x}", "/a/2?q=1&token=****", True),
        ("port", "8765", "8765", True),
        ("host", "localhost", "localhost", True),
        ("client ip", "127.0.0.1", "127.0.0.1", True),
        ("header Accept", "[contains] json", "text/html", False),
        ("header X-Api-Key", "****", "****", False),
        ("header Authorization", "Basic ****", "Basic ****", False),
        ("query q", "[hasExactly] 1, 2", "1", False),
        ("query token", "[matches] ****", "****", True),
        ("cookie session", "****", "****", False),
        ("path parameter x", "1", "2", False),
        ("body $.a", "[matchesJsonPath] $.a 1", '{"a": 2}', False),
        ("body", "[not] [equalToJson] {}", '{"a": 2}', True),
    ]


def test_what_matches_has_no_distance_and_only_matching_parts() -> None:
    login = b64encode(b"me:hush")
    head = b"Accept: a/json\r\nX-Api-Key: hush\r\nCookie: session=hush\r\nAuthorization: Basic " + login
    call = Call("POST", "/a/1?q=1&q=2&token=hush", head, b'{"a": 1}', port=8765)
    made = pattern(EVERYTHING)
    assert made.matches(call, NOW)
    assert made.distance(call, NOW) == 0
    assert all(part.matches for part in made.compare(call, NOW))


def test_what_is_absent_is_shown_so() -> None:
    parts = pattern({"headers": {"A": {"equalTo": "1"}}, "bodyPatterns": [{"equalTo": "x"}]}).compare(
        Call("GET", "/"), NOW
    )
    assert [part.actual for part in parts[2:]] == ["[absent]", "[absent]"]


def test_the_nearer_pattern_has_the_smaller_distance() -> None:
    call = Call("GET", "/v1/users/42", b"Accept: a")
    distances = [
        pattern(document).distance(call, NOW)
        for document in (
            {"method": "GET", "url": "/v1/users/42"},
            {"method": "GET", "url": "/v1/users/42", "headers": {"Accept": {"equalTo": "b"}}},
            {"method": "GET", "url": "/v1/users/all"},
            {"method": "POST", "url": "/v1/users/43"},
            {"method": "POST", "url": "/other", "headers": {"X": {"equalTo": "b"}}},
        )
    ]
    assert distances == sorted(set(distances))
    assert distances[0] == 0
    assert 0.5 < distances[-1] <= 1


@pytest.mark.alone
def test_a_comparison_says_that_an_expression_took_too_long() -> None:
    parts = pattern({"urlPattern": "/(a|aa)+$b"}).compare(Call("GET", "/" + "a" * 999 + "b"), NOW)
    assert parts[1].actual.endswith("(stopped after 50 ms: a regular expression)")
    assert not parts[1].matches


@pytest.mark.parametrize(
    ("document", "pointer", "word"),
    [
        ({"multipartPatterns": []}, "/request/multipartPatterns", "multipartPatterns"),
        ({"customMatcher": {}}, "/request/customMatcher", "customMatcher"),
        ({"bodyPatterns": [{"equalToXml": "<a/>"}]}, "/request/bodyPatterns/0/equalToXml", "equalToXml"),
        ({"url": "/a", "urlPattern": "/b"}, "/request/urlPattern", "url and urlPattern"),
        ({"pathParameters": {"a": {"equalTo": "b"}}}, "/request/pathParameters", "pathParameters"),
        ({"urlPathTemplate": "/{a}/{a}"}, "/request/urlPathTemplate", "twice"),
        ({"headers": {"a/b": {"matches": "("}}}, "/request/headers/a~1b/matches", "regular expression"),
        (
            {"headers": {"A": {"hasExactly": [{"matches": "("}]}}},
            "/request/headers/A/hasExactly/0/matches",
            "reg",
        ),
        ({"cookies": {"A": {"equalTo": "a", "contains": "b"}}}, "/request/cookies/A", "equalTo, contains"),
        ({"bodyPatterns": [{}]}, "/request/bodyPatterns/0", "operator"),
        (
            {"bodyPatterns": [{"contains": "a", "caseInsensitive": True}]},
            "/request/bodyPatterns/0/caseInsensitive",
            "option",
        ),
        ({"bodyPatterns": [{"binaryEqualTo": "%"}]}, "/request/bodyPatterns/0/binaryEqualTo", "base64"),
        (
            {"bodyPatterns": [{"or": [{"equalTo": "a"}, {"and": []}]}]},
            "/request/bodyPatterns/0/or/1/and",
            "and",
        ),
        ({"bodyPatterns": [{"equalToJson": "{"}]}, "/request/bodyPatterns/0/equalToJson", "JSON"),
        ({"bodyPatterns": [{"equalToJson": '"\\ud800"'}]}, "/request/bodyPatterns/0/equalToJson", "JSON"),
        (
            {"bodyPatterns": [{"matchesJsonPath": "$["}]},
            "/request/bodyPatterns/0/matchesJsonPath",
            "JSONPath",
        ),
        (
            {"bodyPatterns": [{"matchesJsonSchema": {"type": 5}}]},
            "/request/bodyPatterns/0/matchesJsonSchema",
            "schema",
        ),
        ({"bodyPatterns": [{"after": "soon"}]}, "/request/bodyPatterns/0/after", "soon"),
        (
            {
                "basicAuth": {"username": "a", "password": "b"},
                "basicAuthCredentials": {"username": "a", "password": "b"},
            },
            "/request/basicAuth",
            "basicAuthCredentials",
        ),
    ],
)
def test_what_cannot_be_accepted_is_refused_with_its_place(document: object, pointer: str, word: str) -> None:
    at, detail = refusal(document)
    assert at == pointer
    assert word in detail


def test_operators_can_be_nested_but_not_without_end() -> None:
    def nested(depth: int) -> dict[str, object]:
        operator: dict[str, object] = {"equalTo": "a"}
        for _ in range(depth):
            operator = {"not": operator}
        return {"bodyPatterns": [operator]}

    assert pattern(nested(20)).matches(Call("POST", "/", body=b"a"), NOW)
    assert "too deep" in refusal(nested(22))[1]
    # Which of the two bounds is met first differs from Python to Python.
    assert refusal(nested(5_000))[1].endswith(("too deep", "too deeply", "1000 operators in one pattern"))


def test_the_structs_describe_themselves() -> None:
    _, components = msgspec.json.schema_components([RequestPattern])
    assert {"RequestPattern", "Operator", "ValuesOperator", "BodyOperator", "JsonPath"} <= set(components)
    assert "not" in components["Operator"]["properties"]


def test_what_cannot_be_told_does_not_match_is_as_far_as_can_be_and_says_why() -> None:
    made = pattern({"bodyPatterns": [{"equalToJson": {"a": 1}}]})
    deep = Call("POST", "/", body=b"[" * 100_000)
    assert not made.matches(deep, NOW)
    assert made.distance(deep, NOW) == made.distance(Call("POST", "/", body=b"[]"), NOW)
    *_, body = made.compare(deep, NOW)
    assert (body.name, body.matches) == ("body", False)
    assert body.actual.endswith("(the JSON is nested too deeply)")


def test_a_call_without_time_has_no_path_parameters() -> None:
    call = Call("GET", "/a/1")
    call.time_budget = 0
    assert pattern({"urlPathTemplate": "/a/{b}"}).path_parameters(call) == {}
