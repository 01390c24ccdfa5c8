"""The cases that are put to WireMock: a request pattern and a request each.

They are lists of Python because most come in families: one pattern, several requests.
"""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

CASES: list[tuple[dict[str, Any], dict[str, Any]]] = []

NOW = datetime.now(UTC).replace(microsecond=0)


def _ask(pattern: dict[str, Any], url: str = "/x", method: str = "GET", **more: Any) -> None:
    CASES.append((pattern, {"method": method, "url": url, **more}))


def _urls(pattern: dict[str, Any], *urls: str) -> None:
    for url in urls:
        _ask(pattern, url)


def _body(operator: Any, *bodies: str) -> None:
    for body in bodies:
        _ask({"bodyPatterns": [operator]}, method="POST", body=body)


def _header(operator: Any, *values: list[str]) -> None:
    for sent in values:
        _ask({"headers": {"X-A": operator}}, headers=[["x-a", value] for value in sent])


def _query(operator: Any, *queries: str) -> None:
    for query in queries:
        _ask({"queryParameters": {"a": operator}}, f"/x?{query}" if query else "/x")


def _cookie(operator: Any, *values: str | None) -> None:
    for value in values:
        _ask({"cookies": {"c": operator}}, headers=[] if value is None else [["Cookie", value]])


def _path(operator: Any, *urls: str, template: str = "/a/{x}/b") -> None:
    for url in urls:
        _ask({"urlPathTemplate": template, "pathParameters": {"x": operator}}, url)


# Methods.
for method in ("GET", "POST", "HEAD", "PROPFIND", "get"):
    for asked in ("GET", "ANY", "POST", "PROPFIND"):
        _ask({"method": method, "url": "/x"}, method=asked if asked != "ANY" else "PUT")
for name in ("GET_OR_HEAD", "ANY", None, "FOO", "foo", "any", "get_or_head", "GET ", "", "G E T", "É"):
    for asked in ("GET", "POST", "FOO", "foo"):
        _ask({"method": name, "url": "/x"}, method=asked)
_ask({"method": 5, "url": "/x"})
_ask({"method": ["GET"], "url": "/x"})
_ask({"url": "/x"}, method="DELETE")
_ask({"method": "ANY", "url": "/x"}, method="DELETE")
_ask({"methods": ["GET", "POST"], "url": "/x"})

# URLs.
_ask({})
_urls({"url": "/x"}, "/x", "/x?a=1", "/x/", "/X", "/x#f", "/x?")
_urls({"url": "/x?a=1&b=2"}, "/x?a=1&b=2", "/x?b=2&a=1", "/x", "/x?a=1")
_urls({"url": "/a%20b"}, "/a%20b", "/a+b")
_urls({"url": "/a b"}, "/a%20b")
_urls({"urlPath": "/x"}, "/x", "/x?a=1", "/x/", "/x/y", "//x")
_urls({"urlPath": "/x?a=1"}, "/x?a=1")
_urls({"urlPath": "/a%20b"}, "/a%20b")
_urls({"urlPath": "/a b"}, "/a%20b")
_urls({"urlPath": "/a/../x"}, "/a/../x", "/x")
_urls({"urlPattern": "/x"}, "/x", "/x?a=1", "/xy", "/y/x")
_urls({"urlPattern": "/x.*"}, "/x", "/x?a=1", "/xy", "/y/x")
_urls({"urlPattern": "/x\\?a=[0-9]+"}, "/x?a=1", "/x?a=12", "/x?a=b", "/x")
_urls({"urlPattern": "^/x$"}, "/x", "/x?a")
_urls({"urlPathPattern": "/x/[a-z]+"}, "/x/abc", "/x/abc?d=1", "/x/1", "/x/abc/d", "/y/x/abc")
_urls({"urlPathPattern": "/x|/y"}, "/x", "/y", "/z")
_urls({"urlPathTemplate": "/a/{x}/b"}, "/a/1/b", "/a/1/b?q=1", "/a//b", "/a/1/2/b", "/a/1/b/", "/a/%20/b")
_urls({"urlPathTemplate": "/a/{x}"}, "/a/1", "/a/", "/a", "/a/1/", "/a/1.json", "/a/x%2Fy", "/A/1")
_urls({"urlPathTemplate": "/a/{x}.{y}"}, "/a/1.json", "/a/1")
_urls({"urlPathTemplate": "/a/p{x}"}, "/a/p1", "/a/1")
_urls({"urlPathTemplate": "/a/**"}, "/a/1/2", "/a/1", "/a/", "/a")
_urls({"urlPathTemplate": "/a/{x}/**"}, "/a/1/2/3", "/a/1")
_urls({"urlPathTemplate": "/a/*/c"}, "/a/b/c", "/a/*/c")
_urls({"urlPathTemplate": "/a/{.x}"}, "/a/.1", "/a/1")
_urls({"urlPathTemplate": "/a/{x*}"}, "/a/1", "/a/1,2")
_urls({"urlPathTemplate": "/a.b"}, "/a.b", "/aXb")
_urls({"urlPathTemplate": "/a/{x"}, "/a/1", "/a/{x")
_urls({"urlPathTemplate": "/a/{x-y}"}, "/a/1")
_urls({"url": "/x", "urlPath": "/x"}, "/x")
_urls({"url": "/x", "urlPath": "/y"}, "/x", "/y")
_urls({"urlPath": "/x", "pathParameters": {"x": {"equalTo": "1"}}}, "/x")
_urls({"urlPattern": "("}, "/x")
_urls({"url": "x"}, "/x")

# Path parameters.
_path({"equalTo": "1"}, "/a/1/b", "/a/2/b")
_path({"equalTo": "a b"}, "/a/a%20b/b")
_path({"equalTo": "a%20b"}, "/a/a%20b/b")
_path({"matches": "[0-9]+"}, "/a/12/b", "/a/x/b")
_path({"absent": True}, "/a/12/b")
_path({"doesNotContain": "x"}, "/a/12/b", "/a/x/b")
_urls({"urlPathTemplate": "/a/{x}", "pathParameters": {"y": {"equalTo": "1"}}}, "/a/1")
_urls({"urlPathTemplate": "/a/{x}", "pathParameters": {"y": {"absent": True}}}, "/a/1")
_urls({"urlPathTemplate": "/a/{x}/{y}", "pathParameters": {"y": {"equalTo": "2"}}}, "/a/1/2", "/a/2/1")

