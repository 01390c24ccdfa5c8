"""OpenAI: which tools are called, in chat and in responses, and how several calls come."""

import json
from typing import Any

from jsonschema import Draft202012Validator
from twisted.trial.unittest import SynchronousTestCase

from tests.support.sse import events
from tests.support.wire import Answer, Wire
from tests.unit.services.test_openai import CHAT, chat, chunks, text
from tests.unit.services.test_openai_chat import PARAMETERS, TOOLS, called
from tests.unit.services.test_openai_others import error, post

FUNCTIONS = [tool["function"] for tool in TOOLS]
FLAT = [{"type": "function"} | function for function in FUNCTIONS]
REGEX = {"syntax": "regex", "definition": "[a-c]{3}-\\d+"}
LARK = {"syntax": "lark", "definition": 'start: "a"'}


def custom(name: str, **members: Any) -> dict[str, Any]:
    return {"type": "custom", "custom": {"name": name, **members}}


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def allowed(mode: str, *tools: dict[str, Any]) -> dict[str, Any]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(tools)}}


def calls(answer: Answer) -> list[dict[str, Any]]:
    """The calls of a buffered chat."""
    (choice,) = answer.json()["choices"]
    assert choice["finish_reason"] == "tool_calls", choice
    found: list[dict[str, Any]] = choice["message"]["tool_calls"]
    return found


def names(answer: Answer) -> list[str]:
    return [call[call["type"]]["name"] for call in calls(answer)]


def accumulated(answer: Answer, index: int = 0) -> list[dict[str, Any]]:
    """The calls of a streamed choice, put together as a client does."""
    found: list[dict[str, Any]] = []
    for chunk in chunks(answer):
        for choice in chunk["choices"]:
            for delta in choice["delta"].get("tool_calls", ()) if choice["index"] == index else ():
                if delta["index"] == len(found):
                    found.append({"type": delta["type"], "id": delta["id"], **delta[delta["type"]]})
                    continue
                call = found[delta["index"]]
                for member, piece in delta[call["type"]].items():
                    call[member] += piece
    return found


