"""The official ``openai`` package uses what the OpenAI upstream has beyond a plain chat.

Every body and event is validated by the SDK's own models, strictly: a wrong type or a member that they do
not know is an error.
"""

import base64
import json
import math
from collections.abc import Iterator
from typing import Any, Literal

import openai
import pytest
from jsonschema import Draft202012Validator
from openai import OpenAI
from openai.types import Completion, CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from oagw.testing import MockGateway
from tests.clients.test_openai_sdk import connect, user

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "kelvin"]}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS, "strict": True}}
FLAT_TOOL = {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": True}

CUSTOM = {"type": "custom", "custom": {"name": "shell", "description": "Runs a command."}}
FLAT_CUSTOM = {"type": "custom", "name": "shell", "format": {"type": "text"}}

EVENT = TypeAdapter(ResponseStreamEvent)


class Step(BaseModel):
    explanation: str
    number: int


class Solution(BaseModel):
    """A model with all that structured outputs are used for."""

    steps: list[Step]
    unit: Literal["metre", "second"]
    remark: str | None
    confident: bool


@pytest.fixture(scope="module")
def client(oagw_gateway: MockGateway) -> Iterator[OpenAI]:
    with connect(oagw_gateway) as client:
        yield client


def strict(model: Any, body: Any) -> Any:
    """``body`` as the SDK's ``model``; unknown members and other types fail."""
    return model.model_validate(body, strict=True, extra="forbid")


def lines(response: Any) -> list[str]:
    """The data of all events of a streamed response."""
    return [line.removeprefix("data: ") for line in response.iter_lines() if line.startswith("data: ")]


CHATS = {
    "n": {"n": 3},
    "length": {"max_completion_tokens": 2},
    "logprobs": {"logprobs": True, "top_logprobs": 3},
    "tools": {"tools": [TOOL], "tool_choice": "required"},
    "json_object": {"response_format": {"type": "json_object"}},
    "json_schema": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "w", "schema": PARAMETERS}}
    },
    "refusal": {"metadata": {"mock_refusal": "I will not."}, "logprobs": True},
    "tier": {"service_tier": "flex", "seed": 5},
    "several": {"tools": [TOOL], "metadata": {"mock_tool": "weather,weather"}, "parallel_tool_calls": True},
    "allowed": {
        "tools": [TOOL],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "required",
                "tools": [{"type": "function", "function": {"name": "weather"}}],
            },
        },
    },
    "functions": {"functions": [TOOL["function"] | {"strict": None}], "function_call": {"name": "weather"}},
    "finish_length": {"metadata": {"mock_finish": "length"}},
    "content_filter": {"metadata": {"mock_finish": "content_filter", "mock_reply": "I"}},
}


# Chat


@pytest.mark.parametrize("options", CHATS.values(), ids=CHATS)
def test_the_body_of_a_chat_fits_the_strict_model(client: OpenAI, options: dict[str, Any]) -> None:
    raw = client.chat.completions.with_raw_response.create(model="gpt-4", messages=user("ping"), **options)

    completion = strict(ChatCompletion, raw.http_response.json())
    assert completion.system_fingerprint
    assert len(completion.choices) == options.get("n", 1)


@pytest.mark.parametrize("options", CHATS.values(), ids=CHATS)
def test_a_streamed_chat_fits_the_strict_model_and_is_the_buffered_one(
    client: OpenAI, options: dict[str, Any]
) -> None:
    buffered = client.chat.completions.create(model="gpt-4", messages=user("ping"), **options)
    with client.chat.completions.with_streaming_response.create(
        model="gpt-4", messages=user("ping"), stream=True, stream_options={"include_usage": True}, **options
    ) as response:
        *data, end = lines(response)

    assert end == "[DONE]"
    *chunks, last = [strict(ChatCompletionChunk, json.loads(line)) for line in data]
    assert last.usage == buffered.usage
    for choice in buffered.choices:
        own = [one for chunk in chunks for one in chunk.choices if one.index == choice.index]
        message = choice.message
        assert "".join(one.delta.content or "" for one in own) == (message.content or "")
        assert "".join(one.delta.refusal or "" for one in own) == (message.refusal or "")
        calls = [call for one in own for call in one.delta.tool_calls or ()]
        arguments = "".join(call.function.arguments for call in calls)
        assert arguments == "".join(call.function.arguments for call in message.tool_calls or ())
        assert [call.index for call in calls if call.id] == list(range(len(message.tool_calls or ())))
        functions = [one.delta.function_call for one in own if one.delta.function_call]
        told = message.function_call.arguments if message.function_call else ""
        assert "".join(function.arguments for function in functions) == told
        assert own[-1].finish_reason == choice.finish_reason