# Texts.
_body({"equalTo": "abc"}, "abc", "ABC", "abcd", "", "abc\n")
_body({"equalTo": "abc", "caseInsensitive": True}, "abc", "ABC", "abcd")
_body({"equalTo": "abc", "caseInsensitive": False}, "ABC")
_body({"equalTo": "stra\u00dfe", "caseInsensitive": True}, "STRASSE", "STRA\u00dfE")
_body({"equalTo": "\u00e9", "caseInsensitive": True}, "\u00c9")
_body({"equalTo": ""}, "", "a")
_body({"equalTo": 5}, "5")
_body({"equalTo": None}, "")
_body({"contains": "b"}, "abc", "ac", "ABC")
_body({"contains": ""}, "abc", "")
_body({"doesNotContain": "b"}, "abc", "ac", "")
_body({"matches": "a.c"}, "abc", "a\nc", "xabc", "ABC", "abcx")
_body({"matches": ".*b.*"}, "abc", "a\nb\nc", "")
_body({"matches": "(?i)abc"}, "ABC")
_body({"matches": "a\\Q.\\Ec"}, "a.c", "abc")
_body({"matches": "\\p{Alpha}+"}, "abc", "\u00e9", "a1")
_body({"matches": "\\p{L}+"}, "\u00e9a", "1")
_body({"matches": "\\p{IsAlphabetic}+"}, "\u00e9a", "1")
_body({"matches": "\\p{Punct}+"}, "!$+<=>^`|~", "a")
_body({"matches": "\\p{javaLowerCase}+"}, "abc")
_body({"matches": "\\w+"}, "abc", "\u00e9")
_body({"matches": "\\d+"}, "12", "\u0663")
_body({"matches": "\\s+"}, " \t\n", "\u00a0")
_body({"matches": "[\\w-]+"}, "a-b", "a b")
_body({"matches": "[a-z&&[^b]]+"}, "ac", "abc")
_body({"matches": "[a-c[x-z]]+"}, "axz", "ad")
_body({"matches": "[a--c]+"}, "-")
_body({"matches": "[^a-c]+"}, "xyz", "xaz", "\n")
_body({"matches": "[]a]+"}, "]a")
_body({"matches": "[a-z&&b-d]+"}, "bcd", "a")
_body({"matches": "[.$*]+"}, ".$*", "a")
_body({"matches": "[[]+"}, "[")
_body({"matches": "(?<n>a)\\k<n>"}, "aa", "ab")
_body({"matches": "(a)\\1"}, "aa")
_body({"matches": "a++b"}, "aab")
_body({"matches": "a++ab"}, "aab")
_body({"matches": "(?>a+)b"}, "aab")
_body({"matches": "a{2,3}"}, "a", "aa", "aaaa")
_body({"matches": "a{,3}"}, "aa", "a{,3}")
_body({"matches": "{a}"}, "{a}")
_body({"matches": "a{"}, "a{")
_body({"matches": "\\{a\\}"}, "{a}")
_body({"matches": "a}"}, "a}")
_body({"matches": "a]"}, "a]")
_body({"matches": "^a$"}, "a", "a\n", "b\na")
_body({"matches": "a\\z"}, "a", "a\n")
_body({"matches": "(?m)^a$\\n^b$"}, "a\nb")
_body({"matches": "(?s).+"}, "a\nb")
_body({"matches": "(?-s).+"}, "a\nb")
_body({"matches": "(?=a)abc"}, "abc")
_body({"matches": "(?<=a)bc"}, "bc")
_body({"matches": "(?x) a b # c"}, "ab")
_body({"matches": "(?P<n>a)"}, "a")
_body({"matches": "(?|a|b)"}, "a")
_body({"matches": "\\y"}, "y")
_body({"matches": "\\x41\\u0042\\t"}, "AB\t")
_body({"matches": "\\R"}, "\r\n", "\n", "a")
_body({"matches": "\\h\\v"}, " \n", "ab")
_body({"matches": "\\e"}, "\x1b")
_body({"matches": "\\-\\/\\@"}, "-/@")
_body({"matches": "\\bfoo\\b.*"}, "foo bar", "foobar")
_body({"matches": "(a"}, "a")
_body({"matches": "|".join(f"word{number}" for number in range(700))}, "word0", "word699", "word700")
_body({"doesNotMatch": "(?:" + "ab?" * 1_500 + ")"}, "a" * 1_500, "a" * 1_499)
_body({"matches": "*a"}, "a")
_body({"doesNotMatch": "a.c"}, "abc", "xabc", "")
_body({"absent": True}, "", "a")
_body({"absent": False}, "", "a")
_body({"absent": "(absent)"}, "")
_body({"anything": "anything"}, "", "a")
_body({"equalToNumber": 5}, "5", "5.0", "6")
_body({"greaterThanNumber": 5}, "6")
_body({"binaryEqualTo": b64encode(b"abc").decode()}, "abc", "abd", "")
_body({"binaryEqualTo": "%%%"}, "abc")
_body({"matchesPathTemplate": "/a/{x}"}, "/a/1")
_body({}, "a")
_body({"unknown": "a"}, "a")
_body({"equalTo": "a", "contains": "b"}, "a", "b", "ab")
_body({"equalTo": "a", "extra": "b"}, "a")
_ask({"bodyPatterns": []}, method="POST", body="a")
_ask({"bodyPatterns": [{"contains": "a"}, {"contains": "b"}]}, method="POST", body="ab")
_ask({"bodyPatterns": [{"contains": "a"}, {"contains": "b"}]}, method="POST", body="a")
_ask({"bodyPatterns": {"contains": "a"}}, method="POST", body="a")

# Logic.
_body({"and": [{"contains": "a"}, {"contains": "b"}]}, "ab", "a", "")
_body({"or": [{"contains": "a"}, {"contains": "b"}]}, "ab", "a", "c")
_body({"not": {"contains": "a"}}, "a", "b", "")
_body({"not": {"not": {"equalTo": "a"}}}, "a", "b")
_body({"and": []}, "a")
_body({"or": []}, "a")
_body({"and": {"contains": "a"}}, "a")
_body({"and": [{"or": [{"equalTo": "a"}, {"equalTo": "b"}]}, {"not": {"equalTo": "b"}}]}, "a", "b")
_body({"or": [{"equalToJson": {"a": 1}}, {"matchesJsonPath": "$.b"}]}, '{"a":1}', '{"b":1}', "{}")
_body({"not": {"equalToJson": {"a": 1}}}, '{"a":1}', '{"a":2}', "x")
_body({"not": {"matchesJsonPath": "$.a"}}, '{"a":1}', '{"b":2}', "x")

# Headers.
_header({"equalTo": "1"}, [], ["1"], ["2"], ["1", "2"], ["2", "1"], ["1, 2"], [""], ["2", "3"])
_header({"contains": "1"}, [], ["21"], ["2", "1"])
_header({"doesNotContain": "1"}, [], ["1"], ["2"], ["1", "2"])
_header({"matches": ".*"}, [], [""], ["a"])
_header({"doesNotMatch": "1"}, [], ["1"], ["2"], ["1", "2"])
_header({"not": {"equalTo": "1"}}, [], ["1"], ["2"], ["1", "2"])
_header({"absent": True}, [], ["1"], [""])
_header({"absent": False}, [], ["1"])
_header({"not": {"absent": True}}, [], ["1"])
_header({"or": [{"absent": True}, {"equalTo": "1"}]}, [], ["1"], ["2"])
_header({"and": [{"absent": True}, {"absent": True}]}, [], ["1"])
_header({"and": [{"contains": "1"}, {"contains": "2"}]}, ["1", "2"], ["12"], [])
_header({"or": [{"equalTo": "1"}, {"equalTo": "2"}]}, [], ["2"], ["3", "2"], ["3"])
_header({"anything": "anything"}, [], ["1"])
_header(
    {"hasExactly": [{"equalTo": "1"}, {"equalTo": "2"}]}, [], ["1"], ["1", "2"], ["2", "1"], ["1", "2", "3"]
)
_header({"hasExactly": [{"equalTo": "1"}, {"equalTo": "1"}]}, ["1"], ["1", "1"], ["1", "2"])
_header({"hasExactly": [{"contains": "1"}, {"equalTo": "12"}]}, ["12", "1"], ["12", "12"], ["1", "1"])
_header({"hasExactly": []}, [], ["1"])
_header({"hasExactly": [{"equalTo": "1"}]}, ["1"], ["2"], ["1", "1"])
_header({"hasExactly": [{"not": {"equalTo": "1"}}]}, [], ["2"])
_header({"hasExactly": [{"absent": True}]}, [], ["2"])
_header({"includes": [{"equalTo": "1"}, {"equalTo": "2"}]}, [], ["1"], ["1", "2"], ["3", "2", "1"])
_header({"includes": [{"contains": "1"}, {"contains": "2"}]}, ["12"], ["12", "3"])
_header({"includes": []}, [], ["1"])
_header({"includes": [{"absent": True}]}, [], ["2"])
_header({"includes": [{"doesNotContain": "1"}]}, [], ["1"], ["1", "2"])
_header({"equalToJson": '{"a": 1}'}, ['{"a":1.0}'], ["x"])
_header({"matchesJsonPath": "$.a"}, ['{"a":1}'], ["x"])
_header("1", ["1"])
_ask({"headers": {"Accept": {"equalTo": "A", "caseInsensitive": True}}}, headers=[["ACCEPT", "a"]])
_ask({"headers": {"A": {"equalTo": "1"}, "B": {"equalTo": "2"}}}, headers=[["A", "1"], ["B", "2"]])
_ask({"headers": {"A": {"equalTo": "1"}, "B": {"equalTo": "2"}}}, headers=[["A", "1"]])
_ask({"headers": {"Content-Type": {"equalTo": "a/b"}}}, headers=[["Content-Type", "a/b; charset=utf-8"]])
_ask({"headers": {"X-A": {"equalTo": "\u00e9"}}}, headers=[["X-A", "\u00e9"]])

