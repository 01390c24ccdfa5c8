"""The situations of connections: what the server does, and the verdicts on reactions."""

import json

from oagw.exam.connections import CONNECTIONS
from oagw.exam.situation import THING, WORD
from tests.support.examination import ExamTestCase, failure, outcome, value

# How the connection ends, and what is sent before: nothing, a part of the head, the head, or more.
BROKEN = {
    "closed-without-response": ("closed", "nothing"),
    "reset-before-head": ("reset", "nothing"),
    "reset-in-head": ("reset", "part of the head"),
    "reset-after-head": ("reset", "head"),
    "reset-in-body": ("reset", "part of the body"),
    "garbage": ("closed", "garbage"),
}
SILENT = {"silent-server": "nothing", "head-stalls": "part of the head", "body-stalls": "part of the body"}
SLOW = ("slow-head", "slow-body", "head-in-pieces")


def sent(data: bytes) -> str:
    """What ``data`` is."""
    if not data.startswith(b"HTTP/1.1 200 OK\r\n"):
        return "garbage" if data else "nothing"
    _, blank, body = data.partition(b"\r\n\r\n")
    return "part of the body" if body else "head" if blank else "part of the head"


class ConnectionTests(ExamTestCase):
    def test_a_broken_answer_is_an_error(self) -> None:
        for name, (end, part) in BROKEN.items():
            got = self.examine(name).ask()
            self.assertEqual((got.end, sent(got.data)), (end, part), name)
            self.assertEqual(self.verdict(name, failure()), ("passed", set()))
            self.assertEqual(self.verdict(name, failure(status=None), asks=3), ("passed", set()))
            for wrong in (value(), value(""), value(THING), value({})):
                self.assertEqual(self.verdict(name, wrong), ("failed", {"error"}), name)
            self.assertEqual(self.verdict(name, failure(), asks=13), ("failed", {"number of requests"}))

    def test_a_silent_server_is_given_up(self) -> None:
        for name, part in SILENT.items():
            examination = self.examine(name)
            got = examination.ask(seconds=examination.calls[0]["timeout"])
            self.assertEqual((got.end, sent(got.data)), ("open", part), name)
            self.assertEqual(examination.judge(failure())["verdict"], "passed", name)
            self.assertEqual(self.verdict(name, failure(), asks=2), ("passed", set()))
            self.assertEqual(self.verdict(name, value(THING)), ("failed", {"error"}))
            self.assertEqual(self.verdict(name, {"outcome": "none"})[0], "failed")

    def test_a_connection_may_close_while_the_judgement_waits(self) -> None:
        for closes in (True, False):
            examination, connection = self.examine("silent-server"), self.wire.connect()
            examination.ask(connection=connection, seconds=0.5)
            if closes:
                self.wire.clock.callLater(0.5, connection.leave)
            judged = examination.judge(failure())
            rules = set() if closes else {"end of a silent connection"}
            self.assertEqual(outcome(judged), ("failed" if rules else "passed", rules))
            if not closes:
                connection.leave()

    def test_a_connection_is_used_again(self) -> None:
        reports = [value(WORD)] * 3
        for shares, fields, verdict in (
            (True, (), "passed"),
            (False, (), "failed"),
            (False, ("Connection: close",), "not judged"),
        ):
            examination, connection = self.examine("reuse"), self.wire.connect()
            for number in range(3):
                got = examination.ask(number, *fields, connection=connection if shares else None)
                self.assertEqual(json.loads(got.body), THING)
            self.assertEqual(examination.judge(*reports)["verdict"], verdict)
            connection.leave()

    def test_an_error_is_read_before_the_connection_is_used_again(self) -> None:
        right = failure(status=400), value(THING)
        for shares, reports, verdict in (
            (True, right, "passed"),
            (True, (failure(status=400), failure(message="a part of the error")), "failed"),
            (True, (failure(status=400), value("xxxxx")), "failed"),
            (True, (value({}), value(THING)), "failed"),
            (False, right, "passed"),
        ):
            examination, connection = self.examine("reuse-after-error"), self.wire.connect()
            first = examination.ask(0, connection=connection)
            self.assertEqual((first.status, len(first.body) > 100_000), (400, True))
            self.assertEqual(examination.ask(1, connection=connection if shares else None).status, 200)
            self.assertEqual(examination.judge(*reports)["verdict"], verdict)
            connection.leave()

    def test_a_closed_connection_is_left(self) -> None:
        examination = self.examine("connection-close")
        for number in range(2):
            got = examination.ask(number)
            self.assertIn(b"Connection: close\r\n", got.head)
            self.assertEqual(got.end, "closed")
        self.assertEqual(examination.judge(value(THING), value(THING))["verdict"], "passed")
        self.assertEqual(self.verdict("connection-close", value(THING), failure()), ("failed", {"answer"}))
        self.assertEqual(self.verdict("connection-close", value(THING), value(THING))[0], "not judged")

    def test_a_slow_answer_is_waited_for(self) -> None:
        for name in SLOW:
            examination = self.examine(name)
            got = examination.ask()
            self.assertEqual(json.loads(got.body), THING)
            self.assertLess(got.writes[-1][0], examination.calls[0]["timeout"] / 2)
            self.assertEqual(examination.judge(value(THING))["verdict"], "passed")
            self.assertEqual(self.verdict(name, failure()), ("failed", {"answer"}))
            self.assertEqual(self.verdict(name, value(THING), asks=2), ("failed", {"number of requests"}))
        times = [time for time, _ in self.examine("slow-body").ask().writes]
        self.assertEqual([round(time, 1) for time in times], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
        times = [time for time, _ in self.examine("slow-head").ask().writes]
        self.assertEqual([round(time, 1) for time in times], [0.5])

    def test_a_head_arrives_in_pieces(self) -> None:
        got = self.examine("head-in-pieces").ask()
        self.assertGreater(len(got.writes), 5)
        self.assertNotIn(b"\r\n\r\n", got.writes[0][1])

    def test_all_are_tested(self) -> None:
        tested = {*BROKEN, *SILENT, *SLOW, "reuse", "reuse-after-error", "connection-close"}
        self.assertEqual({one.name for one in CONNECTIONS}, tested)
