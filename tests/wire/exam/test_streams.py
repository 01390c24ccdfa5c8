"""The situations of streams: what they send, byte by byte, and the verdicts on right and wrong reactions."""

import json
from itertools import pairwise
from typing import Any

from oagw.exam.situation import PIECES, TEXT
from oagw.exam.stream_ends import ENDS
from oagw.exam.stream_syntax import SYNTAX
from tests.support.event_stream import EventStreamParser
from tests.support.examination import ExamTestCase, Got, failure, text

TWO = "".join(PIECES[:2])
BROKEN = [one.name for one in ENDS if one.rules[0].name == "incomplete stream"]


def delivered(got: Got) -> tuple[str, bool]:
    """The text that the events of ``got`` have until [DONE], and whether that came."""
    pieces: list[str] = []
    for event in EventStreamParser().feed(got.body):
        if event.data == "[DONE]":
            return "".join(pieces), True
        delta = json.loads(event.data).get("choices", [{}])[0].get("delta", {})
        pieces.append(delta.get("content", ""))
    return "".join(pieces), False


class StreamTests(ExamTestCase):
    def test_a_complete_stream_is_complete_however_it_is_spelled(self) -> None:
        for situation in SYNTAX:
            for method in ("POST", "GET"):
                got = self.examine(situation.name).ask(method=method)
                self.assertEqual((got.status, got.end, delivered(got)), (200, "complete", (TEXT, True)))

    def test_the_complete_text_passes_and_nothing_else(self) -> None:
        for situation in SYNTAX:
            name = situation.name
            self.assertEqual(self.verdict(name, text(TEXT)), ("passed", set()))
            self.assertEqual(self.verdict(name, text(TEXT[:-1])), ("failed", {"text"}))
            self.assertEqual(self.verdict(name, text(TEXT + TEXT)), ("failed", {"text"}))
            self.assertEqual(self.verdict(name, failure(text=TEXT)), ("failed", {"text"}))

    def test_an_incomplete_stream_is_an_error_with_or_without_its_text(self) -> None:
        self.assertEqual(len(BROKEN), 13)
        for name in BROKEN:
            sent = delivered_by(self.examine(name).ask(seconds=1.0), name)
            self.assertEqual(sent, "" if name in EMPTY else TWO, name)
            for report in (failure(), failure(text=sent), failure(text=sent[:4], status=200)):
                self.assertEqual(self.verdict(name, report), ("passed", set()), name)
            rules = {"incomplete stream"}
            for wrong in (text(sent), text(TEXT), failure(text=TWO + TWO), failure(text=sent + PIECES[2])):
                self.assertEqual(self.verdict(name, wrong), ("failed", rules), (name, wrong))

    def test_a_client_that_hangs_or_crashes_fails(self) -> None:
        for name in (one.name for one in (*SYNTAX, *ENDS)):
            for outcome in ("none", "crash"):
                self.assertEqual(self.verdict(name, {"outcome": outcome})[0], "failed", name)
            self.assertEqual(self.verdict(name, {"outcome": "unsupported"})[0], "not judged", name)


# Situations that never deliver text.
EMPTY = ("no-events", "comments-only", "silence-before-first")


def delivered_by(got: Got, name: str) -> str:
    """The text before the end of an incomplete stream."""
    body = got.body
    if name == "error-event":
        body = body[: body.index(b'data: {"error"')]
    if name == "invalid-json-in-event":
        body = body[: body.index(b'{"content": "\n\n')]
    return delivered(got._replace(writes=[(0.0, b"HTTP/1.1 200 OK\r\n\r\n" + body)]))[0]