# Query parameters.
_query({"equalTo": "1"}, "", "a=1", "a=2", "a=1&a=2", "a=2&a=1", "b=1", "A=1", "a", "a=", "a=1;b=2")
_query({"equalTo": "b c"}, "a=b%20c", "a=b+c")
_query({"equalTo": "b+c"}, "a=b%2Bc", "a=b+c")
_query({"equalTo": "\u00e9"}, "a=%C3%A9")
_query({"equalTo": "1,2"}, "a=1,2", "a=1%2C2")
_query({"equalTo": ""}, "a=", "a", "", "a=&b")
_query({"equalTo": "b=c"}, "a=b=c")
_query({"absent": True}, "", "a=1", "b=1", "a")
_query({"doesNotMatch": "1"}, "", "a=1", "a=2")
_query(
    {"hasExactly": [{"equalTo": "1"}, {"equalTo": "2"}]}, "a=1&a=2", "a=2&a=1", "a=1", "a=1,2", "a=1&a=2&a=3"
)
_query({"includes": [{"equalTo": "1"}]}, "a=1&a=2", "a=2", "")
_query({"before": "2021-05-01T00:00:00Z"}, "a=2020-05-01T00:00:00Z", "a=2022-05-01T00:00:00Z")
_ask({"queryParameters": {"a b": {"equalTo": "1"}}}, "/x?a%20b=1")
_ask({"queryParameters": {"a[]": {"equalTo": "1"}}}, "/x?a[]=1")
_ask({"queryParameters": {"a[]": {"equalTo": "1"}}}, "/x?a%5B%5D=1")
_ask({"urlPath": "/x", "queryParameters": {"a": {"equalTo": "1"}}}, "/x?a=1&b=2")
_ask({"url": "/x", "queryParameters": {"a": {"equalTo": "1"}}}, "/x?a=1")

# Cookies.
_cookie({"equalTo": "1"}, None, "c=1", "c=2", "b=2; c=1", "C=1", "c=1; c=2", "c=2; c=1", 'c="1"', "c")
_cookie({"absent": True}, None, "c=1", "b=1", "c=")
_cookie({"doesNotContain": "1"}, None, "c=1", "c=2")
_cookie({"matches": "[a-z]+"}, "c=abc", "c=1")
_cookie({"equalTo": "a=b"}, "c=a=b")
_cookie({"equalTo": "a b"}, "c=a b", "c=a%20b")

# Credentials.
for name in ("basicAuth", "basicAuthCredentials"):
    for sent in ("me:pass", "me:other"):
        _ask(
            {name: {"username": "me", "password": "pass"}},
            headers=[["Authorization", "Basic " + b64encode(sent.encode()).decode()]],
        )
_ask({"basicAuth": {"username": "me", "password": "pass"}})
_ask(
    {"basicAuth": {"username": "me", "password": "pass"}},
    headers=[["Authorization", "basic " + b64encode(b"me:pass").decode()]],
)
_ask({"basicAuth": {"username": "me"}})

# Forms.
_FORM = [["Content-Type", "application/x-www-form-urlencoded"]]
operators: list[dict[str, Any]]
operators = [{"equalTo": "1"}, {"absent": True}, {"hasExactly": [{"equalTo": "1"}, {"equalTo": "b c"}]}]
for operator in operators:
    for sent in ("a=1", "a=2", "b=1", "", "a=1&a=b+c"):
        _ask({"formParameters": {"a": operator}}, method="POST", headers=_FORM, body=sent)
_ask({"formParameters": {"a": {"equalTo": "1"}}}, method="POST", body="a=1")
_ask({"formParameters": {"a": {"equalTo": "1"}}}, "/x?a=1", method="POST", headers=_FORM, body="b=1")
_ask({"formParameters": {"a": {"equalTo": "1"}}}, method="PUT", headers=_FORM, body="a=1")

# Where.
_ask({"clientIp": {"equalTo": "127.0.0.1"}})
_ask({"clientIp": {"equalTo": "10.0.0.1"}})
_ask({"host": {"equalTo": "127.0.0.1"}})
_ask({"host": {"equalTo": "example.com"}}, headers=[["Host", "example.com"]])
_ask({"scheme": "http"})
_ask({"scheme": "https"})

