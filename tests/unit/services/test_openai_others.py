"""OpenAI beside chat: responses, completions and embeddings."""

import base64
import json
import math
import struct
from hashlib import shake_128
from typing import Any

from jsonschema import Draft202012Validator
from twisted.trial.unittest import SynchronousTestCase

from tests.support.sse import events
from tests.support.wire import Answer, Wire
from tests.unit.services.test_openai import chat, text
from tests.unit.services.test_openai_chat import PARAMETERS

V1 = "/api/oagw/v1/proxy/openai/v1/"


def post(path: str, **body: Any) -> Answer:
    return Wire().post_json(V1 + path, {"model": "m"} | body)


def error(answer: Answer) -> tuple[int, str, str]:
    """Status, param and code of an answer that must be an error."""
    found = answer.json()["error"]
    return answer.status, found["param"], found["code"]


class ResponseTests(SynchronousTestCase):
    def test_a_response_says_what_chat_says(self) -> None:
        message = {"role": "user", "content": [{"type": "input_text", "text": "What is 2+2?"}]}
        for given in ("What is 2+2?", [message], [message, {"type": "reasoning", "id": "rs_1"}]):
            body = post("responses", input=given).json()
            (item,) = body["output"]
            self.assertEqual(item["content"][0]["text"], text(chat("What is 2+2?")))
            self.assertEqual((body["status"], body["error"]), ("completed", None))
            usage = body["usage"]
            self.assertEqual(usage["total_tokens"], usage["input_tokens"] + usage["output_tokens"])

    def test_its_events_are_named_numbered_and_add_up(self) -> None:
        for members, kinds in (
            ({}, ("output_text", "text")),
            ({"metadata": {"mock_refusal": "No, I will not."}}, ("refusal", "refusal")),
            (
                {"tools": [{"type": "function", "name": "weather", "parameters": PARAMETERS}]},
                ("function_call_arguments", "arguments"),
            ),
        ):
            buffered = post("responses", input="ping", **members).json()
            received = events(post("responses", input="ping", stream=True, **members).body)
            documents = [json.loads(event.data) for event in received]
            self.assertEqual([event.type for event in received], [document["type"] for document in documents])
            self.assertEqual([d["sequence_number"] for d in documents], list(range(len(documents))))
            names = list(dict.fromkeys(event.type for event in received))
            part = [] if kinds[1] == "arguments" else ["content_part"]
            self.assertEqual(
                [name.removeprefix("response.") for name in names],
                [
                    *("created", "in_progress", "output_item.added", *(f"{p}.added" for p in part)),
                    *(f"{kinds[0]}.delta", f"{kinds[0]}.done"),
                    *(*(f"{p}.done" for p in part), "output_item.done", "completed"),
                ],
            )
            deltas = [d["delta"] for d in documents if d["type"].endswith(".delta")]
            self.assertGreater(len(deltas), 2)
            (done,) = [d for d in documents if d["type"] == f"response.{kinds[0]}.done"]
            self.assertEqual("".join(deltas), done[kinds[1]])
            self.assertEqual(documents[-1]["response"], buffered)
            self.assertEqual(documents[0]["response"]["status"], "in_progress")

    def test_at_the_limit_it_is_incomplete(self) -> None:
        members = {"input": "[mock tokens=20]", "max_output_tokens": 16}
        body = post("responses", **members).json()
        self.assertEqual((body["status"], body["usage"]["output_tokens"]), ("incomplete", 16))
        self.assertEqual(body["incomplete_details"], {"reason": "max_output_tokens"})
        last = events(post("responses", stream=True, **members).body)[-1]
        self.assertEqual(last.type, "response.incomplete")

    def test_a_result_of_a_tool_is_talked_about(self) -> None:
        given = [
            {"role": "user", "content": "ping"},
            {"type": "function_call_output", "call_id": "1", "output": "x"},
        ]
        tools = [{"type": "function", "name": "weather", "parameters": PARAMETERS}, {"type": "web_search"}]
        (item,) = post("responses", input=given, tools=tools).json()["output"]
        self.assertIn("ping", item["content"][0]["text"])
        (item,) = post("responses", input=given[:1], tools=tools).json()["output"]
        self.assertEqual((item["type"], item["name"]), ("function_call", "weather"))

    def test_a_format_is_kept(self) -> None:
        form = {"type": "json_schema", "name": "w", "schema": PARAMETERS, "strict": True}
        body = post("responses", input="x", text={"format": form}).json()
        Draft202012Validator(PARAMETERS).validate(json.loads(body["output"][0]["content"][0]["text"]))
        self.assertEqual(body["text"]["format"], form)

    def test_a_stream_breaks_off_with_the_next_number(self) -> None:
        tools = [{"type": "function", "name": "weather", "parameters": PARAMETERS}]
        for members in ({}, {"tools": tools}):
            received = events(post("responses", input="x [mock error_after=2]", stream=True, **members).body)
            self.assertEqual(received[-1].type, "error")
            numbers = [json.loads(event.data)["sequence_number"] for event in received]
            self.assertEqual(numbers, list(range(len(received))))

    def test_what_does_not_fit_is_named(self) -> None:
        for members, param in (
            ({"input": 1}, "input"),
            ({"max_output_tokens": 15}, "max_output_tokens"),
            ({"tools": [{}]}, "tools[0].type"),
            ({"tools": [{"type": "function"}]}, "tools[0]"),
            ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
            (
                {"text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": 1}}}},
                "text.format.schema",
            ),
        ):
            self.assertEqual(error(post("responses", **{"input": "x", **members}))[:2], (400, param))
        self.assertEqual(post("responses", input="error").status, 429)