class SeveralCallsTests(SynchronousTestCase):
    CONTENT = 'x [mock tool=forecast tool=weather arguments="{\\"city\\": 1}" tool=forecast]'

    def test_several_tools_are_called_in_one_turn(self) -> None:
        answer = chat(self.CONTENT, tools=TOOLS)
        self.assertEqual(names(answer), ["forecast", "weather", "forecast"])
        self.assertEqual(len({call["id"] for call in calls(answer)}), 3)
        self.assertEqual(calls(answer)[1]["function"]["arguments"], '{"city": 1}')
        for at in (0, 2):
            arguments = json.loads(calls(answer)[at]["function"]["arguments"])
            Draft202012Validator(PARAMETERS).validate(arguments)

    def test_a_stream_has_the_same_calls_one_after_the_other(self) -> None:
        for n in (1, 3):
            streamed = chat(self.CONTENT, tools=TOOLS, n=n, stream=True)
            buffered = chat(self.CONTENT, tools=TOOLS, n=n).json()["choices"]
            ids = []
            for index, choice in enumerate(buffered):
                found = accumulated(streamed, index)
                ids += [call.pop("id") for call in found]
                expected = [
                    {"type": "function"} | call["function"] for call in choice["message"]["tool_calls"]
                ]
                self.assertEqual(found, expected)
            self.assertEqual(len(set(ids)), 3 * n)
            self.assertEqual(chunks(streamed)[-1]["choices"][0]["finish_reason"], "tool_calls")

    def test_calls_without_arguments_are_begun_all_the_same(self) -> None:
        content = 'x [mock tool=weather arguments="" tool=forecast arguments=""]'
        found = accumulated(chat(content, tools=TOOLS, stream=True))
        self.assertEqual(
            [(call["name"], call["arguments"]) for call in found], [("weather", ""), ("forecast", "")]
        )

    def test_there_are_other_ways_to_write_it(self) -> None:
        for content, metadata in (
            ("[mock tool=weather] and [mock tool=forecast]", None),
            ("[mock tool=weather,forecast]", None),
            ("x", {"mock_tool": "weather,forecast"}),
            ("[mock tool=weather tool=forecast]", {"mock_reply": "no", "mock_tps": "5"}),
        ):
            self.assertEqual(names(chat(content, tools=TOOLS, metadata=metadata)), ["weather", "forecast"])
        for content, metadata in (
            ('[mock arguments="{}" tool=weather]', None),
            ("[mock tool=weather]", {"mock_arguments": "{}"}),
            ("x", {"mock_arguments": "{}", "mock_tool": "weather"}),
        ):
            self.assertEqual(called(chat(content, tools=TOOLS, metadata=metadata)), ("weather", {}))

    def test_a_limit_of_tokens_cuts_the_calls(self) -> None:
        content = (
            'x [mock tool=weather arguments="{\\"a\\": 12345678}" tool=forecast arguments="{\\"b\\": 1}"]'
        )
        for limit, expected in (
            (1, ['{"a": 12']),
            (2, ['{"a": 12345678}']),
            (3, ['{"a": 12345678}', '{"b": 1}']),
        ):
            body = chat(content, tools=TOOLS, max_tokens=limit).json()
            (choice,) = body["choices"]
            arguments = [call["function"]["arguments"] for call in choice["message"]["tool_calls"]]
            self.assertEqual(arguments, expected)
            self.assertEqual(choice["finish_reason"], "length" if limit < 3 else "tool_calls")
            self.assertEqual(body["usage"]["completion_tokens"], limit)
            streamed = accumulated(chat(content, tools=TOOLS, max_tokens=limit, stream=True))
            self.assertEqual([call["arguments"] for call in streamed], expected)

    def test_parallel_tool_calls_false_allows_one(self) -> None:
        answer = chat(self.CONTENT, tools=TOOLS, parallel_tool_calls=False)
        self.assertEqual(error(answer)[::2], (400, "invalid_directive"))
        self.assertIn(
            "3 calls in one turn, but parallel_tool_calls is false", answer.json()["error"]["message"]
        )
        self.assertEqual(
            names(chat("[mock tool=weather]", tools=TOOLS, parallel_tool_calls=False)), ["weather"]
        )
        self.assertEqual(names(chat(self.CONTENT, tools=TOOLS, parallel_tool_calls=True))[0], "forecast")
        answer = post("responses", input=self.CONTENT, tools=FLAT, parallel_tool_calls=False)
        self.assertEqual(error(answer)[::2], (400, "invalid_directive"))

    def test_parallel_tool_calls_goes_with_tools(self) -> None:
        for members in ({}, {"functions": FUNCTIONS}):
            answer = chat("x", parallel_tool_calls=True, **members)
            self.assertEqual(error(answer)[:2], (400, "parallel_tool_calls"))
        self.assertEqual(post("responses", input="x", parallel_tool_calls=True).status, 200)

    def test_a_response_has_an_item_for_each_call(self) -> None:
        buffered = post("responses", input=self.CONTENT, tools=FLAT).json()
        self.assertEqual([item["name"] for item in buffered["output"]], ["forecast", "weather", "forecast"])
        self.assertEqual(len({item[key] for item in buffered["output"] for key in ("id", "call_id")}), 6)
        received = events(post("responses", input=self.CONTENT, tools=FLAT, stream=True).body)
        documents = [json.loads(event.data) for event in received]
        self.assertEqual([d["sequence_number"] for d in documents], list(range(len(documents))))
        self.assertEqual(documents[-1]["response"], buffered)
        for index, item in enumerate(buffered["output"]):
            own = [d for d in documents if d.get("output_index") == index]
            kinds = [d["type"].removeprefix("response.") for d in own]
            self.assertEqual((kinds[0], kinds[-1]), ("output_item.added", "output_item.done"))
            self.assertEqual("".join(d.get("delta", "") for d in own), item["arguments"])
            self.assertEqual(own[-1]["item"], item)
            self.assertEqual({d["item_id"] for d in own[1:-1]}, {item["id"]})
        order = [d["output_index"] for d in documents if "output_index" in d]
        self.assertEqual(order, sorted(order))

    def test_a_stream_of_several_items_breaks_off_with_the_next_number(self) -> None:
        pieces = [
            json.loads(e.data)
            for e in events(
                post("responses", input=self.CONTENT + "[mock error_after=12]", tools=FLAT, stream=True).body
            )
        ]
        self.assertEqual([d["sequence_number"] for d in pieces], list(range(len(pieces))))
        self.assertEqual(pieces[-1]["type"], "error")
        self.assertEqual(sum(d["type"].endswith(".delta") for d in pieces), 12)


