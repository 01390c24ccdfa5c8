"""docs/openai.md: it lists every directive, and every parameter of ``openai``; each row is true."""

import inspect
import json
import re
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

import pytest
from openai.resources import Models
from openai.types import completion_create_params, embedding_create_params
from openai.types.chat import completion_create_params as chat_create_params
from openai.types.chat.chat_completion_content_part_param import ChatCompletionContentPartParam
from openai.types.chat.chat_completion_message_param import ChatCompletionMessageParam
from openai.types.responses import response_create_params
from openai.types.responses.response_input_item_param import ResponseInputItemParam
from openai.types.responses.response_input_message_content_list_param import (
    ResponseInputMessageContentListParam,
)
from openai.types.responses.tool_param import ToolParam

from oagw.config import Config
from oagw.services.openai.chat import ChatRequest
from oagw.services.openai.completions import CompletionRequest
from oagw.services.openai.directives import Directives
from oagw.services.openai.embeddings import EmbeddingRequest
from oagw.services.openai.messages import ContentPart, Message
from oagw.services.openai.response_request import ITEMS, PARTS, ResponseRequest
from oagw.services.openai.response_tools import HOSTED, ResponseCustomTool, ResponseFunctionTool
from tests.docs.pages import PAGES
from tests.support.wire import Answer, Wire

PAGE = PAGES["docs/openai.md"]
V1 = "/api/oagw/v1/proxy/openai/v1/"

ENDPOINTS = ("chat/completions", "responses", "completions", "embeddings")

# What the package sends to each endpoint.
KNOWN = {
    "chat/completions": (
        chat_create_params.CompletionCreateParamsNonStreaming,
        chat_create_params.CompletionCreateParamsStreaming,
    ),
    "responses": (
        response_create_params.ResponseCreateParamsNonStreaming,
        response_create_params.ResponseCreateParamsStreaming,
    ),
    "completions": (
        completion_create_params.CompletionCreateParamsNonStreaming,
        completion_create_params.CompletionCreateParamsStreaming,
    ),
    "embeddings": (embedding_create_params.EmbeddingCreateParams,),
}

# What the mock knows besides.
OWN = {"completions": {"metadata"}}

REQUESTS = {
    "chat/completions": ChatRequest,
    "responses": ResponseRequest,
    "completions": CompletionRequest,
    "embeddings": EmbeddingRequest,
}

USER = {"role": "user", "content": "some words of a question"}
PLAIN: dict[str, dict[str, Any]] = {
    "chat/completions": {"model": "m", "messages": [USER]},
    "responses": {"model": "m", "input": "some words of a question"},
    "completions": {"model": "m", "prompt": "some words of a question"},
    "embeddings": {"model": "m", "input": "some words of a question"},
}

FUNCTION = {"name": "f", "parameters": {"type": "object"}}
OTHER = {"name": "g", "parameters": {"type": "object"}}
TOOLS = {
    "chat/completions": [{"type": "function", "function": each} for each in (FUNCTION, OTHER)],
    "responses": [{"type": "function"} | each for each in (FUNCTION, OTHER)],
}