# equalToJson.
_J = '{"a": 1, "b": [1, 2, {"c": null}]}'
_body({"equalToJson": _J}, _J, '{"b":[1,2,{"c":null}],"a":1}', '{"a":1,"b":[2,1,{"c":null}]}', "{}", "", "x")
_body(
    {"equalToJson": {"a": 1}}, '{"a":1}', '{"a":1.0}', '{"a":1e0}', '{"a":"1"}', '{"a":1,"b":2}', '{"a":true}'
)
_body({"equalToJson": '{"a": 1.0}'}, '{"a":1}', '{"a":1.00}')
_body({"equalToJson": '{"a": 0.1}'}, '{"a":0.10}', '{"a":0.1000000000000000000001}')
_body(
    {"equalToJson": '{"a": 12345678901234567890}'}, '{"a":12345678901234567890}', '{"a":12345678901234567891}'
)
_body({"equalToJson": '{"a": 9007199254740993}'}, '{"a":9007199254740992}', '{"a":9007199254740993.0}')
_body({"equalToJson": '{"a": null}'}, '{"a":null}', "{}", '{"a":0}')
_body({"equalToJson": "{}"}, "{}", '{"a":1}', "[]", "null")
_body({"equalToJson": "[]"}, "[]", "[1]", "{}")
_body({"equalToJson": "1"}, "1", "1.0", '"1"', "2")
_body({"equalToJson": '"a"'}, '"a"', "a", '"b"')
_body({"equalToJson": "null"}, "null", "", "1")
_body({"equalToJson": None}, "null", "1")
_body({"equalToJson": "true"}, "true", "1")
_body({"equalToJson": 5}, "5")
_body({"equalToJson": ""}, "", "{}")
_body({"equalToJson": "{nope"}, "{nope", "{}")
_body({"equalToJson": '{"a":1} x'}, '{"a":1}')
_body({"equalToJson": '{"a": 1, "a": 2}'}, '{"a":2}', '{"a":1}')
_body({"equalToJson": "[NaN]"}, "[NaN]")
_body({"equalToJson": '{"a": "x"}'}, '{"a":"x"}', '{"a":"X"}', '{"a": "x" }  ', '{"a":"x"} trailing')
_O = {"ignoreArrayOrder": True}
_E = {"ignoreExtraElements": True}
_body({"equalToJson": "[1, 2, 3]", **_O}, "[3,2,1]", "[1,2]", "[1,2,3,3]", "[1,2,2]", "[1,2,4]")
_body({"equalToJson": "[[1, 2], [3, 4]]", **_O}, "[[4,3],[2,1]]", "[[1,3],[2,4]]")
_body(
    {"equalToJson": '[{"a": [1, 2]}, {"a": [3]}]', **_O}, '[{"a":[3]},{"a":[2,1]}]', '[{"a":[3]},{"a":[2]}]'
)
_body({"equalToJson": "[1, 1, 2]", **_O}, "[1,2,2]", "[2,1,1]", "[2,1,1.0]")
_body({"equalToJson": '{"a": [1, 2]}', **_O}, '{"a":[2,1]}', '{"a":[2,1],"b":1}')
_body({"equalToJson": '{"a": 1}', **_E}, '{"a":1,"b":2}', '{"b":2}', '{"a":{"c":1}}')
_body({"equalToJson": '{"a": {"b": 1}}', **_E}, '{"a":{"b":1,"c":2},"d":3}', '{"a":{"c":2}}')
_body({"equalToJson": "[1, 2]", **_E}, "[1,2,3]", "[3,1,2]", "[1,3,2]", "[2,1]", "[1]", "[1,2]", "[2,1,3]")
_body({"equalToJson": "[]", **_E}, "[1]", "[]")
_body({"equalToJson": "{}", **_E}, '{"a":1}', "[]")
_body({"equalToJson": '[{"a": 1}]', **_E}, '[{"a":1,"b":2}]', '[{"b":2},{"a":1}]')
_body({"equalToJson": "[1, 2]", **_E, **_O}, "[3,2,1]", "[2,1]", "[1,3]", "[2]")
_body(
    {"equalToJson": '[{"a": 1}, {"b": 2}]', **_E, **_O}, '[{"a":1,"b":2},{"a":1}]', '[{"b":2},{"a":1,"b":2}]'
)
_body(
    {"equalToJson": '{"a": [{"b": 1}, {"c": 2}]}', **_E, **_O}, '{"a":[{"x":0},{"c":2,"y":1},{"b":1}],"z":0}'
)
for placeholder, values in {
    "any-string": ('"x"', "1", "null", '""'),
    "any-number": ("1", "1.5", '"1"', "true"),
    "any-boolean": ("true", "false", "1", '"true"'),
    "ignore": ("1", "null", '{"b":[1]}'),
    "ignore-element": ("1", "null"),
    "regex}[a-z]+": ('"abc"', '"1"', "1", '"abc1"'),
    "matches:x}": ('"x"',),
}.items():
    expected = "${json-unit." + placeholder + ("" if "}" in placeholder else "}")
    _body({"equalToJson": {"a": expected}}, *(f'{{"a": {value}}}' for value in values), "{}", '{"a":1,"b":2}')
_body({"equalToJson": {"a": "#{json-unit.ignore}"}}, '{"a": 1}')
_body({"equalToJson": {"a": "#{json-unit.any-string}"}}, '{"a": "x"}', '{"a": 1}')
_body({"equalToJson": {"a": "x ${json-unit.ignore}"}}, '{"a": "x y"}')
_body({"equalToJson": ["${json-unit.any-number}", "a"], **_O}, '["a", 1]', '["a", "b"]')
_body({"equalToJson": ["${json-unit.any-string}", "a"], **_O}, '["a", "b"]', '["b", "a"]', '["a", 1]')

# matchesJsonPath.
_P = '{"a": {"b": 1, "c": [1, 2, 3], "d": null, "e": "", "f": [], "g": {}}, "s": "abc", "t": false, "n": 0}'


def _jsonpath(expression: Any, *bodies: str) -> None:
    _body({"matchesJsonPath": expression}, *bodies)


for expression in (
    "$.a", "$.a.b", "$.x", "$.a.x", "$.a.d", "$.a.e", "$.a.f", "$.a.g", "$.t", "$.n", "$", "$.*", "$..b", "$..x",
    "$.a.c[0]", "$.a.c[9]", "$.a.c[-1]", "$.a.c[*]", "$.a.c[0,1]", "$.a.c[0:2]", "$.a.c[5:]", "$.a.f[*]",
    "$['a']", "$['a']['b']", "$['a','s']", "$['x','y']", "$.a.c.length()", "$.a.c.size()", "$.s.length()", "a", "a.b",
    "$.a.c.x", "$.s.x", "$.a.c.min()", "$.a.c.sum()", "$.a.keys()", "$..c[0]", "$..*", "$.a[?(@.b)]", "$..[?(@.b)]",
    "$.x.length()", "@.a", "", " $.a ", "$.", "$[", "$.a[?(@.b == 1]", "$.a.c[?(@ > 2)]", "$.a.c[?(@ > 5)]",
    "$[?(@.b == 1)]", "$.a[?(@ == 1)]",
):  # fmt: skip
    _jsonpath(expression, _P)
_jsonpath("$.a", "x", "", "[]", '[{"a":1}]', '"a"', "null", "1", '{"A":1}', '{"b":{"a":1}}')
_jsonpath("$", "null", "1", "[]", "{}", '""')
_jsonpath("$[0]", "[1]", "[]", "[null]", '{"0":1}')
_jsonpath("$[*].a", '[{"a":1}]', '[{"b":1}]', "[]")
_I = '{"i": [{"n": "x", "p": 1, "t": ["r"]}, {"n": "Yz", "p": 2.5, "q": null}, {"n": "it\'s", "p": 10}]}'
for filter in (
    "@.n == 'x'", '@.n == "x"', "@.n=='nope'", "@.p > 2", "@.p >= 10", "@.p < 1", "@.p <= 1", "@.p != 1", "@.n != 'x'",
    "@.q", "!@.q", "@.z", "!(@.z)", "@.n == 'x' && @.p == 1", "@.n == 'x' && @.p == 2", "@.n == 'x' || @.p == 99",
    "@.n =~ /y.*/i", "@.n =~ /y.*/", "@.n =~ /.*z/", "@.n =~ /z/", "@.n in ['x', 'y']", "@.n in ['y']",
    "@.n nin ['x']", "@.t contains 'r'", "@.n contains 'z'", "@.t size 1", "@.t empty true", "@.n.length() == 1",
    "@.t.size() == 1", "@.p == '1'", "@.p == 1.0", "@.q == null", "@.z == null", "@.z != null", "@.t[0] == 'r'",
    "@['n'] == 'x'", "@.n == 'it\\'s'", "@.p == $.i[0].p", "@.t == ['r']", "(@.p == 1 || @.p == 10) && @.n == 'x'",
    "@.t anyof ['r']", "@.t subsetof ['r','s']", "@.n == @.n", "true", "@.p == true", "@.n > 'a'",
    "length(@.n) == 1", "match(@.n, 'x')", "@.p", "@", "@.n =~ 'x'", "not @.q", "@.n == x", "@.p == -1",
    "@.n == 'x' and @.p == 1",
):  # fmt: skip
    _jsonpath(f"$.i[?({filter})]", _I)