class ChoiceTests(SynchronousTestCase):
    def test_of_the_allowed_tools_one_is_called(self) -> None:
        for mode, content, expected in (
            ("auto", "what about the weather?", "forecast"),
            ("required", "hello", "forecast"),
        ):
            choice = allowed(mode, named("forecast"))
            self.assertEqual(names(chat(content, tools=TOOLS, tool_choice=choice)), [expected])
            flat = {
                "type": "allowed_tools",
                "mode": mode,
                "tools": [{"type": "function", "name": "forecast"}],
            }
            body = post("responses", input=content, tools=FLAT, tool_choice=flat).json()
            self.assertEqual([item["name"] for item in body["output"]], [expected])
            self.assertEqual(body["tool_choice"], flat)
        self.assertIn(
            "Hello", text(chat("hello", tools=TOOLS, tool_choice=allowed("auto", named("weather"))))
        )

    def test_a_directive_cannot_call_what_is_not_allowed(self) -> None:
        for choice, said in (
            (allowed("auto", named("forecast")), "tool_choice does not allow the tool 'weather'"),
            (named("forecast"), "tool_choice does not allow the tool 'weather'"),
            ("none", "tool asks for a call, but tool_choice is 'none'"),
        ):
            answer = chat("[mock tool=weather]", tools=TOOLS, tool_choice=choice)
            self.assertEqual(error(answer)[::2], (400, "invalid_directive"))
            self.assertIn(said, answer.json()["error"]["message"])

    def test_a_required_call_is_not_talked_away(self) -> None:
        answer = chat("[mock reply=no]", tools=TOOLS, tool_choice="required")
        self.assertEqual(error(answer)[::2], (400, "invalid_directive"))

    def test_an_impossible_choice_is_refused(self) -> None:
        both = {"tools": TOOLS, "functions": FUNCTIONS}
        for members, field in (
            ({"tools": TOOLS, "tool_choice": allowed("auto", named("nobody"))}, "tool_choice"),
            ({"tools": TOOLS, "tool_choice": allowed("auto")}, "tool_choice.allowed_tools.tools"),
            (
                {"tools": TOOLS, "tool_choice": allowed("never", named("weather"))},
                "tool_choice.allowed_tools.mode",
            ),
            (
                {"tools": TOOLS, "tool_choice": {"type": "custom", "custom": {"name": "weather"}}},
                "tool_choice",
            ),
            ({"tool_choice": allowed("auto", named("weather"))}, "tool_choice"),
            ({"tools": []}, "tools"),
            ({"functions": []}, "functions"),
            ({"function_call": "auto"}, "function_call"),
            ({"functions": FUNCTIONS, "function_call": {"name": "nobody"}}, "function_call"),
            ({"functions": FUNCTIONS, "tool_choice": "auto"}, "tool_choice"),
            ({"tools": TOOLS, "function_call": "auto"}, "function_call"),
            (both, "functions"),
        ):
            self.assertEqual(error(chat("x", **members))[:2], (400, field), members)

    def test_tools_that_the_api_runs_itself_are_never_called(self) -> None:
        search = {"type": "web_search"}
        body = post("responses", input="x", tools=[search]).json()
        self.assertEqual([item["type"] for item in body["output"]], ["message"])
        for members, field in (
            ({"tools": [search], "tool_choice": "required"}, "tool_choice"),
            ({"tools": [search], "tool_choice": search}, "tool_choice"),
            ({"tools": [{"type": "web_serch"}]}, "tools[0].type"),
            ({"tools": FLAT, "tool_choice": {"type": "oracle"}}, "tool_choice"),
            ({"tools": FLAT, "tool_choice": {"type": "function", "name": "nobody"}}, "tool_choice"),
            (
                {"tools": FLAT, "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}},
                "tool_choice",
            ),
            ({"tool_choice": "required"}, "tool_choice"),
            ({"tools": [FLAT[0] | {"x": 1}]}, "tools[0]"),
        ):
            self.assertEqual(error(post("responses", **{"input": "x", **members}))[:2], (400, field), members)
        answer = post("responses", input="x", tools=[{"type": "web_serch"}])
        self.assertIn(
            "Supported values are: 'function', 'custom', 'apply_patch', ", answer.json()["error"]["message"]
        )

    def test_a_tool_is_named_by_a_whole_word(self) -> None:
        tools = [named("look"), named("get"), named("get_time")]
        for content, expected in (
            ("forget it, outlook", "look"),
            ("please get it", "get"),
            ("call get_time!", "get_time"),
            ("get-time", "look"),
            ("x" * 2_000_000 + " get", "look"),
        ):
            self.assertEqual(names(chat(content, tools=tools)), [expected], content[:40])


class FunctionTests(SynchronousTestCase):
    def test_functions_are_called_as_before_there_were_tools(self) -> None:
        (choice,) = chat("x", functions=FUNCTIONS).json()["choices"]
        self.assertEqual(choice["finish_reason"], "function_call")
        self.assertNotIn("tool_calls", choice["message"])
        call = choice["message"]["function_call"]
        self.assertEqual((call.keys(), call["name"]), ({"name", "arguments"}, "weather"))
        Draft202012Validator(PARAMETERS).validate(json.loads(call["arguments"]))

    def test_function_call_decides(self) -> None:
        def function(content: str, choice: Any) -> str | None:
            (choice,) = chat(content, functions=FUNCTIONS, function_call=choice).json()["choices"]
            call = choice["message"].get("function_call")
            return call and str(call["name"])

        for content, choice, expected in (
            ("hello", "none", None),
            ("x", "none", None),
            ("x", "auto", "weather"),
            ("hello", "auto", None),
            ("hello", {"name": "forecast"}, "forecast"),
            ("[mock tool=forecast]", "auto", "forecast"),
        ):
            self.assertEqual(function(content, choice), expected, (content, choice))

    def test_its_result_is_talked_about(self) -> None:
        messages = [
            {"role": "user", "content": "the weather"},
            {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": "{}"}},
            {"role": "function", "name": "weather", "content": "rain"},
        ]
        answer = Wire().post_json(CHAT, {"model": "m", "messages": messages, "functions": FUNCTIONS})
        self.assertIn("the weather", text(answer))

    def test_a_stream_has_the_same_call(self) -> None:
        received = [chunk["choices"][0] for chunk in chunks(chat("x", functions=FUNCTIONS, stream=True))]
        deltas = [
            choice["delta"]["function_call"] for choice in received if "function_call" in choice["delta"]
        ]
        self.assertEqual(deltas[0], {"name": "weather", "arguments": ""})
        buffered = chat("x", functions=FUNCTIONS).json()["choices"][0]["message"]["function_call"]
        self.assertEqual("".join(delta["arguments"] for delta in deltas), buffered["arguments"])
        self.assertEqual(received[-1]["finish_reason"], "function_call")

    def test_one_is_called_at_a_time(self) -> None:
        answer = chat("[mock tool=weather tool=forecast]", functions=FUNCTIONS)
        self.assertEqual(error(answer)[::2], (400, "invalid_directive"))


class CustomToolTests(SynchronousTestCase):
    def test_its_input_is_text(self) -> None:
        for tool, content, expected in (
            (custom("shell"), "list the files", "list the files"),
            (custom("shell", format={"type": "text"}), "y" * 5000, "y" * 1000),
            (custom("shell"), '[mock tool=shell arguments="ls -l"]', "ls -l"),
            (custom("code", format={"type": "grammar", "grammar": REGEX}), "x", "aaa-00"),
            (custom("code", format={"type": "grammar", "grammar": LARK}), "[mock arguments=a]", "a"),
        ):
            (call,) = calls(chat(content, tools=[tool]))
            self.assertEqual(call, {"id": call["id"], "type": "custom", "custom": call["custom"]})
            self.assertEqual(call["custom"], {"name": tool["custom"]["name"], "input": expected})
            (streamed,) = accumulated(chat(content, tools=[tool], stream=True))
            self.assertEqual((streamed["type"], streamed["input"]), ("custom", expected))

    def test_it_can_be_chosen_among_functions(self) -> None:
        tools = [*TOOLS, custom("shell")]
        choice = {"type": "custom", "custom": {"name": "shell"}}
        self.assertEqual(names(chat("hello", tools=tools, tool_choice=choice)), ["shell"])
        self.assertEqual(names(chat("x", tools=tools, tool_choice=allowed("auto", choice))), ["shell"])
        answer = chat("[mock tool=weather tool=shell]", tools=tools)
        self.assertEqual([call["type"] for call in calls(answer)], ["function", "custom"])

    def test_a_response_calls_it_too(self) -> None:
        tool = {"type": "custom", "name": "shell", "format": {"type": "grammar", **REGEX}}
        for choice in (None, "required", {"type": "custom", "name": "shell"}):
            members: dict[str, Any] = {"input": "x", "tools": [tool], "tool_choice": choice}
            body = post("responses", **members).json()
            (item,) = body["output"]
            self.assertEqual(
                (item["type"], item["name"], item["input"]), ("custom_tool_call", "shell", "aaa-00")
            )
            received = [json.loads(e.data) for e in events(post("responses", stream=True, **members).body)]
            deltas = [d["delta"] for d in received if d["type"] == "response.custom_tool_call_input.delta"]
            self.assertEqual("".join(deltas), "aaa-00")
            (done,) = [d for d in received if d["type"] == "response.custom_tool_call_input.done"]
            self.assertEqual(
                (done["input"], done["item_id"]), ("aaa-00", received[-1]["response"]["output"][0]["id"])
            )
        result = {"type": "custom_tool_call_output", "call_id": "c", "output": "x"}
        answer = post("responses", input=[{"role": "user", "content": "ping"}, result], tools=[tool])
        self.assertIn("ping", answer.json()["output"][0]["content"][0]["text"])

    def test_what_the_mock_cannot_make_up_is_a_400_that_says_how_to(self) -> None:
        grammar = custom("code", format={"type": "grammar", "grammar": LARK})
        flat = {"type": "custom", "name": "code", "format": {"type": "grammar", **LARK}}
        bad = custom("code", format={"type": "grammar", "grammar": REGEX | {"definition": "(?<=x)y"}})
        place = "tools[0].custom.format.grammar"
        for answer, param in (
            (chat("x", tools=[grammar]), place),
            (chat("x", tools=[bad]), place),
            (post("responses", input="x", tools=[flat]), "tools[0].format"),
        ):
            self.assertEqual(error(answer), (400, param, "unsupported_value"))
            self.assertIn("[mock arguments=", answer.json()["error"]["message"])
        self.assertEqual(chat("hello", tools=[grammar]).status, 200)


class FinishTests(SynchronousTestCase):
    def test_a_chat_ends_for_the_reason_that_is_asked_for(self) -> None:
        for finish in ("length", "content_filter"):
            for content, members in (
                (f"x [mock finish={finish}]", {}),
                (f"x [mock reply=no finish={finish}]", {"n": 2}),
                (f"x [mock tool=weather finish={finish}]", {"tools": TOOLS}),
                (f"x [mock finish={finish}]", {"functions": FUNCTIONS}),
                ("x", {"metadata": {"mock_finish": finish}}),
            ):
                choices = chat(content, **members).json()["choices"]
                self.assertEqual({choice["finish_reason"] for choice in choices}, {finish})
                last = chunks(chat(content, stream=True, **members))[-1]
                self.assertEqual(last["choices"][0]["finish_reason"], finish)
        self.assertEqual(text(chat("x [mock finish=length]")), text(chat("x")))

    def test_a_completion_does_too(self) -> None:
        for finish in ("length", "content_filter"):
            prompt = f"x [mock finish={finish}]"
            (choice,) = post("completions", prompt=prompt).json()["choices"]
            self.assertEqual(choice["finish_reason"], finish)
            *data, _ = [event.data for event in events(post("completions", prompt=prompt, stream=True).body)]
            self.assertEqual(json.loads(data[-1])["choices"][0]["finish_reason"], finish)

    def test_a_response_is_incomplete(self) -> None:
        for finish, reason in (("length", "max_output_tokens"), ("content_filter", "content_filter")):
            for members in ({}, {"tools": FLAT}):
                asked = {"input": f"x [mock finish={finish}]", **members}
                body = post("responses", **asked).json()
                self.assertEqual((body["status"], body["completed_at"]), ("incomplete", None))
                self.assertEqual(body["incomplete_details"], {"reason": reason})
                self.assertEqual(body["output"][-1]["status"], "incomplete")
                last = events(post("responses", stream=True, **asked).body)[-1]
                self.assertEqual(last.type, "response.incomplete")
                self.assertEqual(json.loads(last.data)["response"]["incomplete_details"], {"reason": reason})
