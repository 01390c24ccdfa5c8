"""Documents that no client would send: each is refused or taken, and what is taken can be answered with."""

import json
from collections.abc import Iterator
from time import thread_time
from typing import Any

import pytest

from tests.support.wire import Answer, parse, request
from tests.support.wire_case import WireTestCase

DEEP = 100_000

# In JSON: halves of surrogate pairs, a NUL, line ends, and what is not in Latin-1.
TEXTS = (r"\ud800", r"\udc00\ud800", r"\u0000", r"\r\nX: y", r"\u2028", r"\ud83d\ude00", r"\u00e9\u4e2d")

OPERATORS = (
    *("equalTo", "contains", "doesNotContain", "matches", "doesNotMatch", "equalToJson", "matchesJsonPath"),
    *("matchesJsonSchema", "binaryEqualTo", "before", "after", "equalToDateTime"),
)


# Stands for one of TEXTS.
X = "TEXT"


def stubs() -> Iterator[dict[str, Any]]:
    """Stubs that have X in each place where there may be any text."""
    yield from ({"name": X}, {"id": X}, {"metadata": {X: X}})
    yield {"scenarioName": X, "requiredScenarioState": "Started", "newScenarioState": X}
    for member in ("method", "url", "urlPattern", "urlPath", "urlPathPattern", "urlPathTemplate"):
        yield {"request": {member: f"/{X}"}}
    for group in ("headers", "queryParameters", "formParameters", "cookies"):
        yield {"request": {group: {X: {"absent": True}}}}
    yield {"request": {"urlPathTemplate": "/{a}", "pathParameters": {"a": {"equalTo": X}}}}
    yield {"request": {"basicAuth": {"username": X, "password": X}}}
    yield {"request": {"host": {"before": "now", "actualFormat": X}}}
    for operator in OPERATORS:
        yield {"request": {"bodyPatterns": [{"not": {operator: X}}], "headers": {"Host": {operator: X}}}}
    yield {"request": {"bodyPatterns": [{"equalToJson": {X: X}}]}}
    yield {"request": {"bodyPatterns": [{"matchesJsonSchema": {"properties": {X: {"pattern": X}}}}]}}
    for response in responses():
        yield {"response": response}
        yield {"response": {**response, "transformers": ["response-template"]}}


def responses() -> Iterator[dict[str, Any]]:
    """The same for responses."""
    for member in ("statusMessage", "body", "base64Body", "bodyFileName", "jsonBody"):
        yield {member: X}
    yield from ({"jsonBody": {X: [X]}}, {"headers": {"X-A": [X, "b"]}}, {"headers": {X: "b"}})
    for member in ("data", "event", "id", "comment", "raw"):
        yield {"sse": [{member: X}]}
    yield {"body": "{{parameters.a}}", "transformerParameters": {"a": X, X: 1}}
    yield {"problem": {"category": "not_found", "error": X, "detail": X, "context": {X: X}}}


class HostileCase(WireTestCase):
    def tried(self, document: bytes | str, path: str = "/mappings") -> Answer:
        """The answer to ``document``, which is no failure of the server; a stub made of it answers, too."""
        body = document.encode() if isinstance(document, str) else document
        answer = self.wire.admin("POST", path, body)
        self.assertIn(answer.status, (200, 201, 413, 422), body[:200])
        if answer.status == 201:
            self.assertLess(self.wire.ask("POST", "/any", body=b"{}").status, 500, body[:200])
            self.assertEqual(self.wire.admin("GET", "/mappings").status, 200, body[:200])
        self.assertEqual(self.wire.admin("POST", "/reset").status, 200)
        return answer

    def refused(self, document: bytes | str, path: str = "/mappings") -> Any:
        answer = self.tried(document, path)
        self.assertEqual(answer.status, 422)
        return answer.json()["errors"][0]


