"""The control plane of the exam: which situations it lists, how it explains a failure, what it refuses."""

from urllib.parse import quote

from oagw.config import Config
from oagw.exam.catalogue import GROUPS
from tests.support.examination import ExamTestCase, failure, value
from tests.support.examinee import Client, Sent, take
from tests.support.wire import Answer, Wire, parse, request


class KeepsToken(Client):
    """Sends Authorization to any host that a redirect leads to."""

    def redirected(self, sent: Sent, answer: Answer) -> Sent:
        there = super().redirected(sent, answer)
        return there._replace(fields={**there.fields, "Authorization": sent.fields["Authorization"]})


class AnswersOfTheExamTests(ExamTestCase):
    def listed(self, only: str) -> list[str]:
        answer = self.wire.admin("GET", f"/exam?only={quote(only)}")
        self.assertEqual(answer.status, 200, answer.body)
        return [one["name"] for one in answer.json()["situations"]]

    def test_names_groups_and_patterns_select(self) -> None:
        self.assertEqual(self.listed("not-retried-400"), ["not-retried-400"])
        self.assertEqual(self.listed("pages"), [one.name for one in GROUPS["pages"]])
        self.assertEqual(self.listed("not-retried-404, server-*"), ["not-retried-404", "server-error-once"])
        self.assertEqual(len(self.listed("")), len(self.listed("*")))

    def test_what_selects_nothing_is_refused_with_the_nearest(self) -> None:
        answer = self.wire.admin("GET", "/exam?only=retry,not-retried-4000")
        self.assertEqual(answer.status, 404)
        detail = answer.json()["errors"][0]["detail"]
        start = (
            'there is no situation or group "not-retried-4000", did you mean "not-retried-400"? There are '
        )
        self.assertEqual(detail.removeprefix("only: ").partition(start)[:2], ("", start))

    def test_the_number_of_names_is_limited(self) -> None:
        for only in ("*," * 200, "x" * 4001):
            answer = self.wire.admin("GET", f"/exam?only={only}")
            self.assertEqual(answer.status, 400, answer.body)
            self.assertIn("Expected", answer.json()["errors"][0]["detail"])

    def test_a_failure_is_explained_without_the_token(self) -> None:
        examination = self.examine("token-sent")
        token = examination.calls[0]["token"]
        judged = examination.judge(failure(message=f"I sent {token}"), value({}))
        self.assertEqual(judged["verdict"], "failed")
        lines = judged["explanation"].split("\n")
        self.assertEqual(lines[0], judged["text"])
        self.assertIn("What happens: A GET and a POST are answered 200.", lines)
        self.assertIn("No requests were received.", lines)
        report = '{"outcome": "error", "error": "Error", "message": "I sent ****"}'
        self.assertIn(f"The client reported: {report}", lines)
        self.assertNotIn(token, judged["explanation"])

    def test_what_was_sent_to_another_host_is_shown(self) -> None:
        judged = take(self.wire, "redirect-other-host", KeepsToken(self.wire))
        self.assertEqual(judged["verdict"], "failed")
        first, second = [line for line in judged["explanation"].split("\n") if " -> " in line]
        self.assertRegex(first, r" GET /v1/things -> 302 \(Location: http://[^/]+/v1/moved, connection \d+, ")
        self.assertRegex(second, r" GET http://[^/]+/v1/moved -> 200 \(Authorization sent, connection \d+, ")
        self.assertNotIn("__sandbox", judged["explanation"])

    def test_what_a_process_that_hangs_wrote_is_taken(self) -> None:
        for outcome in ("none", "crash"):
            judged = self.examine("no-content").judge(
                {"outcome": outcome, "message": "Traceback\n  KeyError"}
            )
            self.assertEqual(judged["verdict"], "failed")
            self.assertEqual(judged["explanation"].split("\n")[-2:], ["  Traceback", "    KeyError"])

    def test_a_long_report_is_cut(self) -> None:
        judged = self.examine("no-content").judge(value(["é"] * 50_000))
        last = judged["explanation"].split("\n")[-1]
        self.assertTrue(last.startswith('The client reported: {"outcome":"value","value":["é","é",'), last)
        self.assertTrue(last.endswith("..."), last)
        self.assertLess(len(last), 600)

    def test_only_a_failure_is_explained(self) -> None:
        judged = self.examine("not-retried-400").judge({"outcome": "unsupported"})
        self.assertEqual(judged["verdict"], "not judged")
        self.assertNotIn("explanation", judged)

    def test_a_report_that_lacks_its_member_is_refused_and_can_be_corrected(self) -> None:
        examination = self.examine("not-retried-400")
        path = f"/exam/not-retried-400/{examination.document['id']}"
        for outcome in ("value", "text", "error"):
            answer = self.wire.admin("POST", path, {"reports": [{"outcome": outcome}]})
            self.assertEqual(answer.status, 422)
            (refused,) = answer.json()["errors"]
            self.assertEqual(refused["source"], {"pointer": "/reports/0"})
            self.assertEqual(refused["detail"], f'The outcome "{outcome}" needs the member "{outcome}"')
        self.assertEqual(examination.judge({"outcome": "unsupported"})["verdict"], "not judged")

    def test_its_sandbox_may_be_deleted_while_the_verdict_waits(self) -> None:
        examination = self.examine("silent-server")
        client = self.wire.connect()
        self.assertEqual(examination.ask(connection=client, seconds=0.1).end, "open")
        id = examination.document["id"]
        body = b'{"reports": [{"outcome": "error", "error": "TimeOut"}]}'
        judging = self.wire.connect()
        head = request(
            f"POST /__admin/exam/silent-server/{id} HTTP/1.1",
            "Host: localhost",
            f"Content-Length: {len(body)}",
        )
        self.assertEqual(judging.send(head + body), b"")
        self.assertEqual(self.wire.admin("DELETE", f"/sandboxes/{id}").status, 204)
        self.wire.clock.advance(1.0)
        self.wire.clock.turns()
        answer, _ = parse(judging.take())
        detail = "No such examination: it has ended, or has expired"
        self.assertEqual((answer.status, answer.json()["errors"][0]["detail"]), (404, detail))
        judging.leave()
        client.leave()

    def test_a_manual_clock_is_refused(self) -> None:
        wire = Wire(Config(seed=1, clock="manual"))
        answer = wire.admin("POST", "/exam/token-sent")
        self.assertEqual(answer.status, 409)
        detail = "The exam measures time; start the server without --clock manual"
        self.assertEqual(answer.json()["errors"][0]["detail"], detail)
