"""OpenAI: what the author of a test asks of the model, and when it comes."""

import json
import re
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from oagw.services.openai.directives import Directives
from tests.support.wire import Connection, Wire
from tests.unit.services.test_openai import CHAT, chat, chunks, text


class DirectiveTests(SynchronousTestCase):
    def test_it_is_read_from_the_message_or_from_metadata(self) -> None:
        for answer in (
            chat('x [mock reply="It \\"rains\\"."]'),
            chat("x", metadata={"mock_reply": 'It "rains".', "team": "blue"}),
            chat('[mock reply="It \\"rains\\"."]', metadata={"mock_reply": "It shines."}),
        ):
            self.assertEqual(text(answer), 'It "rains".')

    def test_it_is_not_quoted_back(self) -> None:
        self.assertEqual(text(chat("Where am I? [mock ttft=0]")), text(chat("Where am I?")))
        self.assertIn('"AB"', text(chat("A[mock ttft=0]B [mock tps=5]", stream=False)))

    def test_what_it_says_overrides_the_word_error(self) -> None:
        refused = chat('explain this error [mock refusal="No."]').json()["choices"][0]["message"]
        self.assertEqual((refused["refusal"], refused["content"]), ("No.", None))
        tool = {"type": "function", "function": {"name": "look_up"}}
        called = chat("explain this error [mock tool=look_up]", tools=[tool]).json()["choices"][0]["message"]
        self.assertEqual(called["tool_calls"][0]["function"]["name"], "look_up")
        self.assertEqual(chat("explain this error [mock tokens=3]").status, 429)

    def test_what_only_looks_like_one_is_quoted(self) -> None:
        for content in ("[mockery]", "[mock", "mock reply=x", "[ mock reply=x]"):
            self.assertIn(content, text(chat(content)))

    def test_the_last_user_message_alone_steers(self) -> None:
        messages = [
            {"role": "user", "content": "[mock reply=first]"},
            {"role": "assistant", "content": "[mock reply=second]"},
            {"role": "user", "content": "ping"},
        ]
        answer = Wire().post_json(CHAT, {"model": "m", "messages": messages})
        self.assertIn("ping", text(answer))

    def test_what_makes_no_sense_is_a_400_that_names_it(self) -> None:
        for content, named in (
            ("[mock rply=x]", "rply"),
            ("[mock tokens=many]", "tokens"),
            ("[mock tokens=-1]", "tokens"),
            ("[mock ttft=nan]", "ttft"),
            ("[mock error=200]", "error"),
            ("[mock ends=badly]", "ends"),
            ("[mock finish=stop]", "finish"),
            ("[mock tps=1 tps=2]", "tps is given twice, as '1' and '2'"),
            ("[mock reply=a refusal=b]", "reply and refusal cannot be combined"),
            ("[mock tool=a tokens=5]", "tokens"),
            ("[mock tool=" + "a," * 8 + "a]", "at most 8"),
            ("[mock tool=a,b arguments=x]", "arguments must follow one tool"),
            ("[mock arguments=x tool=a tool=b]", "arguments must follow the tool"),
            ("[mock tool=a arguments=x arguments=y]", "given twice"),
            ("[mock arguments=x arguments=y]", "given twice"),
            ("[mock arguments=x]", "no tools"),
            ('[mock reply="open]', "near"),
            ('[mock reply="\\x"]', "reply"),
            ("[mock reply=x", "near"),
            ("[mock reply]", "near"),
            ("[mock tool=unknown]", "unknown"),
        ):
            answer = chat(content)
            error = answer.json()["error"]
            self.assertEqual((answer.status, error["code"]), (400, "invalid_directive"), content)
            self.assertIn(named, error["message"])
        error = chat("x", metadata={"mock_tokens": "many"}).json()["error"]
        self.assertEqual((error["param"], error["code"]), ("metadata.mock_tokens", "invalid_directive"))

    def test_the_error_says_what_would_be_right(self) -> None:
        for content, says in (
            ("[mock ends=badly]", "ends must be one of cut, error, hang, reset, got 'badly'"),
            ("[mock finish=tool_calls]", "finish must be one of content_filter, length, got 'tool_calls'"),
            ("[mock tokens=many]", "tokens must be a whole number from 0 to 16384, got 'many'"),
            ("[mock error=200]", "error must be a whole number from 400 to 599, got '200'"),
            ("[mock ttft=1s]", "ttft must be a number from 0 to 3600, got '1s'"),
            ("[mock tps=0]", "tps must be a number from 0.001 to 1000000, got '0'"),
            (
                "[mock reply=" + "x" * 100_001 + "]",
                "reply must be a string of at most 100000 characters, got 'xxx",
            ),
            ("[mock tool=a arguments=" + "x" * 100_001 + "]", "arguments must be a string of at most 100000"),
            ("[mock rply=x]", 'there is no "rply", did you mean "reply"?'),
            ("[mock Reply=x]", 'there is no "Reply", did you mean "reply"?'),
            ("[mock stall-after=1]", 'there is no "stall-after", did you mean "stall_after"?'),
            ("[mock zzz=1]", 'there is no "zzz"; there are reply, refusal, tool, arguments, tokens, finish'),
            ("[mock reply=x", 'the bracket of "[mock" is not closed: expected "]" near \'reply=x\''),
            (
                "[mock tps=5 What is it?",
                'the bracket of "[mock" is not closed: expected "]" near \'What is it?\'',
            ),
            ("[mock tps=5 [mock reply=x]", 'the bracket of "[mock" is not closed'),
            ("[mock ", 'the bracket of "[mock" is not closed'),
            ('[mock reply="open]', "the quote of reply is not closed, near 'reply=\"open]'"),
            ("[mock reply]", "reply has no value"),
            ("[mock reply=]", "reply has no value"),
            ("[mock reply=It rains.]", 'name="a value with spaces" or "]" near \'rains.]\''),
            ('[mock reply="\\x"]', "the value of reply is not a JSON string"),
        ):
            error = chat(content).json()["error"]
            self.assertEqual((error["param"], error["code"]), ("messages", "invalid_directive"), content)
            self.assertIn(says, error["message"])

    def test_metadata_says_it_as_well(self) -> None:
        for metadata, param, says in (
            (
                {"mock_ends": "x"},
                "metadata.mock_ends",
                "ends must be one of cut, error, hang, reset, got 'x'",
            ),
            ({"mock_rply": "x"}, "metadata.mock_rply", 'there is no "rply", did you mean "reply"?'),
            ({"mock_tokens": "many"}, "metadata.mock_tokens", "a whole number from 0 to 16384"),
            ({"mock_tool": "a,b", "mock_arguments": "x"}, "metadata.mock_arguments", "arguments must follow"),
            ({"mock_reply": "x", "mock_tool": "y"}, "metadata", "cannot be combined"),
        ):
            error = chat("x", metadata=metadata).json()["error"]
            self.assertEqual((error["param"], error["code"]), (param, "invalid_directive"))
            self.assertIn(says, error["message"])

    def test_an_unknown_tool_suggests_the_nearest(self) -> None:
        tools = [{"type": "function", "function": {"name": name}} for name in ("weather", "forecast")]
        for name, says in (("wether", 'did you mean "weather"?'), ("zzz", "there are weather, forecast")):
            self.assertIn(says, chat(f"[mock tool={name}]", tools=tools).json()["error"]["message"])

    def test_what_has_no_meaning_at_an_endpoint_is_refused(self) -> None:
        for path, member, words in (
            (
                "embeddings",
                "input",
                ("reply=x", "refusal=x", "tool=x", "arguments=x", "tokens=1", "finish=length"),
            ),
            ("completions", "prompt", ("refusal=x", "tool=x", "arguments=x")),
        ):
            for word in words:
                target = CHAT.replace("chat/completions", path)
                answer = Wire().post_json(target, {"model": "m", member: f"x [mock {word}]"})
                error = answer.json()["error"]
                self.assertEqual((answer.status, error["code"]), (400, "invalid_directive"), word)
                self.assertIn(f"{word.partition('=')[0]} is not supported here", error["message"])

    def test_what_the_message_says_wins_over_metadata(self) -> None:
        answer = chat("[mock refusal=no]", metadata={"mock_reply": "yes", "mock_tokens": "3"})
        self.assertEqual(answer.json()["choices"][0]["message"]["refusal"], "no no no")

    def test_a_megabyte_of_them_is_answered(self) -> None:
        for content in ("[mock " * 150_000, "[mock a=" + '"' * 900_000, '[mock reply="' + "\\" * 900_001):
            self.assertEqual(chat(content).status, 400)
        self.assertEqual(chat("[mock ttft=0]" * 70_000).status, 200)

    def test_tokens_are_exactly_so_many(self) -> None:
        for tokens in (0, 1, 7, 500):
            answer = chat(f"hello [mock tokens={tokens}]")
            self.assertEqual(answer.json()["usage"]["completion_tokens"], tokens)
            self.assertEqual(len(text(answer).split()), tokens)
            streamed = chunks(chat(f"hello [mock tokens={tokens} tps=1000]", stream=True))
            self.assertEqual(len(streamed), tokens + 2)

    def test_an_error_has_the_status_and_its_type(self) -> None:
        for status, type, code in (
            (400, "invalid_request_error", None),
            (401, "invalid_request_error", "invalid_api_key"),
            (404, "invalid_request_error", "model_not_found"),
            (429, "rate_limit_error", "rate_limit_exceeded"),
            (500, "server_error", None),
            (503, "server_error", "service_unavailable"),
            (599, "server_error", None),
        ):
            for stream in (False, True):
                answer = chat(f"[mock error={status}]", stream=stream)
                self.assertEqual((answer.status, answer.source), (status, ["upstream"]))
                error = answer.json()["error"]
                self.assertEqual((error["type"], error["code"]), (type, code))
            self.assertEqual("retry-after" in answer.headers, status in (429, 503))

    def test_a_refusal_is_not_content(self) -> None:
        message = chat('x [mock refusal="I will not."]').json()["choices"][0]["message"]
        self.assertEqual((message["content"], message["refusal"]), (None, "I will not."))
        deltas = [
            c["choices"][0]["delta"] for c in chunks(chat('x [mock refusal="I will not."]', stream=True))
        ]
        self.assertEqual("".join(delta.get("refusal", "") for delta in deltas), "I will not.")
        self.assertFalse(any(delta.get("content") for delta in deltas))

    def test_every_name_is_described(self) -> None:
        for name in Directives.__struct_fields__:
            self.assertIn(f"``{name}``", Directives.__doc__ or "")