_jsonpath("$.i[?@.n == 'x']", _I)
_jsonpath("$.i[?(@.n == 'x')].p", _I)
_jsonpath("$.i[?(@.n == 'x')].z", _I)
_jsonpath("$..n", _I)
_jsonpath("$.i[*].z", _I)
_jsonpath("$.i.length()", _I)
_jsonpath("$.a-b", '{"a-b":1}')
_jsonpath("$.a b", '{"a b":1}')
_jsonpath("$['a.b']", '{"a.b":1}')
_jsonpath("$.\u00e9", '{"\u00e9":1}')
_jsonpath("$.$a", '{"$a":1}')
_jsonpath("$.1", '{"1":1}')
_jsonpath("$.in", '{"in":1}')
_jsonpath("$.length", '{"length":1}')
_jsonpath("$.a[(@.length-1)]", '{"a":[1]}')
for operator in (
    {"equalTo": "1"}, {"equalTo": "2"}, {"contains": "1"}, {"absent": True}, {"matches": "[0-9]+"},
    {"equalToJson": "1"}, {"not": {"equalTo": "1"}}, {"doesNotMatch": "1"}, {"doesNotContain": "1"},
    {"or": [{"equalTo": "2"}, {"absent": True}]}, {"anything": "anything"},
):  # fmt: skip
    _jsonpath(
        {"expression": "$.a", **operator}, '{"a":1}', '{"a":"1"}', '{"b":1}', '{"a":null}', '{"a":[1,2]}', "x"
    )
_jsonpath({"expression": "$.a", "equalTo": "1.0"}, '{"a":1.0}', '{"a":1.00}', '{"a":1}')
_jsonpath({"expression": "$.a", "equalTo": "1.0E10"}, '{"a":1e10}')
_jsonpath({"expression": "$.a", "equalTo": "true"}, '{"a":true}', '{"a":"true"}')
_jsonpath({"expression": "$.a", "equalTo": '{"b":1}'}, '{"a":{"b":1}}', '{"a": {"b" : 1}}')
_jsonpath({"expression": "$.a", "equalTo": "[1,2]"}, '{"a":[1, 2]}')
_jsonpath({"expression": "$.a", "equalTo": '["x"]'}, '{"a":["x"]}')
_jsonpath({"expression": "$.a", "equalTo": "null"}, '{"a":null}')
_jsonpath({"expression": "$.a", "equalTo": ""}, '{"a":""}', '{"a":null}')
_jsonpath({"expression": "$.a", "equalToJson": {"b": 1}}, '{"a":{"b":1}}', '{"a":{"b":2}}')
_jsonpath({"expression": "$.a", "equalToJson": '{"b": 1}', **_E}, '{"a":{"b":1,"c":2}}')
_jsonpath({"expression": "$.a", "equalToJson": '"x"'}, '{"a":"x"}')
_jsonpath({"expression": "$.a", "matchesJsonPath": "$.b"}, '{"a":{"b":1}}', '{"a":{"c":1}}')
_jsonpath({"expression": "$..b", "equalTo": "1"}, '{"a":{"b":1}}', '{"a":{"b":2}}', '[{"b":2},{"b":1}]', "{}")
_jsonpath({"expression": "$..b", "contains": "1"}, '[{"b":2},{"b":1}]')
_jsonpath({"expression": "$..b", "equalToJson": "[2,1]"}, '[{"b":2},{"b":1}]')
_jsonpath({"expression": "$..b", "equalToJson": "[1]"}, '[{"b":1}]')
_jsonpath({"expression": "$..b", "absent": True}, '[{"b":2}]', "{}")
_jsonpath({"expression": "$.a[*]", "equalTo": "2"}, '{"a":[1,2]}', '{"a":[1]}', '{"a":[]}')
_jsonpath({"expression": "$.a[*]", "doesNotContain": "2"}, '{"a":[1,2]}', '{"a":[1]}', '{"a":[]}')
_jsonpath({"expression": "$.a", "equalTo": "2"}, '{"a":[1,2]}')
_jsonpath({"expression": "$.i[?(@.n == 'x')].p", "equalTo": "1"}, _I)
_jsonpath({"expression": "$.i[?(@.n == 'x')].p", "equalTo": "[1]"}, _I)
_jsonpath({"expression": "$.i.length()", "equalTo": "3"}, _I)
_jsonpath({"expression": "$.i.size()", "equalTo": "3"}, _I)
_jsonpath({"expression": "$.i[*].p.sum()", "equalTo": "13.5"}, _I)
_jsonpath({"expression": "$.a", "before": "2021-05-01T00:00:00Z"}, '{"a":"2020-01-01T00:00:00Z"}')
_jsonpath({"expression": "$.a", "and": [{"contains": "1"}, {"contains": "2"}]}, '{"a":"12"}', '{"a":"1"}')
_jsonpath({"expression": "$.a", "hasExactly": [{"equalTo": "1"}]}, '{"a":[1]}')
_jsonpath({"expression": "$.a"}, '{"a":1}')
_jsonpath({"equalTo": "1"}, '{"a":1}')
_jsonpath(5, "5")