def test_a_custom_tool_is_called_with_text(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-5",
        messages=user("list the files"),
        tools=[TOOL, CUSTOM],
        tool_choice={"type": "custom", "custom": {"name": "shell"}},
    )

    completion = strict(ChatCompletion, raw.http_response.json())
    (call,) = completion.choices[0].message.tool_calls
    assert (call.type, call.custom.name, call.custom.input) == ("custom", "shell", "list the files")


def test_a_streamed_call_of_a_custom_tool_comes_in_fragments(client: OpenAI) -> None:
    """The SDK's model of a chunk knows functions only, so that this one is not validated strictly."""
    with client.chat.completions.create(
        model="gpt-5", messages=user("list the files"), tools=[CUSTOM], stream=True
    ) as stream:
        deltas = [call for chunk in stream for call in chunk.choices[0].delta.tool_calls or ()]

    assert (deltas[0].type, deltas[0].custom["name"], deltas[0].index) == ("custom", "shell", 0)
    assert "".join(delta.custom["input"] for delta in deltas) == "list the files"


def test_the_sdk_accumulates_several_calls(client: OpenAI) -> None:
    content = 'x [mock tool=weather tool=weather arguments="{}"]'
    with client.chat.completions.stream(model="gpt-4", messages=user(content), tools=[TOOL]) as stream:
        calls = stream.get_final_completion().choices[0].message.tool_calls

    assert [call.function.name for call in calls] == ["weather", "weather"]
    assert calls[1].function.arguments == "{}"
    assert len({call.id for call in calls}) == 2


def test_a_filtered_completion_is_not_parsed(client: OpenAI) -> None:
    with pytest.raises(openai.ContentFilterFinishReasonError):
        client.chat.completions.parse(
            model="gpt-4o", messages=user("x [mock finish=content_filter]"), response_format=Solution
        )


def test_a_tool_call_is_valid_and_its_result_is_talked_about(client: OpenAI) -> None:
    first = client.chat.completions.create(model="gpt-4", messages=user("the weather?"), tools=[TOOL])
    (choice,) = first.choices
    (call,) = choice.message.tool_calls
    assert (choice.finish_reason, call.function.name) == ("tool_calls", "weather")
    Draft202012Validator(PARAMETERS).validate(json.loads(call.function.arguments))

    result = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    second = client.chat.completions.create(
        model="gpt-4", messages=[*user("the weather?"), choice.message, result], tools=[TOOL]
    )
    assert "the weather?" in second.choices[0].message.content


def test_the_sdk_accumulates_the_fragments_of_a_tool_call(client: OpenAI) -> None:
    with client.chat.completions.stream(model="gpt-4", messages=user("x"), tools=[TOOL]) as stream:
        deltas = [event for event in stream if event.type == "tool_calls.function.arguments.delta"]
        final = stream.get_final_completion()

    assert len(deltas) > 2
    assert final.choices[0].message.tool_calls[0].function.parsed_arguments.keys() == {"city", "unit"}


def test_a_pydantic_model_is_parsed(client: OpenAI) -> None:
    completion = client.chat.completions.parse(
        model="gpt-4o", messages=user("solve it"), response_format=Solution
    )

    assert isinstance(completion.choices[0].message.parsed, Solution)
    assert completion.choices[0].message.parsed.steps


def test_a_chat_at_its_limit_is_not_parsed(client: OpenAI) -> None:
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(
            model="gpt-4o", messages=user("solve it"), response_format=Solution, max_tokens=1
        )


def test_headers_are_where_clients_look(client: OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="gpt-4", messages=user("hello"))

    assert int(raw.headers["openai-processing-ms"]) > 0
    assert int(raw.headers["x-ratelimit-remaining-requests"]) < int(raw.headers["x-ratelimit-limit-requests"])
    assert raw.request_id


# Steering


