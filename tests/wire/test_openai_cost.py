"""What a request to the OpenAI API may cost, whatever is in it: 0.1 s for each MiB of its body."""

import json
from collections.abc import Callable
from time import thread_time
from typing import Any

import pytest

from tests.support.wire import BEARER, Wire, request

pytestmark = [pytest.mark.usefixtures("frozen_heap"), pytest.mark.timed]

MIB = 1 << 20

# The rule is 0.1; a machine may be slow.
MOST = 0.3

URL = "/api/oagw/v1/proxy/openai/v1/"
LIKELY = {"logprobs": True, "top_logprobs": 20}

Asked = tuple[str, dict[str, Any]]


def chat(text: str, **more: Any) -> Asked:
    return "chat/completions", {"model": "m", "messages": [{"role": "user", "content": text}], **more}


def schema(name: str) -> dict[str, Any]:
    """One that takes all the work that there is."""
    choice = {"oneOf": [{"const": value} for value in range(99)]}
    properties = {f"{name}{number}": choice for number in range(99)}
    return {"type": "object", "properties": properties, "required": list(properties)}


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": schema(name)}}


def grammar(name: str) -> dict[str, Any]:
    form = {"type": "grammar", "grammar": {"syntax": "regex", "definition": "a?" * 9_000}}
    return {"type": "custom", "custom": {"name": name, "format": form}}


NAMES = [f"tool{number}" for number in range(16)]
TOLD = f"[mock {' '.join(f'tool={name}' for name in NAMES)}]"

# Made when they are needed, so that they do not burden other tests.
ASKED: list[Callable[[], Asked]] = [
    lambda: chat("hi", stop=["x" * 1000] * 4),
    lambda: chat("hi", logit_bias={str(number): 1 for number in range(60_000)}),
    lambda: chat("hi [mock tokens=16384]", n=4),
    lambda: chat("hi [mock tokens=1500]", **LIKELY),
    lambda: chat("hi [mock tokens=11]", n=128, **LIKELY),
    lambda: chat(f"hi [mock reply={'a' * 100_000}]", n=9, **LIKELY),
    lambda: chat(f"hi [mock reply={'a' * 100_000}]", n=9),
    lambda: chat("[mock tokens=3] " * (MIB // 16)),
    lambda: chat("[mock] " * (MIB // 7)),
    lambda: chat("[mock " * (MIB // 6)),
    lambda: chat("[mock " + " " * MIB),
    lambda: chat("a " * (MIB // 2)),
    lambda: chat(TOLD, tools=list(map(function, NAMES))),
    lambda: chat(TOLD, tools=list(map(grammar, NAMES))),
    lambda: ("chat/completions", {"model": "m", "messages": [{"role": "user", "content": "a"}] * 30_000}),
    lambda: ("completions", {"model": "m", "prompt": "a " * (MIB // 2), "echo": True}),
    lambda: ("completions", {"model": "m", "prompt": "a " * 300_000, "echo": True, "logprobs": 5}),
    lambda: (
        "completions",
        {"model": "m", "prompt": "a " * 300_000, "echo": True, "logprobs": 0, "stream": True},
    ),
    lambda: ("completions", {"model": "m", "prompt": ["hi [mock tokens=170]"] * 128, "logprobs": 0}),
    lambda: ("completions", {"model": "m", "prompt": [1] * (MIB // 3)}),
    lambda: ("responses", {"model": "m", "input": "hi [mock tokens=16384]", "instructions": "a" * MIB}),
    lambda: ("responses", {"model": "m", "input": [{"role": "user", "content": "a"}] * 30_000}),
    lambda: ("embeddings", {"model": "text-embedding-3-large", "input": ["a"] * 16}),
    lambda: ("embeddings", {"model": "text-embedding-3-large", "input": ["a"] * 2048}),
    lambda: ("embeddings", {"model": "text-embedding-3-large", "input": [1] * (MIB // 3)}),
]


@pytest.mark.parametrize("asked", ASKED)
def test_no_request_takes_long(asked: Callable[[], Asked]) -> None:
    path, body = asked()
    wire, data = Wire(), json.dumps(body).encode()
    for first in (
        (path, {"model": "m"}),
        chat("[mock tool=a]", tools=[grammar("a")]),
        chat("hi", tools=[function("a")], tool_choice="required"),
    ):
        wire.post_json(URL + first[0], first[1])  # loads what is loaded once
    fields = ("Host: gateway", BEARER, "Content-Type: application/json", f"Content-Length: {len(data)}")
    connection = wire.connect()
    started = thread_time()
    answer = connection.send(request(f"POST {URL}{path} HTTP/1.1", *fields) + data)
    taken = thread_time() - started
    connection.leave()
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400")), answer[:200]
    assert taken < MOST * max(1.0, len(data) / MIB), f"{taken:.2f} s for {data[:200]!r}"


def test_the_refusal_of_too_many_tokens_tells_how_many_there_are() -> None:
    path, body = chat("hi [mock tokens=3000]", n=30)
    answer = Wire().post_json(URL + path, body)
    assert answer.status == 400
    assert "30 choices of 3000 tokens" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("tokens", "status"), [(1500, 200), (1600, 400)])
def test_likely_tokens_count_as_well(tokens: int, status: int) -> None:
    path, body = chat(f"hi [mock tokens={tokens}]", **LIKELY)
    assert Wire().post_json(URL + path, body).status == status


def test_what_is_echoed_counts_where_it_has_log_probabilities() -> None:
    body = {"model": "m", "prompt": "a " * 30_000, "echo": True}
    assert Wire().post_json(f"{URL}completions", body).status == 200
    assert Wire().post_json(f"{URL}completions", body | {"logprobs": 0}).status == 400