# A value of each parameter that is not its default: the same at all endpoints, or by endpoint.
SAMPLES: dict[str, Any] = {
    "access_programs": {"cyber": "standard"},
    "audio": {"voice": "ash", "format": "mp3"},
    "background": False,
    "background_options": {"completion_window": "2h"},
    "best_of": 3,
    "context_management": [{"type": "compaction", "compact_threshold": 1000}],
    "conversation": "conv_1",
    "dimensions": 5,
    "echo": True,
    "encoding_format": "base64",
    "frequency_penalty": 1.5,
    "function_call": "none",
    "functions": [FUNCTION],
    "image": {"context_compression": "disabled"},
    "include": ["message.output_text.logprobs"],
    "input": "other",
    "instructions": "Be brief.",
    "logit_bias": {"50256": -100},
    "logprobs": {"chat/completions": True, "completions": 2},
    "max_completion_tokens": 1,
    "max_output_tokens": 16,
    "max_tokens": 1,
    "max_tool_calls": 3,
    "messages": [{"role": "user", "content": "other"}],
    "metadata": {"mock_reply": "other"},
    "modalities": ["text"],
    "model": "other",
    "moderation": {"model": "omni-moderation-latest"},
    "n": 2,
    "parallel_tool_calls": False,
    "prediction": {"type": "content", "content": "x"},
    "presence_penalty": 1.5,
    "previous_response_id": "resp_1",
    "prompt": {"responses": {"id": "pmpt_1"}, "completions": "other"},
    "prompt_cache_key": "key",
    "prompt_cache_options": {"mode": "explicit"},
    "prompt_cache_retention": "24h",
    "reasoning": {"effort": "low", "summary": "auto"},
    "reasoning_effort": "low",
    "response_format": {"type": "json_object"},
    "safety_identifier": "someone",
    "seed": 5,
    "service_tier": "flex",
    "stop": "words",
    "store": True,
    "stream": True,
    "stream_options": {
        "chat/completions": {"include_usage": True},
        "responses": {"include_obfuscation": True},
        "completions": {"include_usage": True},
    },
    "suffix": "the end",
    "temperature": 0.5,
    "text": {"format": {"type": "json_object"}},
    "tool_choice": "none",
    "tools": TOOLS,
    "top_logprobs": 2,
    "top_p": 0.5,
    "truncation": "auto",
    "user": "someone",
    "verbosity": "low",
    "web_search_options": {"search_context_size": "low"},
}

# What a request must have besides for a parameter to have a meaning.
SEVERAL = {"mock_tool": "f,g"}
WITH: dict[str, dict[str, Any]] = {
    "function_call": {"functions": [FUNCTION]},
    "max_output_tokens": {"metadata": {"mock_tokens": "20"}},
    "parallel_tool_calls": {"tools": TOOLS, "metadata": SEVERAL},
    "stream_options": {"stream": True},
    "tool_choice": {"tools": TOOLS},
    "top_logprobs": {
        "chat/completions": {"logprobs": True},
        "responses": {"include": ["message.output_text.logprobs"]},
    },
}


def table() -> dict[str, dict[str, str]]:
    """What the table says of each parameter: by endpoint, where the cell is not empty."""
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", PAGE, re.MULTILINE)
    found = {}
    for name, cells in rows:
        *claims, _ = [cell.strip() for cell in cells.split("|")]
        found[name] = {path: claim for path, claim in zip(ENDPOINTS, claims, strict=True) if claim}
    assert len(found) == len(rows)
    return found


ROWS = [(path, name, claim) for name, claims in table().items() for path, claim in claims.items()]


def of(path: str, value: Any) -> Any:
    """``value``, or the part of it that is for the endpoint ``path``."""
    if isinstance(value, Mapping):
        if path in value:
            return value[path]
        return {key: of(path, part) for key, part in value.items()}
    return value


def ask(path: str, config: Config | None = None, /, **members: Any) -> Answer:
    return Wire(config or Config(seed=7)).post_json(V1 + path, PLAIN[path] | members)


def without(answer: Answer, name: str) -> Any:
    """The body of ``answer`` without the member ``name``."""
    if answer.type != "application/json":
        lines = answer.body.decode().splitlines()
        data = [line.removeprefix("data: ") for line in lines if line.startswith("data: {")]
        return [json.loads(line) for line in data]
    body = answer.json()
    body.pop(name, None)
    return body


@pytest.mark.parametrize("path", ENDPOINTS)
def test_the_table_has_every_parameter_that_the_package_knows(path: str) -> None:
    known = {name for type in KNOWN[path] for name in get_type_hints(type)}
    listed = {name for name, claims in table().items() if path in claims}
    assert listed == known | OWN.get(path, set())
    assert listed == set(REQUESTS[path].__struct_encode_fields__)


