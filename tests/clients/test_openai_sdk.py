"""The official ``openai`` package talks to the OpenAI upstream unchanged, and gets what it parses."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types import Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from oagw.testing import MockGateway

# A hung server is a failed test, not a hung one. In seconds.
PATIENCE = 20.0


def connect(gateway: MockGateway, **options: Any) -> OpenAI:
    """A client of the gateway; ``options`` override those of the SDK."""
    settings = {
        "base_url": gateway.alias_url("openai") + "/v1",
        "api_key": gateway.token,
        "max_retries": 0,
        "timeout": PATIENCE,
    }
    return OpenAI(**settings | options)


def user(content: str) -> list[Any]:
    """A conversation of one user message."""
    return [{"role": "user", "content": content}]


def spoken(chunks: Any) -> str:
    """The text of a streamed reply."""
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


@pytest.fixture(scope="module")
def client(oagw_gateway: MockGateway) -> Iterator[OpenAI]:
    with connect(oagw_gateway) as client:
        yield client


# Buffered replies


def test_a_completion_is_an_answer_of_the_assistant(client: OpenAI) -> None:
    completion = client.chat.completions.create(model="gpt-4", messages=user("hello there"))

    (choice,) = completion.choices
    assert choice.index == 0
    assert choice.message.role == "assistant"
    assert choice.message.content.startswith("Hello")
    assert choice.finish_reason == "stop"


def test_a_completion_echoes_the_model_that_was_asked_for(client: OpenAI) -> None:
    completion = client.chat.completions.create(model="my-own-model", messages=user("hello"))

    assert completion.model == "my-own-model"


def test_a_completion_quotes_the_last_user_message(client: OpenAI) -> None:
    messages = [
        {"role": "system", "content": "You are a parrot."},
        *user("the first question"),
        {"role": "assistant", "content": "the first answer"},
        *user("the second question"),
        {"role": "assistant", "content": "wait"},
    ]

    completion = client.chat.completions.create(model="gpt-4", messages=messages)

    assert "the second question" in completion.choices[0].message.content
    assert "the first" not in completion.choices[0].message.content


def test_a_completion_was_created_now(client: OpenAI) -> None:
    before = int(time.time())

    completion = client.chat.completions.create(model="gpt-4", messages=user("hello"))

    assert before <= completion.created <= time.time()


def test_the_body_of_a_completion_fits_the_strict_model(client: OpenAI) -> None:
    """The SDK itself parses leniently; here a wrong type or a member it does not know is an error."""
    raw = client.chat.completions.with_raw_response.create(model="gpt-4", messages=user("hello"))

    ChatCompletion.model_validate(raw.http_response.json(), strict=True, extra="forbid")


def test_the_sdk_finds_the_request_id_of_a_completion(client: OpenAI) -> None:
    one = client.chat.completions.create(model="gpt-4", messages=user("hello"))
    other = client.chat.completions.create(model="gpt-4", messages=user("hello"))

    assert one._request_id
    assert one._request_id != other._request_id


def test_every_completion_has_an_id_of_its_own(client: OpenAI) -> None:
    ids = [client.chat.completions.create(model="gpt-4", messages=user("hello")).id for _ in range(20)]

    assert len(set(ids)) == 20
    assert all(id.startswith("chatcmpl-") for id in ids)


def test_the_total_usage_is_the_sum_of_prompt_and_completion(client: OpenAI) -> None:
    usage = client.chat.completions.create(model="gpt-4", messages=user("some question")).usage

    assert usage.prompt_tokens > 0
    assert usage.completion_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_usage_grows_with_the_text(client: OpenAI) -> None:
    """The reply quotes the prompt, so that both counts grow; neither exceeds one token per character."""
    text = "a question of some words " * 4
    completions = [
        client.chat.completions.create(model="gpt-4", messages=user(text * times)) for times in (1, 2, 3)
    ]
    prompts = [completion.usage.prompt_tokens for completion in completions]
    replies = [completion.usage.completion_tokens for completion in completions]

    assert prompts[0] < prompts[1] < prompts[2] < len(text * 3)
    assert replies[0] < replies[1] < replies[2] < len(completions[2].choices[0].message.content)


def test_usage_counts_every_message_of_the_conversation(client: OpenAI) -> None:
    history = [{"role": "system", "content": "You are kind."}, {"role": "assistant", "content": "I am."}]

    short = client.chat.completions.create(model="gpt-4", messages=user("hello")).usage
    long = client.chat.completions.create(model="gpt-4", messages=[*history, *user("hello")]).usage

    assert long.prompt_tokens > short.prompt_tokens
    assert long.completion_tokens == short.completion_tokens


def test_content_may_be_a_list_of_parts(client: OpenAI) -> None:
    """The texts are joined, and a part without a text is passed over."""
    parts = [
        {"type": "text", "text": "describe the "},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}},
        {"type": "text", "text": "octopus"},
    ]

    in_parts = client.chat.completions.create(model="gpt-4o", messages=user(parts))
    in_one = client.chat.completions.create(model="gpt-4o", messages=user("describe the octopus"))

    assert "describe the octopus" in in_parts.choices[0].message.content
    assert in_parts.choices[0].message.content == in_one.choices[0].message.content
    assert in_parts.usage == in_one.usage


def test_an_assistant_message_may_have_a_tool_call_and_no_content(client: OpenAI) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    messages = [
        *user("what do you see"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "a whale"},
    ]

    completion = client.chat.completions.create(model="gpt-4", messages=messages)

    assert "what do you see" in completion.choices[0].message.content


def test_fields_that_do_not_matter_here_are_accepted(client: OpenAI) -> None:
    completion = client.chat.completions.create(
        model="gpt-4",
        messages=[{"role": "user", "content": "hello", "name": "Ada"}],
        temperature=0.2,
        top_p=0.9,
        n=1,
        seed=7,
        stop=["\n"],
        logit_bias={"50256": -100},
        max_completion_tokens=100,
        response_format={"type": "text"},
        tools=[{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}],
        tool_choice="none",
        metadata={"team": "blue"},
        user="somebody",
        store=False,
        reasoning_effort="low",
        verbosity="high",
        prompt_cache_key="k",
        safety_identifier="s",
        extra_headers={"OpenAI-Beta": "assistants=v2"},
    )

    assert completion.choices[0].message.content.startswith("Hello")


# Streamed replies


@pytest.mark.parametrize("question", ["hello", "a question of  some\n\nwörds 🐙 "])
def test_a_streamed_reply_is_the_buffered_one(client: OpenAI, question: str) -> None:
    buffered = client.chat.completions.create(model="gpt-4", messages=user(question))

    with client.chat.completions.create(model="gpt-4", messages=user(question), stream=True) as stream:
        chunks = list(stream)

    assert spoken(chunks) == buffered.choices[0].message.content
    assert len(chunks) > 3  # in pieces, not at once


def test_a_stream_opens_with_the_role_and_closes_with_the_finish_reason(client: OpenAI) -> None:
    with client.chat.completions.create(model="gpt-4", messages=user("hello"), stream=True) as stream:
        choices = [choice for chunk in stream for choice in chunk.choices]

    assert [choice.delta.role for choice in choices] == ["assistant"] + [None] * (len(choices) - 1)
    assert [choice.finish_reason for choice in choices] == [None] * (len(choices) - 1) + ["stop"]
    assert {choice.index for choice in choices} == {0}


def test_the_chunks_of_a_stream_belong_together(client: OpenAI) -> None:
    with client.chat.completions.create(model="my-own-model", messages=user("hello"), stream=True) as one:
        chunks = list(one)
    with client.chat.completions.create(model="my-own-model", messages=user("hello"), stream=True) as other:
        other_id = next(other).id

    assert {(chunk.id, chunk.created, chunk.model) for chunk in chunks} == {
        (chunks[0].id, chunks[0].created, "my-own-model")
    }
    assert chunks[0].id.startswith("chatcmpl-")
    assert chunks[0].id != other_id


@pytest.mark.parametrize("stream_options", [{}, {"stream_options": {"include_usage": True}}])
def test_the_events_of_a_stream_fit_the_strict_model(client: OpenAI, stream_options: dict[str, Any]) -> None:
    """The SDK itself parses leniently; here a wrong type or a member it does not know is an error."""
    with client.chat.completions.with_streaming_response.create(
        model="gpt-4", messages=user("hello"), stream=True, **stream_options
    ) as response:
        lines = [line for line in response.iter_lines() if line]

    assert response.headers["content-type"].startswith("text/event-stream")
    assert all(line.startswith("data: ") for line in lines)
    *events, end = (line.removeprefix("data: ") for line in lines)
    assert end == "[DONE]"
    for event in events:
        ChatCompletionChunk.model_validate(json.loads(event), strict=True, extra="forbid")


def test_a_stream_ends_with_the_usage_where_it_is_asked_for(client: OpenAI) -> None:
    buffered = client.chat.completions.create(model="gpt-4", messages=user("some question"))

    with client.chat.completions.create(
        model="gpt-4",
        messages=user("some question"),
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        *chunks, last = stream

    assert last.choices == []
    assert last.usage == buffered.usage
    assert all("usage" in chunk.model_fields_set and chunk.usage is None for chunk in chunks)


@pytest.mark.parametrize("stream_options", [{}, {"stream_options": {"include_usage": False}}])
def test_a_stream_says_nothing_of_usage_unasked(client: OpenAI, stream_options: dict[str, Any]) -> None:
    with client.chat.completions.create(
        model="gpt-4", messages=user("hello"), stream=True, **stream_options
    ) as stream:
        chunks = list(stream)

    assert not any("usage" in chunk.model_fields_set for chunk in chunks)
    assert all(chunk.choices for chunk in chunks)


def test_the_sdk_accumulates_a_stream_to_the_buffered_completion(client: OpenAI) -> None:
    """``chat.completions.stream`` keeps a completion that it builds from the deltas."""
    buffered = client.chat.completions.create(model="gpt-4", messages=user("some question"))

    with client.chat.completions.stream(
        model="gpt-4", messages=user("some question"), stream_options={"include_usage": True}
    ) as stream:
        accumulated = stream.get_final_completion()

    assert accumulated.object == "chat.completion"
    assert accumulated.choices[0].message.role == "assistant"
    assert accumulated.choices[0].message.content == buffered.choices[0].message.content
    assert accumulated.choices[0].finish_reason == "stop"
    assert accumulated.usage == buffered.usage


def test_a_stream_may_be_left_early(client: OpenAI) -> None:
    """The connection is dropped amid the reply; the client and the server go on."""
    with client.chat.completions.create(model="gpt-4", messages=user("hello"), stream=True) as stream:
        next(stream)

    completion = client.chat.completions.create(model="gpt-4", messages=user("hello"))

    assert completion.choices[0].message.content.startswith("Hello")


def test_fifty_parallel_streams_do_not_mix(oagw_gateway: MockGateway, client: OpenAI) -> None:
    """All have read their first chunk before any reads its second, so that all fifty are open at once."""
    questions = [f"question number {n} of fifty" for n in range(50)]
    buffered = [client.chat.completions.create(model="gpt-4", messages=user(q)) for q in questions]

    async def ask(client: AsyncOpenAI, question: str, all_open: asyncio.Barrier) -> tuple[str, set[str]]:
        async with await client.chat.completions.create(
            model="gpt-4", messages=user(question), stream=True
        ) as stream:
            chunks = [await anext(stream)]
            await all_open.wait()
            chunks += [chunk async for chunk in stream]
        return spoken(chunks), {chunk.id for chunk in chunks}

    async def ask_all() -> list[tuple[str, set[str]]]:
        all_open = asyncio.Barrier(len(questions))
        async with (
            AsyncOpenAI(
                base_url=oagw_gateway.alias_url("openai") + "/v1",
                api_key=oagw_gateway.token,
                max_retries=0,
                timeout=PATIENCE,
            ) as client,
            asyncio.TaskGroup() as group,
        ):
            tasks = [group.create_task(ask(client, question, all_open)) for question in questions]
        return [task.result() for task in tasks]

    replies = asyncio.run(ask_all())

    assert [text for text, _ in replies] == [b.choices[0].message.content for b in buffered]
    assert [len(ids) for _, ids in replies] == [1] * 50  # one id through each stream,
    assert len(set.union(*(ids for _, ids in replies))) == 50  # and another in every stream


# Models


def test_models_are_listed(client: OpenAI) -> None:
    models = client.models.list()

    assert models.object == "list"
    assert {"gpt-4", "gpt-3.5-turbo"} <= {model.id for model in models}
    for model in models:
        Model.model_validate(model.model_dump(), strict=True, extra="forbid")


def test_every_listed_model_can_be_retrieved(client: OpenAI) -> None:
    models = list(client.models.list())

    assert models
    assert [client.models.retrieve(model.id) for model in models] == models


# Errors, each as the SDK's own exception


def test_missing_messages_are_a_bad_request(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="gpt-4", messages=openai.omit)

    assert caught.value.status_code == 400
    assert caught.value.type == "invalid_request_error"
    assert caught.value.param == "messages"
    assert "messages" in caught.value.body["message"]


def test_a_parameter_that_the_api_does_not_have_is_a_bad_request(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="gpt-4", messages=user("hello"), extra_body={"top_k": 5})

    assert caught.value.body["message"] == "Unrecognized request argument supplied: top_k"
    assert caught.value.type == "invalid_request_error"


def test_empty_messages_are_a_bad_request(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="gpt-4", messages=[])

    assert caught.value.type == "invalid_request_error"
    assert caught.value.param == "messages"
    assert caught.value.code == "empty_array"


def test_a_bad_request_for_a_stream_is_no_stream(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="gpt-4", messages=[], stream=True)


def test_credentials_of_another_scheme_are_an_authentication_error(oagw_gateway: MockGateway) -> None:
    with (
        connect(oagw_gateway, default_headers={"Authorization": "Basic YTpi"}) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.models.list()

    assert caught.value.status_code == 401
    assert caught.value.response.headers["www-authenticate"] == "Bearer"
    assert caught.value.response.headers["x-oagw-error-source"] == "gateway"


def test_a_wrong_api_key_is_a_permission_denied_error(oagw_gateway: MockGateway) -> None:
    with (
        connect(oagw_gateway, api_key="sk-wrong") as client,
        pytest.raises(openai.PermissionDeniedError) as caught,
    ):
        client.chat.completions.create(model="gpt-4", messages=user("hello"))

    assert caught.value.status_code == 403
    assert caught.value.response.headers["x-oagw-error-source"] == "gateway"


def test_an_unknown_model_is_a_not_found_error(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("gpt-none")

    assert caught.value.status_code == 404
    assert caught.value.code == "model_not_found"
    assert "gpt-none" in caught.value.body["message"]
    assert caught.value.response.headers["x-oagw-error-source"] == "upstream"


@pytest.mark.parametrize("stream", [False, True])
def test_a_message_about_an_error_is_a_rate_limit_error(client: OpenAI, stream: bool) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="gpt-4", messages=user("give me an ERROR"), stream=stream)

    assert caught.value.status_code == 429
    assert caught.value.type == "rate_limit_error"
    assert caught.value.code == "rate_limit_exceeded"
    assert int(caught.value.response.headers["retry-after"]) > 0
    assert caught.value.request_id == caught.value.response.headers["x-request-id"]


def test_a_retrying_client_waits_as_long_as_it_is_told(oagw_gateway: MockGateway) -> None:
    with connect(oagw_gateway, max_retries=1) as client:
        start = time.monotonic()
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(model="gpt-4", messages=user("error"))
        waited = time.monotonic() - start

    assert caught.value.response.request.headers["x-stainless-retry-count"] == "1"
    assert waited >= float(caught.value.response.headers["retry-after"])