class HostileDocumentsTests(HostileCase):
    def test_any_text_in_any_place(self) -> None:
        for document in map(json.dumps, stubs()):
            for text in TEXTS:
                self.tried(document.replace(X, text))

    def test_what_is_nested_deeper_than_any_document(self) -> None:
        arrays, objects = "[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP
        for nested in (arrays, "[" * DEEP, objects):
            self.refused(nested)
            for place in (
                '{"metadata": {"a": %s}}',
                '{"response": {"jsonBody": %s}}',
                '{"response": {"sse": [{"data": %s}]}}',
                '{"response": {"problem": {"category": "aborted", "context": {"a": %s}}}}',
                '{"request": {"bodyPatterns": [{"equalToJson": %s}]}}',
                '{"request": {"bodyPatterns": [{"matchesJsonSchema": {"const": %s}}]}}',
            ):
                self.refused(place % nested)
            for operator in ("equalToJson", "matchesJsonSchema"):
                self.refused(json.dumps({"request": {"bodyPatterns": [{operator: nested}]}}))

    def test_what_is_nested_as_deep_as_can_be_read(self) -> None:
        nested = "[" * 900 + "]" * 900
        for place in (
            '{"metadata": {"a": %s}}',
            '{"response": {"jsonBody": %s}}',
            '{"response": {"sse": [{"data": %s}]}}',
            '{"request": {"bodyPatterns": [{"equalToJson": %s}]}}',
            '{"response": {"body": "{{parameters.a}}", "transformers": ["response-template"],'
            ' "transformerParameters": {"a": %s}}}',
        ):
            self.tried(place % nested)

    def test_operators_nested_in_each_other(self) -> None:
        for opening, closing in (
            ('{"not": ', "}"),
            ('{"and": [', "]}"),
            ('{"matchesJsonPath": {"expression": "$", "and": [', "]}}"),
        ):
            operator = opening * 200 + '{"contains": "x"}' + closing * 200
            self.refused(f'{{"request": {{"bodyPatterns": [{operator}]}}}}')

    def test_numbers_of_any_size(self) -> None:
        for number in (
            "9" * 100_000,
            "9" * 4_000,
            "-1",
            "1e999",
            "-0.0",
            "1e-999",
            "NaN",
            "Infinity",
            "-Infinity",
        ):
            for place in (
                '{"priority": %s}',
                '{"times": %s}',
                '{"metadata": {"a": %s}}',
                '{"request": {"port": %s}}',
                '{"request": {"host": {"after": "now", "expectedOffset": %s, "expectedOffsetUnit": "days"}}}',
                '{"request": {"bodyPatterns": [{"equalToJson": %s}]}}',
                '{"request": {"bodyPatterns": [{"matchesJsonSchema": {"minimum": %s}}]}}',
                '{"response": {"jsonBody": %s}}',
                '{"response": {"fixedDelayMilliseconds": %s}}',
                '{"response": {"sse": [{"data": %s}, {"retry": %s}]}}',
            ):
                self.tried(place.replace("%s", number))

    def test_what_is_no_json(self) -> None:
        for document in (
            *(b"\0", b"\xef\xbb\xbf{}", b"{} {}", b'{"name": NaN}', '{"name": "x"}'.encode("utf-16")),
            *(b'{"name": "\xff"}', b'{"name": "\xed\xa0\x80"}', b'{"name": "\xc0\x80"}', b'{"\xff": 1}'),
        ):
            self.refused(document)

    def test_no_document_where_there_has_to_be_one(self) -> None:
        for document in (b"", b"null"):
            self.assertEqual(self.refused(document)["detail"], "Expected an object, got null")

    def test_a_member_that_occurs_twice_is_refused(self) -> None:
        told = self.refused('{"priority": 1, "priority": 2}')
        self.assertEqual(told["source"], {"pointer": "/priority"})

    def test_as_much_as_a_document_may_have(self) -> None:
        much = "a" * (15 << 20)
        for place in (
            '{"name": "%s"}',
            '{"metadata": {"a": "%s"}}',
            '{"request": {"urlPattern": "%s"}}',
            '{"request": {"host": {"before": "%s"}}}',
            '{"request": {"bodyPatterns": [{"matchesJsonPath": "$.%s"}]}}',
            '{"response": {"body": "%s"}}',
            '{"response": {"body": "{{%s}}", "transformers": ["response-template"]}}',
        ):
            self.tried(place % much)
        self.assertEqual(self.tried('{"name": "%s"}' % (much + much)).status, 413)

    def test_more_operators_than_anyone_has(self) -> None:
        many = [{"contains": "a"}] * 100_000
        error = self.refused(json.dumps({"request": {"host": {"and": many}}}))
        self.assertEqual(error["detail"], "More than 1000 operators in one pattern")
        headers = {f"a{number}": {"includes": [{"absent": True}]} for number in range(501)}
        self.refused(json.dumps({"request": {"headers": headers}}))
        self.refused(json.dumps({"and": many}), "/mappings/find-by-metadata")

    @pytest.mark.timed
    def test_regular_expressions_that_would_take_long_to_compile(self) -> None:
        placeholders = [f"${{json-unit.regex}}(a|b){{{number}}}" for number in range(200)]
        for pattern in (
            {"host": {"and": [{"matches": "(\\w+|\\d)" + str(number)} for number in range(999)]}},
            {"urlPattern": "\\R" * 5_000},
            {"bodyPatterns": [{"equalToJson": placeholders}] * 50},
            {
                "bodyPatterns": [
                    {"matchesJsonPath": f"$[?(@ =~ /(\\w|{number})*/i)]"} for number in range(600)
                ]
            },
        ):
            started = thread_time()
            error = self.refused(json.dumps({"request": pattern}))
            self.assertLess(thread_time() - started, 0.2)
            self.assertIn("cannot exceed 30000 characters", error["detail"])
            self.assertIn(next(iter(pattern)), error["source"]["pointer"])

    def test_json_that_would_take_long_to_compare(self) -> None:
        operator = {"equalToJson": [1] * 600_000, "ignoreArrayOrder": True}
        self.refused(json.dumps({"request": {"bodyPatterns": [operator]}}))

    def test_an_id_with_a_line_end(self) -> None:
        error = self.refused(r'{"id": "00000000-0000-0000-0000-000000000000\n"}')
        self.assertEqual(error["source"]["pointer"], "/id")

    def test_names_in_paths(self) -> None:
        for name in ("%ED%A0%80", "%00", "%FF", "%0D%0AX:%20y", "%F0%9F%98%80", "a" * 5_000):
            state = self.wire.admin("PUT", f"/scenarios/{name}/state", b'{"state": "x"}')
            self.assertEqual(state.status, 404, name)
            self.assertEqual(self.wire.admin("GET", f"/mappings/{name}").status, 400, name)


