"""The situations of errors and unusual answers: what they send, and the verdicts on reactions."""

import gzip
import json
from typing import Any

from oagw.exam.errors import ERRORS
from oagw.exam.situation import THING, WORD
from tests.support.examination import ExamTestCase, Got, failure, outcome, value
from tests.support.wire import answers

STATUSES = {
    "error-html": 502,
    "error-empty": 500,
    "error-invalid-json": 400,
    "error-json-string": 400,
    "large-error-body": 400,
    "unknown-status": 471,
}
SOURCES = {"gateway-error": "gateway", "upstream-error": "upstream", "source-missing": None}
FINE = ("unknown-success", "early-hints", "continue-unasked", "trailers", "gzip-answer")
BROKEN = ("length-too-long", "chunked-cut", "success-invalid-json", "success-html")


class ErrorTests(ExamTestCase):
    def ask(self, name: str, *fields: str) -> Got:
        return self.examine(name).ask(0, *fields)

    def test_an_error_of_any_form_is_an_error_with_its_status(self) -> None:
        for name, status in STATUSES.items():
            self.assertEqual(self.ask(name).status, status)
            for report in (failure(), failure(status=status), failure(status=None, message="x")):
                self.assertEqual(self.verdict(name, report), ("passed", set()), name)
            for wrong in (value({}), value(WORD), failure(status=200)):
                self.assertEqual(self.verdict(name, wrong), ("failed", {"error"}), name)
            many = self.verdict(name, failure(), asks=13)
            self.assertEqual(many, ("failed", {"number of requests"}), name)

    def test_an_error_is_attributed_to_who_sent_it(self) -> None:
        for name, source in SOURCES.items():
            got = self.ask(name)
            field = b"X-Oagw-Error-Source: " + (source or "").encode()
            self.assertEqual((got.status, field in got.head), (403, source is not None), name)
            self.assertEqual(self.verdict(name, failure(status=403, source=source)), ("passed", set()))
            self.assertEqual(self.verdict(name, failure(status=403)), ("not judged", set()))
            self.assertEqual(self.verdict(name, value(THING))[0], "failed")
            for wrong in {"gateway", "upstream", None} - {source}:
                broken = self.verdict(name, failure(source=wrong))
                self.assertEqual(broken, ("failed", {"source of the error"}), (name, wrong))

    def test_an_unusual_answer_is_an_answer(self) -> None:
        for name in FINE:
            for right in (value(THING), value(WORD), {"outcome": "text", "text": WORD}):
                examination = self.examine(name)
                self.assertEqual(examination.ask(0, "Accept-Encoding: gzip").end, "complete")
                self.assertEqual(examination.judge(right)["verdict"], "passed", name)
            for wrong in (failure(), failure(status=103), value(), value("")):
                self.assertEqual(self.verdict(name, wrong), ("failed", {"answer"}), (name, wrong))

    def test_interim_responses_and_trailers_surround_the_answer(self) -> None:
        for name, statuses in {"early-hints": [103, 103, 200], "continue-unasked": [100, 200]}.items():
            head, _, _ = self.ask(name).data.rpartition(b"\r\n\r\n")
            found = [int(line[9:12]) for line in head.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
            self.assertEqual(found, statuses)
        self.assertTrue(
            self.ask("trailers").data.endswith(
                b"\r\n0\r\nX-Checksum: 1a2b\r\nServer-Timing: total;dur=3\r\n\r\n"
            )
        )

    def test_no_content_is_no_error(self) -> None:
        examination = self.examine("no-content")
        got = examination.ask()
        self.assertEqual((got.status, got.body, examination.calls[0]["method"]), (204, b"", "DELETE"))
        for right in (value(), value(""), value({}), {"outcome": "text", "text": ""}):
            self.assertEqual(self.verdict("no-content", right), ("passed", set()), right)
        for wrong in (failure(), value(WORD)):
            self.assertEqual(self.verdict("no-content", wrong), ("failed", {"no content"}))

    def test_gzip_is_sent_to_those_who_ask(self) -> None:
        coded = self.ask("gzip-answer", "Accept-Encoding: deflate, gzip")
        self.assertIn(b"Content-Encoding: gzip\r\n", coded.head)
        self.assertEqual(json.loads(gzip.decompress(coded.body)), THING)
        plain = self.ask("gzip-answer")
        self.assertEqual(json.loads(plain.body), THING)
        self.assertEqual(self.verdict("gzip-answer", value(THING))[0], "not judged")

    def test_json_is_utf_8(self) -> None:
        got = self.ask("charset")
        self.assertIn(b"Content-Type: application/json\r\n", got.head)
        sent = json.loads(got.body)
        word = sent["choices"][0]["message"]["content"]
        for right in (value(sent), value(word)):
            self.assertEqual(self.verdict("charset", right), ("passed", set()))
        for wrong in (value(word.encode().decode("latin-1")), value(WORD), failure()):
            self.assertEqual(self.verdict("charset", wrong), ("failed", {"answer"}))

    def test_a_broken_answer_is_an_error(self) -> None:
        for name in BROKEN:
            got = self.ask(name)
            self.assertEqual(got.status, 200)
            self.assertEqual(got.end, "closed" if name in ("length-too-long", "chunked-cut") else "complete")
            for report in (failure(), failure(status=200)):
                self.assertEqual(self.verdict(name, report), ("passed", set()), name)
            for wrong in (value(THING), value(), value("<!DOCTYPE html>"), failure(status=502)):
                self.assertEqual(self.verdict(name, wrong), ("failed", {"error"}), (name, wrong))

    def test_a_page_may_be_returned_as_text(self) -> None:
        page = self.ask("success-html").body.decode()
        for report in (value(page), {"outcome": "text", "text": page}):
            self.assertEqual(self.verdict("success-html", report), ("not judged", set()))
        self.assertEqual(self.verdict("success-html", value({"data": page})), ("failed", {"error"}))

    def test_what_is_cut_has_complete_json(self) -> None:
        got = self.ask("length-too-long")
        self.assertIn(b"Content-Length: 1000\r\n", got.head + b"\r\n")
        self.assertLess(len(got.body), 1000)
        self.assertEqual(json.loads(got.body), THING)
        got = self.ask("chunked-cut")
        self.assertEqual(json.loads(got.body), THING)
        self.assertNotIn(b"\r\n0\r\n", got.data)
        with self.assertRaises(ValueError):
            json.loads(self.ask("success-invalid-json").body)

    def test_stray_bytes_are_no_second_answer(self) -> None:
        examination = self.examine("length-too-short")
        first, stray = answers(examination.ask(0).data)
        self.assertEqual((first.json(), stray.json()), (THING, {"stray": True}))
        self.assertEqual(json.loads(examination.ask(1).body), THING)
        self.assertEqual(examination.judge(value(THING), value(WORD))["verdict"], "passed")
        reports: list[tuple[Any, str]] = [
            ((failure(), failure()), "passed"),
            ((failure(), value(THING)), "passed"),
            ((value(THING), value({"stray": True})), "failed"),
            ((value({"stray": True}), value(THING)), "failed"),
        ]
        for report, verdict in reports:
            self.assertEqual(self.verdict("length-too-short", *report)[0], verdict)

    def test_a_client_that_hangs_or_crashes_fails(self) -> None:
        for situation in ERRORS:
            for end in ("none", "crash"):
                examination = self.examine(situation.name)
                judged = examination.judge(*[{"outcome": end}] * len(situation.calls))
                self.assertEqual(outcome(judged)[0], "failed", situation.name)

    def test_all_are_tested(self) -> None:
        tested = {*STATUSES, *SOURCES, *FINE, *BROKEN, "no-content", "charset", "length-too-short"}
        self.assertEqual({one.name for one in ERRORS}, tested)