def test_an_error_is_the_exception_of_its_status(client: OpenAI) -> None:
    for status, exception in (
        (401, openai.AuthenticationError),
        (404, openai.NotFoundError),
        (422, openai.UnprocessableEntityError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ):
        with pytest.raises(exception) as caught:
            client.chat.completions.create(model="gpt-4", messages=user(f"x [mock error={status}]"))
        assert caught.value.status_code == status


def test_the_sdk_retries_after_an_error_as_it_is_told(oagw_gateway: MockGateway) -> None:
    with (
        connect(oagw_gateway, max_retries=1) as client,
        pytest.raises(openai.RateLimitError) as caught,
    ):
        client.chat.completions.create(model="gpt-4", messages=user("x [mock error=429]"))
    assert caught.value.response.request.headers["x-stainless-retry-count"] == "1"


def test_a_stream_that_breaks_off_is_an_api_error(client: OpenAI) -> None:
    chunks: list[Any] = []
    with (
        pytest.raises(openai.APIError, match="The server had an error"),
        client.chat.completions.create(
            model="gpt-4", messages=user("x [mock error_after=2]"), stream=True
        ) as stream,
    ):
        chunks.extend(stream)
    assert len(chunks) == 3


@pytest.mark.parametrize("ends", ["reset", "cut"])
def test_a_stream_that_is_cut_is_a_broken_connection(client: OpenAI, ends: str) -> None:
    with (
        pytest.raises(openai.APIConnectionError),
        client.chat.completions.create(
            model="gpt-4", messages=user(f"x [mock error_after=1 ends={ends}]"), stream=True
        ) as stream,
    ):
        list(stream)


def test_a_stall_is_a_timeout(oagw_gateway: MockGateway) -> None:
    with connect(oagw_gateway, timeout=0.3) as client:
        with pytest.raises(openai.APITimeoutError):
            client.chat.completions.create(model="gpt-4", messages=user("x [mock ttft=30]"))
        with (
            pytest.raises(openai.APITimeoutError),
            client.chat.completions.create(
                model="gpt-4", messages=user("x [mock stall=30]"), stream=True
            ) as stream,
        ):
            list(stream)


# Responses


RESPONSES = {
    "plain": {},
    "tools": {"tools": [FLAT_TOOL], "tool_choice": "required"},
    "tool": {"tools": [FLAT_TOOL], "tool_choice": {"type": "function", "name": "weather"}},
    "json_schema": {"text": {"format": {"type": "json_schema", "name": "w", "schema": PARAMETERS}}},
    "refusal": {"metadata": {"mock_refusal": "I will not."}},
    "logprobs": {"include": ["message.output_text.logprobs"], "top_logprobs": 2},
    "length": {"max_output_tokens": 16, "metadata": {"mock_tokens": "20"}},
    "several": {"tools": [FLAT_TOOL], "metadata": {"mock_tool": "weather,weather"}},
    "custom": {"tools": [FLAT_TOOL, FLAT_CUSTOM], "tool_choice": {"type": "custom", "name": "shell"}},
    "allowed": {
        "tools": [FLAT_TOOL],
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "auto",
            "tools": [{"type": "function", "name": "weather"}],
        },
    },
    "finish_length": {"metadata": {"mock_finish": "length"}},
    "content_filter": {"metadata": {"mock_finish": "content_filter"}, "tools": [FLAT_TOOL]},
    "repeated": {
        "reasoning": {"effort": "low", "summary": "auto"},
        "truncation": "auto",
        "max_tool_calls": 3,
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "store": False,
        "background": False,
    },
    "settings": {"instructions": "Be brief.", "temperature": 0.5, "user": "ada", "service_tier": "flex"},
}


@pytest.mark.parametrize("options", RESPONSES.values(), ids=RESPONSES)
def test_a_response_fits_the_strict_model(client: OpenAI, options: dict[str, Any]) -> None:
    raw = client.responses.with_raw_response.create(model="gpt-4o", input="ping", **options)

    response = strict(Response, raw.http_response.json())
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


@pytest.mark.parametrize("options", RESPONSES.values(), ids=RESPONSES)
def test_the_events_of_a_response_fit_the_strict_models(client: OpenAI, options: dict[str, Any]) -> None:
    with client.responses.with_streaming_response.create(
        model="gpt-4o", input="ping", stream=True, **options
    ) as response:
        events = [
            EVENT.validate_python(json.loads(line), strict=True, extra="forbid") for line in lines(response)
        ]

    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[0].type == "response.created"
    incomplete = "max_output_tokens" in options or "mock_finish" in options.get("metadata", {})
    assert events[-1].type == ("response.incomplete" if incomplete else "response.completed")


def test_a_response_has_the_text(client: OpenAI) -> None:
    assert client.responses.create(model="gpt-4o", input="hello").output_text.startswith("Hello")


