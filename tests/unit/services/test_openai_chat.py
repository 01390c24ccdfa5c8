"""OpenAI chat: the limits, tools and forms of an answer, and what is refused."""

import json
from typing import Any

from jsonschema import Draft202012Validator
from twisted.trial.unittest import SynchronousTestCase

from oagw.config import Config
from tests.support.wire import Wire
from tests.unit.services.test_openai import CHAT, chat, chunks, text

PARAMETERS = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 3},
        "unit": {"enum": ["celsius", "kelvin"]},
        "days": {"type": "array", "items": {"type": "integer", "minimum": 5}, "minItems": 2},
    },
    "required": ["city", "unit", "days"],
    "additionalProperties": False,
}


def tool(name: str, **members: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": PARAMETERS, **members}}


TOOLS = [tool("weather"), tool("forecast")]


def called(answer: Any) -> tuple[str, Any]:
    """The one call of an answer, its arguments parsed."""
    (choice,) = answer.json()["choices"]
    assert choice["finish_reason"] == "tool_calls"
    (call,) = choice["message"]["tool_calls"]
    return call["function"]["name"], json.loads(call["function"]["arguments"])


class LimitTests(SynchronousTestCase):
    def test_a_limit_of_tokens_cuts_with_length(self) -> None:
        whole = text(chat("hello"))
        for member in ("max_tokens", "max_completion_tokens"):
            body = chat("hello", **{member: 3}).json()
            (choice,) = body["choices"]
            self.assertEqual(
                (choice["message"]["content"], choice["finish_reason"]), ("Hello! How can", "length")
            )
            self.assertEqual(body["usage"]["completion_tokens"], 3)
            last = chunks(chat("hello", stream=True, **{member: 3}))[-1]
            self.assertEqual(last["choices"][0]["finish_reason"], "length")
        for enough in (len(whole.split()), 1000):
            (choice,) = chat("hello", max_tokens=enough).json()["choices"]
            self.assertEqual((choice["message"]["content"], choice["finish_reason"]), (whole, "stop"))

    def test_stop_cuts_before_the_first_of_its_texts(self) -> None:
        for stop, left in (
            ("can", "Hello! How "),
            (["you", "How"], "Hello! "),
            (["nowhere"], text(chat("hello"))),
        ):
            (choice,) = chat("hello", stop=stop).json()["choices"]
            self.assertEqual((choice["message"]["content"], choice["finish_reason"]), (left, "stop"))
            streamed = chunks(chat("hello", stop=stop, stream=True))
            self.assertEqual("".join(c["choices"][0]["delta"].get("content", "") for c in streamed), left)

    def test_n_choices_are_interleaved_by_index(self) -> None:
        body = chat("hello", n=3).json()
        self.assertEqual([choice["index"] for choice in body["choices"]], [0, 1, 2])
        self.assertEqual(
            body["usage"]["completion_tokens"], 3 * chat("hello").json()["usage"]["completion_tokens"]
        )
        choices = [chunk["choices"][0] for chunk in chunks(chat("hello", n=3, stream=True))]
        self.assertEqual([choice["index"] for choice in choices], [0, 1, 2] * (len(choices) // 3))
        for index in range(3):
            own = [choice for choice in choices if choice["index"] == index]
            self.assertEqual(own[0]["delta"]["role"], "assistant")
            self.assertEqual("".join(c["delta"].get("content", "") for c in own), text(chat("hello")))
            self.assertEqual(own[-1]["finish_reason"], "stop")

    def test_the_work_of_one_request_is_bounded(self) -> None:
        self.assertEqual(chat("hello", n=128).status, 200)
        for content, members in (
            ("[mock tokens=16384]", {"n": 5}),
            ("[mock tokens=4000]", {"logprobs": True, "top_logprobs": 20}),
            ("[mock reply=" + "x" * 99_000 + "]", {"n": 128}),
        ):
            answer = chat(content, **members)
            self.assertEqual((answer.status, answer.json()["error"]["param"]), (400, "n"))


class LogprobTests(SynchronousTestCase):
    def test_each_token_has_one_buffered_and_streamed(self) -> None:
        options: dict[str, Any] = {"logprobs": True, "top_logprobs": 2}
        (choice,) = chat("hello", **options).json()["choices"]
        each = choice["logprobs"]["content"]
        self.assertEqual("".join(one["token"] for one in each), text(chat("hello")))
        for one in each:
            self.assertEqual(bytes(one["bytes"]).decode(), one["token"])
            self.assertEqual(one["top_logprobs"][0]["token"], one["token"])
            self.assertEqual(len(one["top_logprobs"]), 2)
            self.assertLessEqual(one["top_logprobs"][1]["logprob"], one["logprob"])
        streamed = [
            chunk["choices"][0]["logprobs"] for chunk in chunks(chat("hello", stream=True, **options))
        ]
        self.assertEqual([one for likely in streamed if likely for one in likely["content"]], each)


class ToolTests(SynchronousTestCase):
    def test_a_tool_is_called_with_arguments_that_are_valid(self) -> None:
        for choice in (None, "auto", "required"):
            name, arguments = called(chat("What now?", tools=TOOLS, tool_choice=choice))
            self.assertEqual(name, "weather")
            Draft202012Validator(PARAMETERS).validate(arguments)

    def test_the_tool_is_the_one_that_is_chosen_or_named(self) -> None:
        named = {"type": "function", "function": {"name": "forecast"}}
        for answer in (
            chat("hello", tools=TOOLS, tool_choice=named),
            chat("the forecast, please", tools=TOOLS),
            chat("x [mock tool=forecast]", tools=TOOLS),
        ):
            self.assertEqual(called(answer)[0], "forecast")

    def test_arguments_may_be_steered_and_absent_parameters_are_none(self) -> None:
        given = '[mock arguments="{\\"city\\": \\"Oslo\\"}"]'
        self.assertEqual(called(chat(given, tools=TOOLS)), ("weather", {"city": "Oslo"}))
        self.assertEqual(
            called(chat("x", tools=[{"type": "function", "function": {"name": "f"}}])), ("f", {})
        )

    def test_the_model_talks_where_it_may_and_has_reason_to(self) -> None:
        self.assertIn("x", text(chat("x", tools=TOOLS, tool_choice="none")))
        self.assertIn("Hello", text(chat("hello", tools=TOOLS)))
        self.assertEqual(text(chat("[mock reply=no]", tools=TOOLS)), "no")
        messages = [
            {"role": "user", "content": "the weather"},
            {"role": "assistant", "tool_calls": [{"id": "1"}]},
            {"role": "tool", "tool_call_id": "1", "content": "rain"},
        ]
        answer = Wire().post_json(CHAT, {"model": "m", "messages": messages, "tools": TOOLS})
        self.assertIn("the weather", text(answer))

    def test_streamed_arguments_come_in_fragments(self) -> None:
        deltas = [c["choices"][0]["delta"] for c in chunks(chat("x", tools=TOOLS, stream=True))]
        calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
        self.assertEqual(
            (calls[0]["function"], calls[0]["type"]), ({"name": "weather", "arguments": ""}, "function")
        )
        self.assertTrue(calls[0]["id"].startswith("call_"))
        fragments = [call["function"]["arguments"] for call in calls[1:]]
        self.assertGreater(len(fragments), 3)
        buffered = chat("x", tools=TOOLS).json()["choices"][0]["message"]["tool_calls"][0]["function"]
        self.assertEqual("".join(fragments), buffered["arguments"])

    def test_what_cannot_be_called_is_a_400(self) -> None:
        named = {"type": "function", "function": {"name": "nobody"}}
        for members, param in (
            ({"tool_choice": "auto"}, "tool_choice"),
            ({"tools": TOOLS, "tool_choice": named}, "tool_choice"),
            ({"tools": TOOLS, "tool_choice": "perhaps"}, "tool_choice"),
            ({"tools": [{"type": "function"}]}, "tools[0].function"),
            ({"tools": [tool("with space")]}, "tools[0].function.name"),
            ({"tools": [tool("f", parameters={"type": "x"})]}, "tools[0].function.parameters"),
            ({"tools": [tool("f")] * 129}, "tools"),
        ):
            answer = chat("x", **members)
            self.assertEqual((answer.status, answer.json()["error"]["param"]), (400, param), members)


class FormTests(SynchronousTestCase):
    def test_json_object_is_an_object_with_the_answer(self) -> None:
        answer = chat("hello", response_format={"type": "json_object"})
        self.assertIn("Hello", json.loads(text(answer))["answer"])

    def test_json_schema_is_kept_buffered_and_streamed(self) -> None:
        form = {"type": "json_schema", "json_schema": {"name": "w", "schema": PARAMETERS, "strict": True}}
        answer = chat("x", response_format=form)
        Draft202012Validator(PARAMETERS).validate(json.loads(text(answer)))
        streamed = chunks(chat("x", response_format=form, stream=True))
        self.assertEqual("".join(c["choices"][0]["delta"].get("content", "") for c in streamed), text(answer))
        self.assertGreater(len(streamed), 5)

    def test_a_schema_that_nothing_fits_is_a_400(self) -> None:
        form = {"type": "json_schema", "json_schema": {"name": "w", "schema": {"$ref": "#"}}}
        error = chat("x", response_format=form).json()["error"]
        self.assertEqual(
            (error["param"], error["code"]), ("response_format.json_schema.schema", "invalid_json_schema")
        )


class HeaderTests(SynchronousTestCase):
    def test_clients_find_times_limits_and_an_id(self) -> None:
        for stream in (False, True):
            headers = chat("hello", stream=stream).headers
            self.assertGreater(int(headers["openai-processing-ms"][0]), 0)
            self.assertTrue(headers["x-request-id"][0])
            for what in ("requests", "tokens"):
                limit, left = (
                    int(headers[f"x-ratelimit-{name}-{what}"][0]) for name in ("limit", "remaining")
                )
                self.assertTrue(0 < left < limit)
                self.assertRegex(headers[f"x-ratelimit-reset-{what}"][0], r"^\d+m?s$")
        self.assertEqual(chat("error").headers["x-ratelimit-remaining-requests"], ["0"])

    def test_the_tier_is_echoed(self) -> None:
        for asked, given in ((None, "default"), ("auto", "default"), ("flex", "flex")):
            self.assertEqual(chat("hello", service_tier=asked).json()["service_tier"], given)


class ModelNameTests(SynchronousTestCase):
    def test_strict_models_are_those_that_are_listed(self) -> None:
        strict = Wire(Config(strict_models=True))
        self.assertEqual(chat("hello", strict, model="gpt-4o").status, 200)
        for path, body in (
            ("chat/completions", {"messages": [{"role": "user", "content": "hello"}]}),
            ("completions", {"prompt": "hello"}),
            ("responses", {"input": "hello"}),
            ("embeddings", {"input": "hello"}),
        ):
            target = CHAT.replace("chat/completions", path)
            answer = strict.post_json(target, {"model": "gpt-99"} | body)
            self.assertEqual((answer.status, answer.json()["error"]["code"]), (404, "model_not_found"))
            self.assertEqual(Wire().post_json(target, {"model": "gpt-99"} | body).json()["model"], "gpt-99")


class ValidationTests(SynchronousTestCase):
    def test_a_value_that_is_not_supported_is_answered_with_those_that_are(self) -> None:
        roles = "'system', 'developer', 'user', 'assistant', 'tool', 'function'"
        for members, param, said in (
            ({"service_tier": "x" * 9000}, "service_tier", "'default', 'flex', 'scale', 'priority', 'fast'."),
            ({"tools": TOOLS, "tool_choice": "x"}, "tool_choice", "are: 'none', 'auto', 'required'."),
            (
                {"response_format": {"type": "x"}},
                "response_format.type",
                "'text', 'json_object', 'json_schema'",
            ),
            (
                {"messages": [{"role": "x", "content": ""}]},
                "messages[0].role",
                f"Supported values are: {roles}.",
            ),
        ):
            error = chat("x", **members).json()["error"]
            self.assertEqual((error["param"], error["code"]), (param, "invalid_value"))
            self.assertTrue(error["message"].startswith("Invalid value: 'x"))
            self.assertIn(said, error["message"])
            self.assertLess(len(error["message"]), 300)
        body = {"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}
        answer = Wire().post_json(CHAT.replace("chat/completions", "responses"), {"model": "m"} | body)
        self.assertIn("'input_text', 'output_text', 'refusal'.", answer.json()["error"]["message"])

    def test_what_is_out_of_range_is_a_400_that_names_it(self) -> None:
        for member, value, code in (
            ("n", 0, "invalid_value"),
            ("n", 129, "invalid_value"),
            ("n", "1", "invalid_type"),
            ("temperature", 2.1, "invalid_value"),
            ("top_p", -1, "invalid_value"),
            ("presence_penalty", 3, "invalid_value"),
            ("max_tokens", 0, "invalid_value"),
            ("stop", ["a"] * 5, "invalid_value"),
            ("logprobs", 1, "invalid_type"),
            ("top_logprobs", 21, "invalid_value"),
            ("top_logprobs", 2, "invalid_value"),
            ("stream_options", {"include_usage": True}, "invalid_value"),
            ("service_tier", "first", "invalid_value"),
            ("response_format", "json", "invalid_type"),
            ("response_format.type", {"type": "xml"}, "invalid_value"),
            ("response_format.json_schema", {"type": "json_schema"}, "missing_required_parameter"),
            ("model", "x" * 257, "invalid_value"),
            ("model", "", "invalid_value"),
            ("metadata", {str(n): "" for n in range(17)}, "invalid_value"),
        ):
            answer = chat("hello", **{member.partition(".")[0]: value})
            error = answer.json()["error"]
            found = (answer.status, error["param"], error["code"], error["type"])
            self.assertEqual(found, (400, member, code, "invalid_request_error"), value)