class KeywordTests(SynchronousTestCase):
    """The words that the model reacts to are the same everywhere."""

    def test_a_response_and_a_completion_know_whole_words_in_short_messages_only(self) -> None:
        for content, status, said in (
            ("say Hello!", 200, "Hello! How can I help you today?"),
            ('"error"', 429, None),
            ("Othello", 200, 'You said: "Othello"'),
            ("a film of terror", 200, 'You said: "a film of terror"'),
            ("1 2 3 4 5 6 7 8 error", 200, "8 error"),
            ("1 2 3 4 5 6 7 8 hello", 200, "8 hello"),
        ):
            message = {"role": "user", "content": [{"type": "input_text", "text": content}]}
            for answer in (
                post("responses", input=content),
                post("responses", input=[message]),
                post("completions", prompt=content),
                post("completions", prompt=["ping", content]),
            ):
                self.assertEqual(answer.status, status, content)
                if said is not None:
                    self.assertIn(
                        said,
                        answer.json()["output"][0]["content"][0]["text"]
                        if "output" in answer.json()
                        else answer.json()["choices"][-1]["text"],
                    )

    def test_the_parts_of_a_message_are_one_text(self) -> None:
        def parts(*texts: str) -> list[dict[str, str]]:
            return [{"type": "input_text", "text": text} for text in texts]

        for texts, status in (
            (("err", "or"), 429),
            (("Not an ", "error?"), 429),
            (("terr", "or"), 200),
            (("1 2 3 4 5 6 ", "7 8 error"), 200),
        ):
            answer = post("responses", input=[{"role": "user", "content": parts(*texts)}])
            self.assertEqual(answer.status, status, texts)

    def test_a_directive_is_no_part_of_the_message(self) -> None:
        content = "[mock tps=1000 ttft=0 stall=0 stall_after=3] a b c d e f g error"
        for answer in (post("responses", input=content), post("completions", prompt=content)):
            self.assertEqual(answer.status, 429)

    def test_an_embedding_knows_none(self) -> None:
        self.assertEqual(post("embeddings", input="error").status, 200)


class CompletionTests(SynchronousTestCase):
    def test_each_prompt_is_answered_n_times(self) -> None:
        body = post("completions", prompt=["hello", "ping"], n=2).json()
        self.assertEqual([choice["index"] for choice in body["choices"]], [0, 1, 2, 3])
        texts = [choice["text"] for choice in body["choices"]]
        self.assertEqual(texts, [text(chat("hello"))] * 2 + [text(chat("ping"))] * 2)

    def test_a_stream_adds_up_to_the_buffered_text(self) -> None:
        members = {"prompt": ["hello", "ping"], "stream": True, "stream_options": {"include_usage": True}}
        *data, end = [event.data for event in events(post("completions", **members).body)]
        self.assertEqual(end, "[DONE]")
        *documents, last = map(json.loads, data)
        self.assertEqual((last["choices"], last["usage"]["prompt_tokens"]), ([], 3))
        choices = [document["choices"][0] for document in documents]
        for index, content in enumerate(["hello", "ping"]):
            own = [choice for choice in choices if choice["index"] == index]
            self.assertEqual("".join(choice["text"] for choice in own), text(chat(content)))
            self.assertEqual([choice["finish_reason"] for choice in own], [None] * (len(own) - 1) + ["stop"])

    def test_echo_limit_and_logprobs(self) -> None:
        (choice,) = post("completions", prompt="hello", echo=True, max_tokens=2).json()["choices"]
        self.assertEqual((choice["text"], choice["finish_reason"]), ("helloHello! How", "length"))
        (choice,) = post("completions", prompt="hello", logprobs=2).json()["choices"]
        likely = choice["logprobs"]
        for token, offset, tops in zip(
            likely["tokens"], likely["text_offset"], likely["top_logprobs"], strict=True
        ):
            self.assertTrue(choice["text"].startswith(token, offset))
            self.assertEqual(len(tops), 2)

    def test_streamed_logprobs_add_up_to_the_buffered_ones(self) -> None:
        (choice,) = post("completions", prompt="hello", logprobs=1).json()["choices"]
        streamed = post("completions", prompt="hello", logprobs=1, stream=True)
        *data, _ = [event.data for event in events(streamed.body)]
        each = [json.loads(line)["choices"][0]["logprobs"] for line in data]
        for name, whole in choice["logprobs"].items():
            self.assertEqual([one for likely in each if likely for one in likely[name]], whole)

    def test_tokens_are_a_prompt_too(self) -> None:
        for prompt, count in (([1, 2, 3], 1), ([[1, 2, 3], [4]], 2), (None, 1)):
            self.assertEqual(len(post("completions", prompt=prompt).json()["choices"]), count)

    def test_what_does_not_fit_is_named(self) -> None:
        for members, param in (
            ({"prompt": []}, "prompt"),
            ({"prompt": [1, "x"]}, "prompt"),
            ({"prompt": {}}, "prompt"),
            ({"prompt": ["x"] * 65, "n": 2}, "n"),
            ({"prompt": "x" * 100_000, "echo": True, "n": 11}, "n"),
            ({"prompt": "x", "logprobs": 6}, "logprobs"),
        ):
            self.assertEqual(error(post("completions", **members))[:2], (400, param))
        self.assertEqual(post("completions", prompt="error").status, 429)


