"""Bodies with a coding or a charset: what stubs, services, the control plane and the journal see."""

import gzip
import json
import zlib
from base64 import b64decode, b64encode
from typing import Any

from tests.support.wire import TOKEN, Answer, Wire
from tests.support.wire_case import WireTestCase

CALCULATE = "/oagw/v1/proxy/calculator/calculate"
CHAT = "/oagw/v1/proxy/openai/v1/chat/completions"
STUBBED = "/api/oagw/v1/proxy/stripe/v1/charges"
SUM = b'{"operation": "add", "a": 1, "b": 2}'
GZIP, DEFLATE, JSON = "Content-Encoding: gzip", "Content-Encoding: deflate", "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
BOMB = gzip.compress(bytes(9 << 20))


class CodingTests(WireTestCase):
    def post(self, target: str, body: bytes, *headers: str) -> Answer:
        return self.wire.ask("POST", target, *headers, body=body)

    def stub(self, request: dict[str, Any], **response: Any) -> None:
        document = {"request": {"urlPath": STUBBED, **request}, "response": response}
        self.assertEqual(self.wire.admin("POST", "/mappings", document).status, 201)

    def journal(self) -> dict[str, Any]:
        """The newest request."""
        newest: dict[str, Any] = self.wire.admin("GET", "/requests?limit=1").json()["requests"][0]["request"]
        return newest

    def test_a_service_reads_any_coding(self) -> None:
        raw = zlib.compressobj(wbits=-15)
        for body, *headers in (
            (gzip.compress(SUM), GZIP),
            (gzip.compress(SUM), "Content-Encoding: X-GZip"),
            (zlib.compress(SUM), DEFLATE),
            (raw.compress(SUM) + raw.flush(), DEFLATE),
            (gzip.compress(zlib.compress(SUM)), "Content-Encoding: deflate, identity", GZIP),
            (SUM, "Content-Encoding: identity"),
            (SUM, "Content-Encoding:"),
        ):
            answer = self.post(CALCULATE, body, *headers)
            self.assertEqual((answer.status, answer.json().get("result")), (200, 3), headers)

    def test_a_service_reads_any_charset(self) -> None:
        for charset, codec in (("utf-16", "utf-16"), ("UTF-16BE", "utf-16-be"), ('"iso-8859-1"', "latin-1")):
            body = '{"operation": "é", "a": 1, "b": 2}'.encode(codec)
            answer = self.post(CALCULATE, body, f"{JSON}; charset={charset}")
            error = "Unknown operation: é; there are add, subtract, multiply, divide"
            self.assertEqual((answer.status, answer.json()), (400, {"error": error}))

    def test_a_service_refuses_in_its_own_words(self) -> None:
        for status, body, headers, said in (
            (415, SUM, ("Content-Encoding: br",), "Unknown Content-Encoding: br"),
            (415, SUM, (f"{JSON}; charset=rot13",), "Unknown charset: rot13"),
            (400, SUM, (GZIP,), "The body is not valid gzip"),
            (400, gzip.compress(SUM) + b"x", (GZIP,), "The body is not valid gzip"),
            (400, b"\xff", (f"{JSON}; charset=us-ascii",), "The body is not valid us-ascii"),
            (413, BOMB, (GZIP,), "The body decodes to more than 4194304 bytes"),
        ):
            answer = self.post(CALCULATE, body, *headers)
            self.assertEqual((answer.status, answer.source), (status, ["upstream"]))
            self.assertEqual(answer.json(), {"error": said})
            answer = self.post(CHAT, body, *headers)
            self.assertEqual((answer.status, answer.source), (status, ["upstream"]))
            self.assertEqual(answer.json()["error"]["message"], said)
            accepted = ["gzip, deflate"] if "br" in said else None
            self.assertEqual(answer.headers.get("accept-encoding"), accepted)

    def test_a_refusal_knows_the_values_of_a_member_in_a_coded_body(self) -> None:
        body = b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}], "reasoning_effort": "x"}'
        plain, coded = self.post(CHAT, body), self.post(CHAT, gzip.compress(body), GZIP)
        self.assertEqual((plain.status, coded.status), (400, 400))
        self.assertIn("Supported values are", plain.json()["error"]["message"])
        self.assertEqual(coded.json(), plain.json())

    def test_an_empty_body_is_empty_in_any_coding(self) -> None:
        answer = self.post(CALCULATE, b"", GZIP)
        self.assertEqual((answer.status, answer.json()), (400, {"error": "Expected a JSON body, got none"}))

    def test_stubs_and_templates_see_the_decoded_body(self) -> None:
        text = "{{request.body}} {{request.bodyAsBase64}} {{jsonPath request.body '$.name'}}"
        self.stub(
            {"bodyPatterns": [{"equalToJson": {"name": "é"}}, {"contains": "é"}]},
            body=text,
            transformers=["response-template"],
        )
        sent = '{"name": "é"}'.encode("latin-1")
        answer = self.post(STUBBED, gzip.compress(sent), GZIP, f"{JSON}; charset=iso-8859-1")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.body.decode(), f'{{"name": "é"}} {b64encode(sent).decode()} é')

    def test_binary_equal_to_and_forms_see_the_decoded_body(self) -> None:
        self.stub({"bodyPatterns": [{"binaryEqualTo": b64encode(b"a=1&b").decode()}]}, body="binary")
        self.stub({"formParameters": {"a": {"equalTo": "2"}}}, body="form")
        self.assertEqual(self.post(STUBBED, zlib.compress(b"a=1&b"), DEFLATE).body, b"binary")
        self.assertEqual(self.post(STUBBED, zlib.compress(b"a=2"), DEFLATE, FORM).body, b"form")

    def test_an_unknown_coding_is_left_to_stubs(self) -> None:
        self.stub({"bodyPatterns": [{"contains": "brotli"}]}, body="found")
        self.assertEqual(self.post(STUBBED, b"not quite brotli", "Content-Encoding: br").body, b"found")
        shown = self.journal()
        self.assertEqual(shown["body"], "not quite brotli")
        self.assertIsNone(shown["oagw"]["rawBodyAsBase64"])

    def test_an_unknown_charset_is_utf_8_to_stubs(self) -> None:
        self.stub({"bodyPatterns": [{"equalTo": "é"}]}, body="found")
        for charset in ("rot13", "none-such", "idna", "base64"):
            answer = self.post(STUBBED, "é".encode(), f"Content-Type: text/plain; charset={charset}")
            self.assertEqual(answer.body, b"found", charset)

    def test_a_body_that_a_stub_looks_at_must_be_valid(self) -> None:
        self.stub({"bodyPatterns": [{"contains": "x"}]})
        for status, body in ((400, b"x"), (400, gzip.compress(b"x")[:-1]), (413, BOMB)):
            answer = self.post(STUBBED, body, GZIP)
            self.assertEqual((answer.status, answer.source), (status, ["gateway"]))
            self.assertEqual(answer.type, "application/problem+json")

    def test_a_body_that_a_template_looks_at_must_be_valid(self) -> None:
        self.stub({}, body="{{request.body}}", transformers=["response-template"])
        self.assertEqual(self.post(STUBBED, b"x", GZIP).status, 400)
        self.assertEqual(self.post(STUBBED, BOMB, GZIP).status, 413)

    def test_a_body_that_nobody_looks_at_is_not_decoded(self) -> None:
        self.stub({"headers": {"Host": {"contains": "g"}}}, body="found")
        self.assertEqual(self.post(STUBBED, b"x", GZIP).body, b"found")
        self.assertEqual(self.post(STUBBED, BOMB, GZIP).body, b"found")

    def test_the_control_plane_reads_codings_and_charsets(self) -> None:
        document = json.dumps({"request": {"urlPath": STUBBED}}).encode()
        for body, *headers in (
            (gzip.compress(document), GZIP),
            (document.decode().encode("utf-16"), f"{JSON}; charset=utf-16"),
        ):
            answer = self.wire.admin("POST", "/mappings", body, *headers)
            self.assertEqual(answer.status, 201, headers)
        for status, body, header in (
            (415, document, "Content-Encoding: br"),
            (415, document, f"{JSON}; charset=rot13"),
            (400, document, GZIP),
            (413, gzip.compress(bytes(17 << 20)), GZIP),
        ):
            answer = self.wire.admin("POST", "/mappings", body, header)
            self.assertEqual((answer.status, list(answer.json())), (status, ["errors"]))

    def test_the_journal_shows_the_decoded_body_and_has_the_bytes_from_the_wire(self) -> None:
        sent = gzip.compress("é".encode("utf-16"))
        self.post(CALCULATE, sent, GZIP, f"{JSON}; charset=utf-16")
        shown = self.journal()
        self.assertEqual((shown["body"], b64decode(shown["bodyAsBase64"])), ("é", "é".encode("utf-16")))
        self.assertEqual(b64decode(shown["oagw"]["rawBodyAsBase64"]), sent)
        self.assertEqual(shown["oagw"]["bodySize"], len(sent))
        found = self.wire.admin("POST", "/requests/count", {"bodyPatterns": [{"equalTo": "é"}]})
        self.assertEqual(found.json()["count"], 1)

    def test_a_request_that_was_shown_is_not_decoded_again(self) -> None:
        self.stub({"bodyPatterns": [{"equalTo": "text"}]})
        self.post("/oagw/v1/proxy/none/x", gzip.compress(b"text"), GZIP)
        near = self.wire.admin("POST", "/near-misses/request", self.journal()).json()["nearMisses"]
        self.assertLess(near[0]["matchResult"]["distance"], 0.8)

    def test_a_secret_in_a_coded_body_is_shown_nowhere(self) -> None:
        sent = gzip.compress(f"my {TOKEN} here".encode())
        self.post(CALCULATE, sent, GZIP)
        shown = self.journal()
        self.assertEqual((shown["body"], shown["oagw"]["rawBodyAsBase64"]), ("my **** here", None))
        self.assertEqual(b64decode(shown["bodyAsBase64"]), b"my **** here")

    def test_a_body_that_the_journal_cuts_is_decoded_as_far_as_it_goes(self) -> None:
        lines = "".join(f"{number:x} {hash(number * 1.7) & 0xFFFFFFFF:x}\n" for number in range(300_000))
        sent = gzip.compress(lines.encode())
        self.assertGreater(len(sent), 1 << 20)
        self.post(CALCULATE, sent, GZIP)
        shown = self.journal()
        self.assertEqual(len(shown["body"]), 1 << 20)
        self.assertTrue(lines.startswith(shown["body"]))
        self.assertEqual(shown["oagw"]["bodySize"], len(sent))

    def test_a_corrupt_body_is_shown_as_it_came(self) -> None:
        self.post(CALCULATE, b"plain", GZIP)
        self.assertEqual(self.journal()["body"], "plain")

    def test_a_journal_of_bombs_is_as_large_as_any(self) -> None:
        wire = Wire()
        bomb = gzip.compress(bytes(8 << 20))
        for _ in range(80):
            wire.ask("POST", CALCULATE, GZIP, body=bomb)
        journal = list(wire.gateway.sandboxes.default.journal)
        self.assertLess(len(journal), 65)
        self.assertLessEqual(sum(len(entry.call().body) for entry in journal), 64 << 20)