class BytesTests(ExamTestCase):
    """What the situations send is what they say."""

    def ask(self, name: str, **more: Any) -> Got:
        return self.examine(name).ask(**more)

    def test_a_character_is_split(self) -> None:
        (first, one), (second, two), *_ = self.ask("split-utf-8").writes
        self.assertTrue(one.endswith(b"\xe2\r\n"), one[-20:])  # and the end of the chunk
        self.assertEqual(two.partition(b"\r\n")[2][:2], b"\x80\x94")
        self.assertAlmostEqual(second - first, 0.1, delta=0.011)

    def test_a_line_end_is_split(self) -> None:
        (_, one), (_, two), *_ = self.ask("crlf-split").writes
        self.assertTrue(one.endswith(b'chunk",\r\r\n'), one[-20:])
        self.assertTrue(two.partition(b"\r\n")[2].startswith(b"\ndata: "), two[:20])

    def test_bytes_arrive_one_by_one(self) -> None:
        examination = self.examine("byte-by-byte")
        connection, sizes = self.wire.connect(), set()
        write = connection.transport.write

        def noted(data: bytes) -> None:
            sizes.add(len(data))
            write(data)

        self.patch(connection.transport, "write", noted)
        self.assertEqual(examination.ask(connection=connection).end, "complete")
        connection.leave()
        self.assertEqual(sizes, {1})

    def test_line_ends_and_marks_are_those_of_the_situation(self) -> None:
        bodies = {one.name: self.ask(one.name).body for one in SYNTAX}
        self.assertNotIn(b"\n", bodies["crlf"].replace(b"\r\n", b""))
        self.assertNotIn(b"\n", bodies["cr"])
        for end in (b"}\n\n", b"}\r\n\r\n", b"}\r\r", b"}\r\n\n", b"}\n\r\n", b"}\r\r\n"):
            self.assertIn(end, bodies["mixed-line-ends"])
        self.assertTrue(bodies["bom"].startswith(b"\xef\xbb\xbfdata: "))
        self.assertNotIn(b"data: ", bodies["no-space-after-colon"])
        self.assertIn(b'chunk",\ndata: "created"', bodies["multi-line-data"])
        self.assertIn(b": keep-alive\ndata: ", bodies["comments-between"])
        self.assertIn(b"\nData: x\n", bodies["unknown-fields"])
        self.assertTrue(bodies["events-after-done"].endswith(b'"finish_reason": null}]}\n\n'))
        head = self.ask("charset-parameter").head
        self.assertIn(b"Content-Type: text/event-stream; charset=utf-8\r\n", head)
        self.assertEqual(len(self.ask("one-write").writes), 1)
        self.assertGreater(len(self.ask("complete").writes), 6)

    def test_streams_end_as_they_say(self) -> None:
        ends = {
            "cut-between-events": "closed",
            "cut-inside-event": "closed",
            "reset-between-events": "reset",
            "reset-inside-event": "reset",
            "ends-without-done": "complete",
            "done-then-cut": "closed",
            "done-then-silence": "open",
            "silence-before-first": "open",
            "silence-in-mid-stream": "open",
        }
        for name, end in ends.items():
            got = self.ask(name, seconds=3.0)
            self.assertEqual((name, got.end), (name, end))
            self.assertEqual(got.data.endswith(b"\r\n0\r\n\r\n"), end == "complete", name)
            if "between" in name:
                self.assertTrue(got.body.endswith(b"}\n\n"), name)
            if "inside" in name:
                self.assertTrue(got.body.endswith(b'"delta": {"content": "'), name)
            if "done-then" in name:
                self.assertTrue(got.body.endswith(b"data: [DONE]\n\n"), name)
        self.assertTrue(self.ask("ends-without-blank-line").body.endswith(b"null}]}\n"))

    def test_the_end_of_a_stream_without_events_has_none(self) -> None:
        self.assertEqual(self.ask("no-events").body, b"")
        self.assertEqual(self.ask("comments-only").body, b": keep-alive\n\n" * 3)
        self.assertEqual(self.ask("silence-before-first", seconds=3.0).body, b"")

    def test_the_gateway_appends_its_problem(self) -> None:
        got = self.ask("gateway-error-in-stream")
        self.assertEqual(json.loads(got.body.rpartition(b"\n\n")[2])["status"], 503)
        self.assertEqual(got.end, "complete")

    def test_comments_come_more_often_than_the_time_out(self) -> None:
        examination = self.examine("keepalive-comments")
        times = [time for time, _ in examination.ask().writes]
        self.assertGreater(times[-1], examination.calls[0]["timeout"] * 1.4)
        gaps = [after - before for before, after in pairwise(times)]
        self.assertLess(max(gaps), examination.calls[0]["timeout"] / 3)