class FramingTests(HostileCase):
    """Where the body of a stub's answer ends is the server's to say: else the next answer would be lost."""

    def whole(self, response: dict[str, Any], method: str = "GET") -> Answer:
        """The answer of a stub with ``response``, after which another request is answered as well."""
        created = self.wire.admin("POST", "/mappings", {"request": {"url": "/any"}, "response": response})
        self.assertEqual(created.status, 201)
        connection = self.wire.connect()
        written = connection.send(request(f"{method} /any HTTP/1.1", "Host: g"))
        for _ in range(10):
            self.wire.clock.advance(0.05)
        answer, rest = parse(written + connection.take(), head_only=method == "HEAD")
        self.assertEqual(rest, b"")
        following, rest = parse(connection.send(request("GET /health HTTP/1.1", "Host: g")))
        self.assertEqual((following.status, rest), (200, b""))
        connection.leave()
        self.wire.admin("POST", "/reset")
        return answer

    def test_transfer_encoding_chunked_sends_the_body_in_chunks(self) -> None:
        for method in ("GET", "HEAD"):
            answer = self.whole({"headers": {"transfer-encoding": "Chunked"}, "body": "xyz"}, method)
            self.assertEqual(answer.body, b"" if method == "HEAD" else b"xyz")
            self.assertNotIn("content-length", answer.headers)

    def test_another_transfer_encoding_is_refused(self) -> None:
        error = self.refused('{"response": {"headers": {"Transfer-Encoding": "gzip"}}}')
        self.assertEqual(error["source"]["pointer"], "/response/headers/Transfer-Encoding")

    def test_of_what_comes_over_time_the_content_length_is_not_said(self) -> None:
        answer = self.whole({"headers": {"Content-Length": "99"}, "sse": [{"data": "x"}]})
        self.assertEqual(answer.body, b"data: x\n\n")

    def test_a_status_without_a_body_has_none(self) -> None:
        dribble = {"numberOfChunks": 3, "totalDuration": 100}
        for status in (204, 304):
            self.whole({"status": status, "body": "xyz", "chunkedDribbleDelay": dribble})
            self.whole({"status": status, "body": "xyz", "headers": {"Transfer-Encoding": "chunked"}})
            error = self.refused(json.dumps({"response": {"status": status, "sse": [{"data": "x"}]}}))
            self.assertEqual(error["source"]["pointer"], "/response/sse")
