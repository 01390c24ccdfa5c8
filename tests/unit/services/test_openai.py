"""OpenAI, beyond what its SDKs prove in ``tests/clients``."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from oagw.config import Config
from oagw.services.openai.completion import QUOTED
from tests.support.sse import events
from tests.support.wire import Answer, Wire

CHAT = "/api/oagw/v1/proxy/openai/v1/chat/completions"
MODELS = "/api/oagw/v1/proxy/openai/v1/models"


def chat(content: Any, wire: Wire | None = None, /, **members: Any) -> Answer:
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": content}], **members}
    return (wire or Wire()).post_json(CHAT, body)


def text(answer: Answer) -> str:
    content: str = answer.json()["choices"][0]["message"]["content"]
    return content


def chunks(answer: Answer) -> list[dict[str, Any]]:
    """The chunks of a stream, which must end with [DONE]."""
    data = [event.data for event in events(answer.body)]
    assert data.pop() == "[DONE]"
    return [json.loads(chunk) for chunk in data]


class SayingTests(SynchronousTestCase):
    def test_hello_is_greeted_in_any_case(self) -> None:
        for content in ("hello", "Hello!", "oh HELLO there", "hello error"):
            self.assertIn("Hello", text(chat(content)))

    def test_error_is_a_429_with_retry_after(self) -> None:
        for stream in (False, True):
            answer = chat("trigger an Error", stream=stream)
            self.assertEqual((answer.status, answer.source), (429, ["upstream"]))
            self.assertEqual(answer.headers["retry-after"], ["1"])
            error = answer.json()["error"]
            self.assertEqual(error["message"], "Rate limit exceeded")
            self.assertEqual(error["type"], "rate_limit_error")
            self.assertEqual(error.keys(), {"message", "type", "param", "code"})

    def test_only_whole_words_are_keywords(self) -> None:
        for content, word in (
            ("Hello!", "hello"),
            ('"error"', "error"),
            ("error.", "error"),
            ("(Error):", "error"),
            ("¡Hello! 👋", "hello"),
            ("hello👋", "hello"),
            ("**HELLO**", "hello"),
            ("«error»", "error"),
            ("hello-world", None),
            ("Othello", None),
            ("a film of terror", None),
            ("error_code", None),
            ("errors", None),
            ("hello's", None),
            ("error500", None),
            ("hello,world", None),
            ("hellö", None),
            ("hello\u0308", None),
            ("éhello", None),
            ("\u4f60hello", None),
            ("\uff48\uff45\uff4c\uff4c\uff4f", None),
            ("", None),
        ):
            answer = chat(content)
            self.assertEqual(answer.status, 429 if word == "error" else 200, content)
            if word is None:
                self.assertIn(f'You said: "{content}"', text(answer))
            elif word == "hello":
                self.assertEqual(text(answer), "Hello! How can I help you today?", content)

    def test_a_message_of_more_than_eight_words_has_no_keyword(self) -> None:
        for word, status in (("hello", 200), ("error", 429)):
            eight = f"one two  three\tfour five\nsix\u00a0seven {word} "
            self.assertEqual(chat(eight).status, status)
            self.assertNotIn("You said", text(chat(eight)) if status == 200 else "")
            self.assertIn("You said", text(chat(eight + "nine")))
        repair = "Your answer was not valid: 1 validation error for Weather. Correct it, please."
        self.assertIn(repair, text(chat(repair)))
        self.assertIn("hello", text(chat("hello " * 100_000)))

    def test_anything_else_is_quoted(self) -> None:
        self.assertIn("What is 2+2?", text(chat("What is 2+2?")))

    def test_the_last_user_message_decides(self) -> None:
        messages = [
            {"role": "user", "content": "error"},
            {"role": "assistant", "content": "hello"},
            {"role": "user", "content": "ping"},
            {"role": "tool", "content": "hello"},
        ]
        answer = Wire().post_json(CHAT, {"model": "gpt-4", "messages": messages})
        self.assertIn("ping", text(answer))

    def test_without_a_user_message_there_is_an_answer_too(self) -> None:
        answer = Wire().post_json(CHAT, {"model": "x", "messages": [{"role": "system", "content": "hello"}]})
        self.assertEqual(answer.status, 200)
        self.assertNotIn("Hello", text(answer))

    def test_content_may_be_parts_or_null(self) -> None:
        parts = [
            {"type": "text", "text": "he"},
            {"type": "image_url", "image_url": {"url": "x"}},
            {"type": "text", "text": "llo"},
        ]
        self.assertIn("Hello", text(chat(parts)))
        self.assertEqual(chat(None).status, 200)

    def test_a_megabyte_is_quoted_in_part(self) -> None:
        answer = chat("x" * 1_000_000)
        self.assertIn("x" * QUOTED + "…", text(answer))
        self.assertLess(len(answer.body), 5000)


class BodyTests(SynchronousTestCase):
    def test_a_completion_has_what_the_reference_lists(self) -> None:
        wire = Wire()
        body = chat("hello", wire).json()
        self.assertEqual(body["object"], "chat.completion")
        self.assertEqual(body["created"], int(wire.clock.seconds()))
        self.assertEqual(body["model"], "gpt-4")
        (choice,) = body["choices"]
        self.assertEqual((choice["index"], choice["finish_reason"]), (0, "stop"))
        self.assertEqual(choice["message"]["role"], "assistant")

    def test_any_model_is_accepted(self) -> None:
        answer = chat("hello", model="my-model")
        self.assertEqual((answer.status, answer.json()["model"]), (200, "my-model"))

    def test_usage_adds_up_and_grows_with_the_text(self) -> None:
        usages = [chat("word " * count).json()["usage"] for count in (1, 10, 100)]
        for usage in usages:
            self.assertEqual(usage["total_tokens"], usage["prompt_tokens"] + usage["completion_tokens"])
        for member in ("prompt_tokens", "completion_tokens"):
            counts = [usage[member] for usage in usages]
            self.assertEqual(counts, sorted(set(counts)))

    def test_ids_are_unique_and_with_a_seed_repeatable(self) -> None:
        def ids(wire: Wire) -> list[str]:
            return [chat("hello", wire).json()["id"] for _ in range(20)]

        first = ids(Wire(Config(seed=7)))
        self.assertEqual(len(set(first)), 20)
        self.assertTrue(all(id.startswith("chatcmpl-") for id in first))
        self.assertEqual(ids(Wire(Config(seed=7))), first)
        self.assertNotEqual(ids(Wire(Config(seed=8))), first)
        self.assertNotEqual(ids(Wire(Config())), ids(Wire(Config())))

    def test_other_requests_do_not_change_the_ids_of_a_seed(self) -> None:
        wire, disturbed = Wire(Config(seed=7)), Wire(Config(seed=7))
        for _ in range(5):
            disturbed.ask("GET", "/health")
        self.assertEqual(chat("hello", wire).json()["id"], chat("hello", disturbed).json()["id"])


class RefusalTests(SynchronousTestCase):
    def test_what_is_wrong_is_openais_400_with_param(self) -> None:
        user = {"role": "user", "content": "x"}
        for body, param, said in (
            ({"messages": [user]}, "model", "Object missing required field model"),
            ({"model": "m"}, "messages", "Object missing required field messages"),
            ({"model": 1, "messages": [user]}, "model", "Expected str, got int - at $.model"),
            ({"model": "m", "messages": {}}, "messages", "Expected array, got object - at $.messages"),
            (
                {"model": "m", "messages": [{"content": "x"}]},
                "messages[0].role",
                "missing required field role",
            ),
            ({"model": "m", "messages": [user | {"role": 1}]}, "messages[0].role", "got int"),
            ({"model": "m", "messages": [user | {"content": [1]}]}, "messages[0].content[0]", "got int"),
            ({"model": "m", "messages": [user], "stream": "yes"}, "stream", "got str"),
            ({"model": "m", "messages": []}, "messages", "empty array"),
            (b"not json", None, "Invalid JSON"),
        ):
            answer = Wire().post_json(CHAT, body)
            self.assertEqual((answer.status, answer.source), (400, ["upstream"]), body)
            error = answer.json()["error"]
            self.assertEqual((error["type"], error["param"]), ("invalid_request_error", param))
            self.assertIn(said, error["message"])

    def test_what_is_unknown_is_refused_as_openai_does(self) -> None:
        supplied = "Unrecognized request argument supplied: top_k"
        for path, members, param, code, said in (
            ("chat/completions", {"messages": []}, None, None, supplied),
            ("completions", {"prompt": "x"}, None, None, supplied),
            ("embeddings", {"input": "x"}, None, None, supplied),
            ("responses", {"input": "x"}, "top_k", "unknown_parameter", "Unknown parameter: 'top_k'."),
        ):
            body = {"model": "m", "top_k": [{"x": 1}], **members}
            answer = Wire().post_json(CHAT.replace("chat/completions", path), body)
            self.assertEqual(answer.status, 400, path)
            error = {"message": said, "type": "invalid_request_error", "param": param, "code": code}
            self.assertEqual(answer.json()["error"], error)

    def test_what_is_unknown_within_is_refused_by_its_place(self) -> None:
        user = {"role": "user", "content": "x"}
        function = {"name": "f"}
        for members, param in (
            ({"messages": [user | {"cache_control": {}}]}, "messages[0].cache_control"),
            (
                {"messages": [user | {"content": [{"type": "text", "txt": "x"}]}]},
                "messages[0].content[0].txt",
            ),
            ({"tools": [{"type": "function", "function": function, "x": 1}]}, "tools[0].x"),
            ({"tools": [{"type": "function", "function": function | {"x": 1}}]}, "tools[0].function.x"),
            ({"functions": [function | {"x": 1}]}, "functions[0].x"),
            ({"stream": True, "stream_options": {"usage": True}}, "stream_options.usage"),
            ({"response_format": {"type": "text", "strict": True}}, "response_format.strict"),
        ):
            answer = Wire().post_json(CHAT, {"model": "m", "messages": [user], **members})
            error = answer.json()["error"]
            found = (answer.status, error["param"], error["code"])
            self.assertEqual(found, (400, param, "unknown_parameter"), members)
            self.assertEqual(error["message"], f"Unknown parameter: '{param}'.")

    def test_a_parameter_that_is_not_supported_is_refused_unless_it_is_null(self) -> None:
        answer = chat("x", audio={"voice": "ash", "format": "mp3"})
        error = answer.json()["error"]
        self.assertEqual(
            (answer.status, error["param"], error["code"]), (400, "audio", "unsupported_parameter")
        )
        self.assertEqual(chat("x", audio=None).status, 200)

    def test_what_is_not_there_is_openais_404(self) -> None:
        for path in ("/v1", "/v1/chat", "/chat/completions", "/v1/models/gpt-4/x"):
            answer = Wire().ask("GET", "/api/oagw/v1/proxy/openai" + path)
            self.assertEqual((answer.status, answer.source), (404, ["upstream"]), path)
            self.assertEqual(answer.json()["error"]["type"], "invalid_request_error")


class StreamTests(SynchronousTestCase):
    def test_a_stream_is_role_pieces_stop_done(self) -> None:
        answer = chat("hello", stream=True)
        self.assertEqual(answer.type, "text/event-stream; charset=utf-8")
        self.assertEqual(answer.source, ["upstream"])
        received = chunks(answer)
        deltas = [chunk["choices"][0]["delta"] for chunk in received]
        self.assertEqual(deltas[0], {"role": "assistant", "content": ""})
        self.assertEqual("".join(delta["content"] for delta in deltas[1:-1]), text(chat("hello")))
        self.assertEqual(deltas[-1], {})
        reasons = [chunk["choices"][0]["finish_reason"] for chunk in received]
        self.assertEqual(reasons, [None] * (len(received) - 1) + ["stop"])
        self.assertEqual({chunk["object"] for chunk in received}, {"chat.completion.chunk"})
        self.assertEqual(len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in received}), 1)
        self.assertNotIn("usage", received[0])

    def test_usage_comes_in_a_chunk_of_its_own_when_asked_for(self) -> None:
        *others, last = chunks(chat("hello", stream=True, stream_options={"include_usage": True}))
        self.assertEqual({chunk["usage"] for chunk in others}, {None})
        self.assertEqual((last["choices"], last["usage"]), ([], chat("hello").json()["usage"]))

    def test_a_piece_is_a_word_and_comes_every_50_ms(self) -> None:
        wire = Wire()
        connection = wire.connect()
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hello"}], "stream": True})
        head = (
            f"POST {CHAT} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer test-integration-token\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        counts = [connection.send((head + body).encode()).count(b"data: ")]
        while connection.transport.producer is not None and wire.gateway.streams.open:
            wire.clock.advance(0.05)
            counts.append(connection.take().count(b"data: "))
        words = len(text(chat("hello")).split())
        self.assertEqual(counts, [1] * (1 + words) + [2])
        connection.leave()


class ModelTests(SynchronousTestCase):
    def test_the_list_has_the_models_and_each_can_be_asked_for(self) -> None:
        listed = Wire().ask("GET", MODELS).json()
        self.assertEqual(listed["object"], "list")
        ids = [model["id"] for model in listed["data"]]
        self.assertTrue({"gpt-4", "gpt-3.5-turbo"} < set(ids))
        for model in listed["data"]:
            self.assertEqual(Wire().ask("GET", f"{MODELS}/{model['id']}").json(), model)
            self.assertEqual(model.keys(), {"id", "object", "created", "owned_by"})

    def test_an_unknown_model_is_404_model_not_found(self) -> None:
        answer = Wire().ask("GET", f"{MODELS}/gpt-99")
        error = answer.json()["error"]
        self.assertEqual((answer.status, error["code"], error["param"]), (404, "model_not_found", "model"))
        self.assertIn("gpt-99", error["message"])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_the_pieces_of_a_stream_are_the_text(content: str) -> None:
    buffered, streamed = chat(content), chat(content, stream=True)
    if buffered.status == 200:
        pieces = [c["choices"][0]["delta"].get("content", "") for c in chunks(streamed)]
        assert "".join(pieces) == text(buffered)
    else:
        assert "error" in content.lower()
        assert streamed.status == buffered.status == 429