class VerdictTests(ExamTestCase):
    """Right and wrong reactions where they are not those of all situations."""

    def test_after_done_the_text_is_complete(self) -> None:
        for name in ("done-then-silence", "keepalive-comments"):
            self.assertEqual(self.verdict(name, text(TEXT)), ("passed", set()))
            self.assertEqual(self.verdict(name, failure(text=TEXT)), ("failed", {"text"}))
        name = "done-then-cut"
        for report in (text(TEXT), failure(), failure(text=TEXT)):
            self.assertEqual(self.verdict(name, report), ("passed", set()))
        for report in (text(TEXT + TEXT), text(""), failure(text=TEXT + TEXT)):
            self.assertEqual(self.verdict(name, report), ("failed", {"text"}))

    def test_a_silent_stream_is_given_up(self) -> None:
        for name in ("silence-before-first", "silence-in-mid-stream"):
            examination = self.examine(name)
            connection = self.wire.connect()
            self.assertEqual(examination.ask(connection=connection, seconds=1.0).end, "open")
            judged = examination.judge(failure())
            connection.leave()
            self.assertEqual(judged["text"], "The client left the connection open after its time-out.")

    def test_html_is_no_stream(self) -> None:
        for report in (failure(), failure(status=200)):
            self.assertEqual(self.verdict("html-instead", report), ("passed", set()))
        for report in (text(""), failure(status=502)):
            self.assertEqual(self.verdict("html-instead", report), ("failed", {"error"}))

    def test_a_problem_before_the_stream_may_be_retried_in_time(self) -> None:
        name = "problem-instead"
        self.assertEqual(self.verdict(name, failure(status=429)), ("passed", set()))
        self.assertEqual(self.verdict(name, failure(status=503)), ("failed", {"outcome"}))
        self.assertEqual(self.verdict(name, text("")), ("failed", {"outcome"}))
        self.assertEqual(self.verdict(name, text(TEXT), asks=2), ("failed", {"delay"}))
        examination = self.examine(name)
        self.assertEqual(examination.ask().status, 429)
        self.wire.clock.advance(1.0)
        self.assertEqual(delivered(examination.ask()), (TEXT, True))
        self.assertEqual(examination.judge(text(TEXT))["verdict"], "passed")

    def test_a_retry_delivers_no_text_twice(self) -> None:
        name = "retry-does-not-repeat"
        for report in (failure(text=TWO), failure(), text(TEXT)):
            self.assertEqual(self.verdict(name, report, asks=2), ("passed", set()))
        for report in (text(TWO + TEXT), text(TWO), failure(text=TWO + TWO)):
            self.assertEqual(self.verdict(name, report, asks=2), ("failed", {"text"}))
        self.assertEqual(self.verdict(name, text(TEXT), asks=13), ("failed", {"number of requests"}))

    def test_a_cancelled_stream_ends_at_once(self) -> None:
        cancelled = text(TWO, cancelled=True)
        self.assertEqual(self.verdict("cancel", cancelled), ("passed", set()))
        self.assertEqual(self.verdict("cancel", failure(cancelled=True)), ("passed", set()))
        self.assertEqual(self.verdict("cancel", text(TEXT))[0], "not judged")
        twice = text(TWO + TWO, cancelled=True)
        self.assertEqual(self.verdict("cancel", twice), ("failed", {"text until the end"}))
        examination = self.examine("cancel")
        self.assertEqual(examination.ask(seconds=12.0).end, "complete")
        judged = examination.judge(cancelled)
        self.assertEqual(judged["text"], "The client read the response to its end.")
        examination = self.examine("cancel")
        connection = self.wire.connect()
        examination.ask(seconds=0.2, connection=connection)
        judged = examination.judge(cancelled)
        connection.leave()
        self.assertEqual(judged["text"], "The client left the connection open after it cancelled the stream.")