# Jayway's JSONPath: what its compilers accept, and what that selects.
_TREE = (
    '{"a":{"b":1,"c":[1,2,3],"d":null,"e":"","f":[],"g":{}},"s":"abc","t":false,"n":0,"i":[{"n":"x","p":1'
    ',"t":["r"]},{"n":"Yz","p":2.5,"q":null},{"n":"it\'s","p":10}],"one":[7],"x y":3,"m":{"u":{"v":1},"w":'
    '{"v":2}}}'
)
for expression in (
    "$.a.c.first()",
    "$.a.c.last()",
    "$.one.last()",
    "$.one.first()",
    "$.a.f.first()",
    "$.a.c.index(1)",
    "$.a.c.index(-1)",
    "$.a.c.index(-3)",
    "$.a.c.index(9)",
    "$.a.c.index('1')",
    "$.a.c.index()",
    "$.a.c.stddev()",
    "$.a.c.append(4)",
    "$.a.c.append('z')",
    '$.a.c.append("z", 5)',
    "$.a.append(4)",
    '$.s.concat("d")',
    '$.concat("a", "b")',
    '$.concat($.s, "b", $.n, 5)',
    "$.concat($.i[*].n)",
    "$.sum($.a.c, 4)",
    "$.a.c.sum(10)",
    "$.max($.i[*].p)",
    "$.length($.a.c)",
    "$.length($.s)",
    "$.length($.a)",
    "$..c.length()",
    "$..p.sum()",
    "$..p.max()",
    "$..n.concat()",
    "$.*.length()",
    "$.i[*].length()",
    "$.i.length()",
    "$.i[*].p.sum()",
    "$.i.first().n",
    "$.i.index(1).n",
    "$.i.length().x",
    "$.a.c.foo()",
    "$.a.keys()",
    "$.s.keys()",
    "$['a','s']",
    "$['x','y']",
    "$['a','s'].c",
    "$['a']['b','c']",
    "$..['n','p']",
    "$..['n']",
    "$.i[*]['n','p']",
    "$.i[0,2]",
    "$.i[0,2].n",
    "$.i[-1].n",
    "$.i[-9]",
    "$.i[0:2].n",
    "$.i[-2:].n",
    "$.i[:-1].n",
    "$.i[1:-1].n",
    "$.i[-3:-1].n",
    "$.i[0:3:2].n",
    "$.i[::2]",
    "$.i[:]",
    "$.i[1:].n",
    "$.list.[0]",
    "$.i.[0].n",
    "$.['a'].['b']",
    "$.['a']['b']",
    "$.[*]",
    "$.i.[*].n",
    "$..[0]",
    "$..[0].n",
    "$..*",
    "$..[*]",
    "$.a..b",
    "$..c[0]",
    "$..i[0].n",
    "$..i[*].n",
    "$..i[?(@.p>1)].n",
    "$..[?(@.p>1)].n",
    "$..[?(@.p>1)]",
    "$.a.c[?(@ > 1)]",
    "$..[?(@ > 1)]",
    "$.m.*.v",
    "$.m[?(@.v == 1)]",
    "$.m.*[?(@.v == 1)]",
    "$.m.u[?(@.v == 1)]",
    "$.s[?(@.v == 1)]",
    "$.a.c.",
    "$..",
    "$.",
    "$",
    "@",
    "$a",
    "$*",
    "$.*",
    "$[*]",
    "$['x y']",
    '$["x y"]',
    "$.x y",
    "$[ 'a' ]",
    "$['a' , 's']",
    "$['a',]",
    "$[a]",
    "$.i[ 0 ]",
    "$.i[0 , 1].n",
    "$.i[ * ].n",
    "$.i[01].n",
    "$.i[1 2]",
    "$.i[--1]",
    "$.i[+1]",
    "$.i[]",
    "$.i[?]",
    "$.i[*",
    "$['a'",
    "$.i[(@.length-1)]",
    "$.i[@.length-1]",
    "$.a.c[?(@ == 3)].x",
    "$.a,s",
    "$.a;b",
    "$...a",
    "$.a...b",
    "$.~a",
    "^.b",
    "$.*~",
    "$.length",
    "$.'a'",
    "$.a.b()",
    "$.a.b.length(",
    "$.length($.a.c",
    "$.i['n']",
    "$.i.*.n",
    "$.i.n",
    "$.i[0]['n']",
    '$.i[0].["n"]',
    "$['a'].b",
    "$.i[0]n",
    "$['a']b",
    "$.*a",
    "$. a",
    "$.a .b",
    "$.a. b",
    "$.a.c.sum( )",
    "$.a.c.sum().x",
    "$.sum(1,2)",
    '$.sum({"a":1},2)',
    "$.sum([1,2],2)",
    "$.min()",
    "$.max(-1, 2)",
    "$.avg(1.5, 2)",
    "$.append(1)",
    "$.i.size()",
    "$.i.count()",
    "$.size($.i)",
    "$.length($..n)",
    "$.length($.i[*].n)",
    "$.t.length()",
    "$.a.d.length()",
    "$.a.d.b",
    "$.a.d",
    "$..d",
    "$..e",
    "$.i[0:1,2]",
    "$.i[0:-1].n",
    "$.i[5:2]",
    "$.i[-1:-2]",
    "$.i[:0]",
    "$.i[:99].n",
    "$.i[-99:].n",
    "$.i[-99:2].n",
    "$.i[0:99].n",
):
    _jsonpath(expression, _TREE)
_LIST = (
    '{"r":"x","lim":5,"i":[{"n":"x","p":1,"t":["r"],"o":{"k":1},"z":null,"b":true,"e":[],"s":"","d":"2020'
    '-01-01","q":"$.r","j":[{"a":1}],"l":[1,2,"3"]},{"n":"Yz","p":2.5,"q":null,"t":["a","b"],"o":{},"b":f'
    'alse},{"n":"it\'s","p":10,"t":"r"},{"n":"10","p":"10"}],"w":["foo","bar",3,null,true],"ar":[[1,2],[3]'
    "]}"
)
for filter in (
    "@.n nin ['x']",
    "@.n NIN ['x']",
    '@.n in["x"]',
    '@.n in ["x","Yz"]',
    "@.n in $.w",
    "'x' in @.t",
    "'r' in @.t",
    "@.t size 1",
    "@.t size 2",
    "@.n size 1",
    "@.t size '1'",
    "@.t size -1",
    "@.o size 1",
    "@.p size 1",
    "@.t empty true",
    "@.e empty true",
    "@.e empty false",
    "@.s empty true",
    "@.o empty true",
    "@.z empty true",
    "@.t anyof ['r','q']",
    '@.t anyof ["a"]',
    "@.n anyof ['x']",
    "@.t noneof ['r']",
    "@.t subsetof ['r','s','a','b']",
    "@.t subsetof $.w",
    "@.t all ['a','b']",
    "@.t contains 'r'",
    "@.n contains 't'",
    "@.l contains 1",
    "@.l contains 3",
    "@.l contains '1'",
    "@.j contains 1",
    "@.j contains 'a'",
    "@.t contains ['r']",
    "@.p type 'x'",
    "@.p sizeof @.t",
    "@.p === 10",
    "@.p === '10'",
    "@.p == '10'",
    "'10' == @.p",
    "@.n == 10",
    "@.p !== 10",
    "@.p != 10",
    "@.p == 10.0",
    "@.p == '10.0'",
    "'10.0' == @.p",
    "@.p > '1'",
    "@.p < 'a'",
    "@.p >= 2.5",
    "@.n > 'a'",
    "@.b == true",
    "@.b == 'true'",
    "@.b != true",
    "@.b",
    "!@.b",
    "@.zz",
    "!@.zz",
    "! @.zz",
    "!(@.zz)",
    "!(@.n == 'x')",
    "! (@.n == 'x')",
    "!!@.zz",
    "(@.zz)",
    "((@.n == 'x'))",
    "@.n == 'x'||@.p == 10",
    "@.n == 'x' || @.p == 10 && @.b",
    "@.zz && @.n",
    "@.n&&@.b",
    "@.n && @.b",
    "@.n=='x'&&@.p==1",
    "@.n == 'x' & @.p == 1",
    "@.z == null",
    "@.zz == null",
    "@.z != null",
    "null == @.z",
    "@.z",
    "@.z == 'null'",
    "@.n =~ /x/",
    "@.n =~ /X/i",
    "@.n =~ /y.*/i",
    "@.n =~ /.*/",
    "@.zz =~ /.*/",
    "@.z =~ /.*/",
    "@.p =~ /1.*/",
    "@.b =~ /tr.e/",
    "@.t =~ /r/",
    "@.o =~ /.*/",
    "/x/ =~ @.n",
    "@.n =~ 'x'",
    "@.n =~ /(/",
    "@.n =~ /a\\/b/",
    "@.n =~ /x/im",
    "@.n =~ /x/z",
    "@.d =~ /\\d{4}-\\d\\d-\\d\\d/",
    '@.o == {"k":1}',
    "@.o == {'k':1}",
    "@.o == {k:1}",
    "@.t == ['r']",
    '@.t == ["r"]',
    "@.t == [r]",
    "@.t == @.t",
    '@.l == [1,2,"3"]',
    '@.l == [1.0,2,"3"]',
    "@.t != ['r']",
    '@.n == "x"',
    "@.n == 'it\\'s'",
    '@.n == "it\'s"',
    "@.n == 'x",
    "@.n == x",
    "@.n = 'x'",
    "@.n <> 'x'",
    "@.n == 'x' and @.p == 1",
    "@.n eq 'x'",
    "@['n'] == 'x'",
    "@[\"n\"] == 'x'",
    "@.['n'] == 'x'",
    "@['n']['a'] == 'x'",
    "@['o']['k'] == 1",
    "@.o['k'] == 1",
    "@.['o'].['k'] == 1",
    "@..k",
    "@..k == 1",
    "@.t[0] == 'r'",
    "@.t[-1] == 'b'",
    "@.t[*]",
    "@.t[*] == 'r'",
    "@.t[0:1] == ['r']",
    "@.l[?(@ == 1)]",
    "@.l[?(@ == 9)]",
    "@.l[?(@ == 1)] empty false",
    "@.l[?(@ == 9)] empty true",
    "@.t.length() == 1",
    "@.t.length() > 1",
    "@.n.length() == 1",
    "@.t.size() == 1",
    "@.length() == 4",
    "@.keys() contains 'n'",
    "@.l.first() == 1",
    "@.l.last() == '3'",
    "@.l.sum() == 3",
    "@.l.sum() == 3.0",
    "@.l.max() > 1",
    "@.t.concat() == 'ab'",
    "@.t.length() == 1 && @.n == 'x'",
    "(@.t.length() == 1)",
    "@.t.length()==1",
    "@.t.length() == @.p",
    "$.lim == 5",
    "@.p < $.lim",
    "@.p > $.lim",
    "$.r == @.n",
    "@.q == 'x'",
    "@.q == '$.r'",
    "@ == 'x'",
    "@",
    "true",
    "1 == 1",
    "'a' == 'a'",
    "'a'",
    "@.n == ''",
    "@.n == -1",
    "@.p == -1",
    "@.p == 1e1",
    "@.p == 1E+1",
    "@.p == .5",
    "@.p == 1.",
    "@.p == --1",
    "@.p == +1",
    "@.p==10",
    "@.p>9",
    "@.p>=9.99",
    "@.p<=1",
    "@.n=='x'",
    "@.n  ==  'x'",
    " @.n == 'x' ",
    "@.n ==",
    "== 'x'",
    "@.n == 'x' ||",
    "|| @.n",
    "@.n == 'x' @.p",
    "@.n == 'x' == true",
    "(@.n == 'x'",
    "@.n == 'x')",
    "@.n.foo() == 1",
    "@.o.k == 1",
    '@.n == "\\u0078"',
    "@.n == 'x\\n'",
    "@.a-b == 1",
    "@.n-x",
    "@.t empty",
    "@.t size",
    "@.n in 'x'",
    "@.n in [x, Yz]",
    "@.n in []",
    "@.n nin []",
    "@.n in ['it\\'s']",
    "@.p in [1, 10]",
    "@.p in ['1']",
    "@.n in [10]",
    "@.b in [true]",
    "@.z in [null]",
    "@.zz in [null]",
    "@.zz nin ['a']",
    "@.zz == @.zz",
    "@.zz != 1",
    "@.zz < 1",
    '@.o in [{"k":1}]',
    '@.n in ["$.r"]',
    "@.w",
    "@.n === 'x'",
    "@.n == 'x' && (@.p == 1 || @.p == 2)",
    "(@.n == 'x' && @.p == 1) || @.p == 10",
    "(@.n == 'x') && (@.p == 1)",
    "!(@.n == 'x') && @.p == 10",
    "!@.b && @.n",
    "@.n == 'x' && !@.zz",
    "@.zz || @.n == 'x'",
    "not @.n",
    "@.n =~ /[^\\/]+/",
    "@.n==@.n",
    "@.p*2 == 2",
    "@.p + 1 == 2",
    "@.length-1 == 0",
):
    _jsonpath(f"$.i[?({filter})].n", _LIST)