class EmbeddingTests(SynchronousTestCase):
    def vectors(self, **body: Any) -> list[list[float]]:
        answer = post("embeddings", **body).json()
        self.assertEqual([each["index"] for each in answer["data"]], list(range(len(answer["data"]))))
        return [each["embedding"] for each in answer["data"]]

    def test_they_are_unit_vectors_that_the_text_and_the_model_decide(self) -> None:
        one, other, again = self.vectors(input=["one", "other", "one"])
        self.assertEqual(one, again)
        self.assertNotEqual(one, other)
        self.assertNotEqual([one], self.vectors(input="one", model="another"))
        self.assertEqual([one], self.vectors(input="one"))
        for vector in (one, other):
            self.assertAlmostEqual(math.hypot(*vector), 1, places=5)

    def test_the_model_does_not_see_a_directive(self) -> None:
        self.assertEqual(self.vectors(input="one [mock ttft=0]"), self.vectors(input="one"))

    def test_times_of_many_inputs_are_refused(self) -> None:
        answer = post("embeddings", input=["one"] * 16 + ["two [mock ttft=1]"])
        self.assertEqual((answer.status, answer.json()["error"]["code"]), (400, "invalid_directive"))

    def test_they_are_the_same_on_every_machine(self) -> None:
        (vector,) = self.vectors(input="one", dimensions=64)
        digest = shake_128(b'["m","one"]').digest(4 * 64)
        numbers = struct.unpack("<64i", digest)
        for value, number in zip(vector, numbers, strict=True):
            self.assertAlmostEqual(value, number / math.hypot(*numbers), places=5)

    def test_dimensions_are_those_of_the_model_or_as_asked(self) -> None:
        for model, dimensions, length in (
            ("text-embedding-3-small", None, 1536),
            ("text-embedding-3-large", None, 3072),
            ("text-embedding-3-large", 256, 256),
            ("m", 1, 1),
        ):
            (vector,) = self.vectors(input="x", model=model, dimensions=dimensions)
            self.assertEqual(len(vector), length)
            self.assertAlmostEqual(math.hypot(*vector), 1, places=5)

    def test_base64_is_the_same_as_floats(self) -> None:
        (floats,) = self.vectors(input="x", dimensions=8)
        (packed,) = post("embeddings", input="x", dimensions=8, encoding_format="base64").json()["data"]
        self.assertEqual(list(struct.unpack("<8f", base64.b64decode(packed["embedding"]))), floats)

    def test_tokens_are_an_input_too(self) -> None:
        self.assertEqual(len(self.vectors(input=[1, 2, 3], dimensions=2)), 1)
        self.assertEqual(len(self.vectors(input=[[1, 2], [3]], dimensions=2)), 2)

    def test_two_thousand_inputs_come_piece_by_piece_and_are_the_same(self) -> None:
        wire = Wire()
        connection = wire.connect()
        body = json.dumps({"model": "m", "input": [str(n) for n in range(2048)]})
        head = (
            f"POST {V1}embeddings HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer test-integration-token\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self.assertLess(len(connection.send((head + body).encode())), 200_000)
        connection.leave()
        few = self.vectors(input=["0", "1", "2"], dimensions=4)
        self.assertEqual(self.vectors(input=[str(n) for n in range(2048)], dimensions=4)[:3], few)

    def test_what_does_not_fit_is_named(self) -> None:
        for members, param in (
            ({}, "input"),
            ({"input": ""}, "input"),
            ({"input": []}, "input"),
            ({"input": ["x", ""]}, "input"),
            ({"input": ["x", 1]}, "input"),
            ({"input": ["x"] * 2049}, "input"),
            ({"input": "x", "dimensions": 0}, "dimensions"),
            ({"input": "x", "dimensions": 1537, "model": "text-embedding-3-small"}, "dimensions"),
            ({"input": "x", "dimensions": 5, "model": "text-embedding-ada-002"}, "dimensions"),
            ({"input": "x", "encoding_format": "hex"}, "encoding_format"),
        ):
            self.assertEqual(error(post("embeddings", **members))[:2], (400, param), members)
        self.assertEqual(error(post("embeddings", input="x [mock error=503]"))[0], 503)