def test_the_sdk_accumulates_the_events_of_a_response(client: OpenAI) -> None:
    buffered = client.responses.create(model="gpt-4o", input="ping")

    with client.responses.stream(model="gpt-4o", input="ping") as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()

    assert "".join(deltas) == final.output_text == buffered.output_text
    assert len(deltas) > 3


def test_the_sdk_accumulates_several_calls_of_a_response(client: OpenAI) -> None:
    content = "x [mock tool=weather tool=shell arguments=ls tool=weather]"
    with client.responses.stream(model="gpt-4o", input=content, tools=[FLAT_TOOL, FLAT_CUSTOM]) as stream:
        final = stream.get_final_response()

    assert [item.type for item in final.output] == ["function_call", "custom_tool_call", "function_call"]
    assert final.output[1].input == "ls"


def test_the_output_of_a_response_can_be_sent_back(client: OpenAI) -> None:
    first = client.responses.create(
        model="gpt-4o", input="x [mock tool=weather,shell]", tools=[FLAT_TOOL, FLAT_CUSTOM]
    )
    calls = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
    results = [{"type": calls[item.type], "call_id": item.call_id, "output": "rain"} for item in first.output]

    second = client.responses.create(
        model="gpt-4o", input=[*user("ping"), *first.output, *results], tools=[FLAT_TOOL, FLAT_CUSTOM]
    )

    assert "ping" in second.output_text


def test_a_response_is_parsed_to_a_pydantic_model(client: OpenAI) -> None:
    response = client.responses.parse(model="gpt-4o", input="solve it", text_format=Solution)

    assert isinstance(response.output_parsed, Solution)


# Completions


def test_a_text_completion_fits_the_strict_model(client: OpenAI) -> None:
    raw = client.completions.with_raw_response.create(
        model="gpt-3.5-turbo-instruct", prompt=["hello", "ping"], n=2, logprobs=2, echo=True
    )

    completion = strict(Completion, raw.http_response.json())
    assert [choice.index for choice in completion.choices] == [0, 1, 2, 3]
    assert completion.choices[0].text.startswith("helloHello")


def test_a_streamed_text_completion_is_the_buffered_one(client: OpenAI) -> None:
    buffered = client.completions.create(model="gpt-3.5-turbo-instruct", prompt="ping")

    with client.completions.with_streaming_response.create(
        model="gpt-3.5-turbo-instruct", prompt="ping", stream=True, stream_options={"include_usage": True}
    ) as response:
        *data, end = lines(response)

    assert end == "[DONE]"
    documents = [json.loads(line) for line in data]
    for document in documents[:-2]:
        # The API says null before the end, which the SDK's model, shared with buffered bodies, does not know.
        assert document["choices"][0]["finish_reason"] is None
        document["choices"][0]["finish_reason"] = "stop"
    *chunks, last = [strict(Completion, document) for document in documents]
    assert "".join(chunk.choices[0].text for chunk in chunks) == buffered.choices[0].text
    assert last.usage == buffered.usage


# Embeddings


def test_embeddings_are_unit_vectors_and_fit_the_strict_model(client: OpenAI) -> None:
    raw = client.embeddings.with_raw_response.create(
        model="text-embedding-3-small", input=["one", "other"], encoding_format="float"
    )

    for embedding in strict(CreateEmbeddingResponse, raw.http_response.json()).data:
        assert len(embedding.embedding) == 1536
        assert math.isclose(math.hypot(*embedding.embedding), 1, abs_tol=1e-5)


def test_the_sdk_asks_for_base64_and_finds_the_same_vector(client: OpenAI) -> None:
    floats = client.embeddings.create(
        model="text-embedding-3-large", input="one", dimensions=256, encoding_format="float"
    )
    unpacked = client.embeddings.create(model="text-embedding-3-large", input="one", dimensions=256)
    packed = client.embeddings.create(
        model="text-embedding-3-large", input="one", dimensions=256, encoding_format="base64"
    )

    assert list(unpacked.data[0].embedding) == floats.data[0].embedding
    assert len(base64.b64decode(packed.data[0].embedding)) == 4 * 256


def test_a_thousand_embeddings_come_in_order(client: OpenAI) -> None:
    embeddings = client.embeddings.create(
        model="m", input=[str(number) for number in range(1000)], dimensions=4, encoding_format="float"
    )

    assert [each.index for each in embeddings.data] == list(range(1000))
    assert len({tuple(each.embedding) for each in embeddings.data}) == 1000