for expression in (
    "$.w[?(@ == 'foo')]",
    "$.w[?(@)]",
    "$.w[?(@ == null)]",
    "$.w[?(@ != null)]",
    "$.w[?(@ == true)]",
    "$.w[?(@ =~ /fo+/)]",
    "$.w[?(@ > 1)]",
    "$.w[?(@.x)]",
    "$.w[?(@.x == 1)]",
    "$.w[?(!@.x)]",
    "$.w[?(@ in ['bar'])]",
    "$.ar[?(@.length() == 2)]",
    "$.ar[?(@.size() >= 1)]",
    "$.ar[?(@[0] == 1)]",
    "$.ar[?(@ contains 3)]",
    "$.ar[?(@ size 1)]",
    "$..[?(@.length() == 2)]",
    "$..[?(@[0] == 1)]",
    "$[?(@.r == 'x')].lim",
    "$.i[?(@.n == 'x')][?(@.p == 1)].n",
    "$.i[?(@.n)][0]",
    "$.i[?(@.n)].length()",
    "$.i[?(@.p == 1)].t.first()",
    "$.i[?(@.n == 'x')].p.sum()",
    "$.i [?(@.n)]",
    "$.i[ ?(@.n == 'x') ].n",
    "$.i[? (@.n == 'x')].n",
    "$.i[?@.n == 'x'].n",
    "$.i[?(@.n == ')')].n",
    "$.i[?(@.n == ']')].n",
    "$.i[?(@.n == '(')].n",
    "$.i[?(@.n =~ /x|\\)/)].n",
    "$.i[?(@.n =~ /(x)/)].n",
    "$.i[?(@.n =~ /[x]/)].n",
    "$.i[?(@.n =~ /x]/)].n",
    "$.i[?(@.n =~ /[(]x/)].n",
    "$.i[?(@.n =~ /x'/)].n",
    "$.i[?(@.n == 'x' && @.n =~ /it's/)].n",
    "$.i[?(@.n =~ /it's/)].n",
    "$..[?(@.k)]",
    "$..o[?(@.k == 1)]",
    "$.i[?(@.n)].n.length()",
    "$['i'][?(@['n'] == 'x')]['n']",
    "$.['i'][?(@.['n'] == 'x')].['n']",
    "$[?(@.i[?(@.n == 'x')])].r",
    "$[?(@.i[?(@.n == 'q')])].r",
    "$[?(@.i[?(@.n == 'q')] empty true)].r",
    "$.i[?(@.n == 'x'), ?(@.n == 'Yz')].n",
    "$.i[0,?(@.n)].n",
    "$.i[?(@.t[?(@ == 'a')])].n",
    "$.i[0]['zz','n']",
    "$.i[*]['n','zz']",
    "$..['n','zz']",
    "$.i[*]['q','z']",
    "$.i[*].n.concat()",
    "$.length($..n)",
    "$..length()",
    "$..i.length()",
    "$..i[0].length()",
    "$.i..n.length()",
    "$.i.length().sum()",
    "$.i[*].p.max()",
    "$..l.sum()",
    "$..l.append(1)",
):
    _jsonpath(expression, _LIST)
for expression, value in (
    ("$['a','s']", '{"s":"abc"}'),
    ("$.a.c.append(4)", "[1,2,3,4]"),
    ("$.a.c.stddev()", "0.816496580927726"),
    ("$.a.c.sum()", "6.0"),
    ("$.sum($.a.c, 4)", "10.0"),
    ("$.i.length()", "3"),
    ("$..p.sum()", "13.5"),
    ("$..c.length()", "3"),
    ("$.a.c.first()", "1"),
    ("$.a.c.last()", "3"),
    ("$.a.c.index(1)", "2"),
    ("$.i[-1].n", "it's"),
    ("$.i[1:-1].n", "Yz"),
    ("$.i[-3:-1].n", "Yz"),
    ('$.concat($.s, "b", $.n, 5)', "abcb05"),
    ("$.i[*].length()", "2"),
    ("$.a.keys()", "b"),
    ("$.*.length()", "6"),
):
    _jsonpath({"expression": expression, "equalTo": value}, _TREE)