def test_models_take_a_name_in_the_path_and_nothing_else() -> None:
    own = {"extra_headers", "extra_query", "extra_body", "timeout", "self"}
    assert set(inspect.signature(Models.list).parameters) - own == set()
    assert set(inspect.signature(Models.retrieve).parameters) - own == {"model"}
    assert Wire().ask("GET", V1 + "models").status == 200
    assert Wire().ask("GET", V1 + "models/gpt-4").json()["id"] == "gpt-4"
    assert Wire().ask("DELETE", V1 + "models/gpt-4").status == 405


@pytest.mark.parametrize(("path", "name", "claim"), ROWS, ids=lambda value: str(value))
def test_a_row_is_true(path: str, name: str, claim: str) -> None:
    base, sample = of(path, WITH.get(name, {})), of(path, SAMPLES[name])
    before, after = ask(path, **base), ask(path, **base | {name: sample})
    assert before.status == 200, before.body
    if claim == "refused":
        error = after.json()["error"]
        assert (after.status, error["param"], error["code"]) == (400, name, "unsupported_parameter")
        assert ask(path, **base | {name: None}).status == 200
    elif claim == "accepted":
        assert after.status == 200, after.body
        assert without(after, name) == without(before, name)
    elif name == "model":
        strict = Config(strict_models=True)
        assert (ask(path, strict, model="x").status, ask(path, strict, model="gpt-4").status) == (404, 200)
        assert after.json()["model"] == sample
    elif name == "parallel_tool_calls":
        assert (after.status, after.json()["error"]["code"]) == (400, "invalid_directive")
    else:
        assert claim == "done"
        assert after.status == 200, after.body
        assert without(after, name) != without(before, name)


@pytest.mark.parametrize(
    ("path", "name"), [(path, name) for path, name, claim in ROWS if claim != "refused"], ids=str
)
def test_the_value_of_a_parameter_is_checked(path: str, name: str) -> None:
    values: list[Any] = [{"x": [[]]}, [[]], "x" * 2000, 1.5]
    answers = [ask(path, **{name: value}) for value in values]
    named = [
        answer.json()["error"]["param"] or ""
        for answer in answers
        if answer.status == 400 and answer.json()["error"]["type"] == "invalid_request_error"
    ]
    assert any(re.match(rf"{name}\b", param) for param in named), named


@pytest.mark.parametrize("path", ENDPOINTS)
def test_any_other_parameter_is_refused(path: str) -> None:
    for name in set(SAMPLES) - {name for name, claims in table().items() if path in claims} | {"top_k"}:
        answer = ask(path, **{name: 1})
        assert answer.status == 400
        assert name in answer.json()["error"]["message"]


def literals(*types: Any, member: str = "type") -> set[str]:
    """The values that ``member`` has in these typed dictionaries."""
    found: set[str] = set()
    for type in types:
        hint = get_type_hints(type).get(member)
        for part in (hint, *get_args(hint)):
            found |= {value for value in get_args(part) if isinstance(value, str)}
    return found


def test_what_the_package_knows_within_is_known_too() -> None:
    messages = {name for type in get_args(ChatCompletionMessageParam) for name in get_type_hints(type)}
    assert messages <= set(Message.__struct_encode_fields__)
    parts = {name for type in get_args(ChatCompletionContentPartParam) for name in get_type_hints(type)}
    assert parts <= set(ContentPart.__struct_encode_fields__)
    assert literals(*get_args(ResponseInputItemParam)) <= ITEMS
    assert {"message", "function_call", "reasoning"} <= literals(*get_args(ResponseInputItemParam))
    (part,) = get_args(ResponseInputMessageContentListParam)
    assert {"input_text"} <= literals(*get_args(part)) <= set(PARTS)
    types = literals(*get_args(ToolParam))
    assert {"function", "custom", "web_search", "mcp"} <= types <= HOSTED | {"function", "custom"}
    for type, struct in (("function", ResponseFunctionTool), ("custom", ResponseCustomTool)):
        (tool,) = [each for each in get_args(ToolParam) if type in literals(each)]
        assert set(get_type_hints(tool)) - {"type"} == set(struct.__struct_encode_fields__)


def test_the_directives_are_those_there_are() -> None:
    directives = PAGE.partition("| Directive")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)=", directives)) == set(Directives.__struct_fields__)