class PaceTests(SynchronousTestCase):
    def open(self, content: str, **members: Any) -> tuple[Wire, Connection, bytes]:
        """A request that is not waited for, and what came at once."""
        wire = Wire()
        connection = wire.connect()
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": content}], **members})
        head = (
            f"POST {CHAT} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer test-integration-token\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self.addCleanup(connection.leave)
        return wire, connection, connection.send((head + body).encode())

    def arrivals(self, content: str) -> list[float]:
        """When each event of the stream of five tokens (and role, stop and [DONE]) came, in seconds."""
        wire, connection, first = self.open(f"x [mock tokens=5 {content}]", stream=True)
        begun, times = wire.clock.seconds(), [0.0] * first.count(b"data: ")
        for _ in range(2000):
            if len(times) == 8:
                break
            wire.clock.advance(0.005)
            times += [round(wire.clock.seconds() - begun, 2)] * connection.take().count(b"data: ")
        return times

    def test_the_first_token_and_the_others_have_their_times(self) -> None:
        self.assertEqual(self.arrivals("ttft=0.5"), [0, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.75])
        self.assertEqual(self.arrivals("tps=10"), [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.6])
        self.assertEqual(self.arrivals("ttft=2 tps=5"), [0, 2, 2.2, 2.4, 2.6, 2.8, 3, 3])

    def test_a_stall_is_a_pause_in_the_middle(self) -> None:
        self.assertEqual(self.arrivals("stall=3"), [0, 0.05, 3.1, 3.15, 3.2, 3.25, 3.3, 3.3])
        self.assertEqual(self.arrivals("stall=3 stall_after=4"), [0, 0.05, 0.1, 0.15, 0.2, 3.25, 3.3, 3.3])

    def test_a_stream_breaks_off_with_an_error_event(self) -> None:
        wire, connection, written = self.open("x [mock error_after=2]", stream=True)
        wire.clock.pump([0.05] * 10)
        written += connection.take()
        self.assertEqual(written.count(b"data: "), 4)
        self.assertIn(b'"type":"server_error"', written)
        self.assertNotIn(b"[DONE]", written)
        self.assertTrue(written.endswith(b"0\r\n\r\n"))

    def test_a_stream_is_cut_reset_or_left_hanging(self) -> None:
        for ends, aborted, closed in (("reset", True, False), ("cut", False, True), ("hang", False, False)):
            wire, connection, written = self.open(f"x [mock error_after=1 ends={ends}]", stream=True)
            wire.clock.pump([0.05] * 40)
            written += connection.take()
            self.assertEqual(written.count(b"data: "), 2, ends)
            self.assertFalse(written.endswith(b"0\r\n\r\n"))
            transport = connection.transport
            self.assertEqual((transport.disconnected, transport.disconnecting), (aborted, closed or aborted))

    def test_a_buffered_answer_comes_with_its_last_token(self) -> None:
        wire, connection, written = self.open("x [mock tokens=11 ttft=1 tps=10 stall=3]")
        self.assertTrue(written.endswith(b"\r\n\r\n"), "the head alone")
        wire.clock.pump([0.05] * 99)
        self.assertEqual(connection.take(), b"")
        wire.clock.pump([0.05] * 2)
        body = json.loads(connection.take())
        self.assertEqual(body["usage"]["completion_tokens"], 11)
        self.assertIn(b"openai-processing-ms: 5000", written.lower())

    def test_half_of_a_buffered_answer_comes_where_it_ends_badly(self) -> None:
        for ends in ("reset", "cut", "hang"):
            wire, connection, written = self.open(f"x [mock ends={ends}]")
            wire.clock.advance(0.05)
            written += connection.take()
            head, _, half = written.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head.lower())
            assert length is not None
            self.assertEqual(len(half), int(length[1]) // 2, ends)