# matchesJsonSchema.
_S = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 1}}}
_body(
    {"matchesJsonSchema": _S},
    '{"a":1}',
    '{"a":1.0}',
    '{"a":0}',
    '{"a":"1"}',
    "{}",
    "[]",
    "",
    "x",
    '{"a":1,"b":2}',
)
_body({"matchesJsonSchema": '{"type": "object", "additionalProperties": false}'}, "{}", '{"a":1}')
_body({"matchesJsonSchema": '{"type": "string"}'}, '"a"', "a", "1")
_body({"matchesJsonSchema": '{"type": "number"}'}, "1", "1.5", '"1"', "x")
_body({"matchesJsonSchema": '{"type": "string", "format": "date"}'}, '"2020-01-01"', '"x"')
_body({"matchesJsonSchema": '{"type": "string", "format": "email"}'}, '"a@b.de"', '"x"')
_body({"matchesJsonSchema": '{"pattern": "^a+$"}'}, '"aa"', '"ab"')
_body({"matchesJsonSchema": '{"pattern": "a"}'}, '"bab"', '"b"')
_body({"matchesJsonSchema": '{"const": 1}'}, "1", "1.0", "2")
_body(
    {"matchesJsonSchema": '{"$defs": {"n": {"type": "integer"}}, "items": {"$ref": "#/$defs/n"}}'},
    "[1]",
    '["a"]',
)
_body({"matchesJsonSchema": '{"items": [{"type": "integer"}]}', "schemaVersion": "V7"}, "[1]", '["a"]')
_body({"matchesJsonSchema": '{"items": [{"type": "integer"}]}', "schemaVersion": "V202012"}, "[1]", '["a"]')
_body({"matchesJsonSchema": '{"prefixItems": [{"type": "integer"}]}'}, "[1]", '["a"]')
_body({"matchesJsonSchema": '{"minimum": 1, "exclusiveMinimum": true}', "schemaVersion": "V4"}, "1", "2")
_body(
    {"matchesJsonSchema": '{"dependentRequired": {"a": ["b"]}}', "schemaVersion": "V201909"}, '{"a":1}', "{}"
)
_body({"matchesJsonSchema": '{"dependentRequired": {"a": ["b"]}}', "schemaVersion": "V6"}, '{"a":1}', "{}")
_body({"matchesJsonSchema": '{"type": "integer"}', "schemaVersion": "V9"}, "1")
_body({"matchesJsonSchema": "{nope"}, "1")
_body({"matchesJsonSchema": '{"type": "nope"}'}, "1")
_body({"matchesJsonSchema": True}, "1")
_body({"matchesJsonSchema": "true"}, "1")

# Dates.
_Z = "2021-05-01T12:00:00Z"
_ALL = (
    _Z, "2021-05-01T11:59:59Z", "2021-05-01T12:00:01Z", "2021-05-01T14:00:00+02:00", "2021-05-01T14:00:00+01:00",
    "2021-05-01T11:00:00", "2021-05-01T13:00:00", "2021-05-01T12:00:00", "2021-05-01", "2021-04-30", "2021-05-02",
    "Sat, 01 May 2021 11:00:00 GMT", "Sat, 01 May 2021 13:00:00 GMT", "Saturday, 01-May-21 11:00:00 GMT",
    "Sat May  1 11:00:00 2021", "Sat May 01 11:00:00 2021", "2021-05-01T12:00:00.000Z", "2021-05-01T11:59:59.999Z",
    "2021-05-01T11:00Z", "1619870400000", "nope", "",
)  # fmt: skip
for when in ("before", "after", "equalToDateTime"):
    _body({when: _Z}, *_ALL)
    _body({when: "2021-05-01T12:00:00"}, *_ALL)
    _header({when: _Z}, [])
    _body({when: "2021-05-01"}, "2021-04-30", "2021-05-01", "2021-05-02")
    _body({when: "now"}, *((NOW + timedelta(days=days)).isoformat() for days in (-1, 1)))
    _body({when: "now +3 days"}, *((NOW + timedelta(days=days)).isoformat() for days in (2, 4)))
    _body({when: "3 days"}, *((NOW + timedelta(days=days)).isoformat() for days in (2, 4)))
    _body({when: "now -1 months"}, *((NOW + timedelta(days=days)).isoformat() for days in (-40, -20)))
_LATER = [f"{NOW + timedelta(days=days):%Y-%m-%dT%H:%M:%S}" for days in (-2, 2)]
for expected in ("now", "now +1 hours", "now -1 years", "+1 days", "now+1 days", "now + 1 days", "now 1 days",
                 "now +1 weeks", "now +1 day", "now +1 DAYS", "NOW", "tomorrow", "now +1 minutes", "now +1 seconds",
                 "Sat, 01 May 2021 11:00:00 GMT", ""):  # fmt: skip
    _body({"after": expected}, *_LATER)
for format, text in (
    ("dd/MM/yyyy", "02/05/2021"), ("dd/MM/yyyy", "30/04/2021"), ("yyyy-MM-dd HH:mm:ss", "2021-05-01 13:00:00"),
    ("unix", "1619870401"), ("epoch", "1619870401000"), ("epoch", "1619870399000"), ("unix", "1619870399"),
    ("yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2021-05-01T13:00:00.000+0000"), ("dd MMM yy", "02 May 21"), ("yyyy", "2022"),
    ("yyyy-MM", "2021-06"), ("EEE, d MMM yyyy HH:mm:ss z", "Sun, 2 May 2021 13:00:00 GMT"), ("h:mm a", "1:00 PM"),
    ("yyyy-MM-dd'T'HH:mm:ssXXX", "2021-05-01T13:00:00Z"), ("yyyy-MM-dd'T'HH:mm:ssX", "2021-05-01T13:00:00+01"),
    ("dd/MM/yyyy", "nope"), ("qqq{", "x"), ("yyyyMMdd", "20210502"), ("M/d/yyyy", "5/2/2021"), ("dd/MM/yyyy", "2021-05-02"),
    ("uuuu-MM-dd", "2021-05-02"), ("yyyy-MM-dd HH:mm", "2021-05-01 13:00"), ("yyyy-DDD", "2021-130"),
):  # fmt: skip
    _body({"after": _Z, "actualFormat": format}, text)
for truncation in (
    "first second of minute", "first minute of hour", "first hour of day", "first day of month",
    "first day of next month", "last day of month", "first day of year", "first day of next year", "last day of year",
):  # fmt: skip
    _body({"equalToDateTime": "2021-05-01T00:00:00Z", "truncateActual": truncation}, "2021-05-01T00:00:30Z",
          "2021-05-20T07:08:09Z")  # fmt: skip
    _body({"equalToDateTime": "2021-05-20T07:08:09Z", "truncateExpected": truncation}, "2021-05-20T07:08:09Z")
    _body({"before": "now", "truncateExpected": truncation}, f"{NOW:%Y-%m-%dT%H:%M:00Z}")
_body({"after": "now", "truncateExpected": "nope"}, _Z)
_body({"equalToDateTime": "2022-01-01T00:00:00Z", "truncateActual": "first day of next year"}, _Z)
_body({"equalToDateTime": "2021-06-01T00:00:00Z", "truncateActual": "first day of next month"}, _Z)
_body({"equalToDateTime": "2021-12-31T00:00:00Z", "truncateActual": "last day of year"}, _Z)
_body({"equalToDateTime": "2021-05-31T00:00:00Z", "truncateActual": "last day of month"}, _Z)
_body({"equalToDateTime": "2021-01-01T00:00:00Z", "truncateActual": "first day of year"}, _Z)
_body(
    {"equalToDateTime": "2021-05-01T00:00:00", "truncateActual": "first hour of day"}, "2021-05-01T12:30:00"
)
_body({"after": "now", "expectedOffset": 3, "expectedOffsetUnit": "days"}, *_LATER)
_body({"before": "now", "truncateExpected": "first day of month", "applyTruncationLast": True}, _Z)
