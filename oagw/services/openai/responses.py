"""The Responses API: the buffered response.

``response_request`` has the request body, and ``response_events`` the streamed response.
"""

from itertools import count
from random import Random
from typing import Any

import msgspec
from twisted.web.server import Request

from oagw.services import Env
from oagw.services.openai import pace
from oagw.services.openai.chat import JsonFormat, PlainFormat, served
from oagw.services.openai.completion import Completion, JsonSchema, Limits, complete
from oagw.services.openai.directives import CHAT
from oagw.services.openai.ids import random_id
from oagw.services.openai.models import require
from oagw.services.openai.node import OpenAINode, read
from oagw.services.openai.request_directives import extract_directives
from oagw.services.openai.response_events import broken, events
from oagw.services.openai.response_request import RESULTS, ResponseRequest, ResponseSchemaFormat, TextConfig
from oagw.services.openai.response_tools import tool_box
from oagw.services.openai.tokens import conversation, logprob
from oagw.web.reply import Reply
from oagw.web.stream import Stream

_response_request = msgspec.json.Decoder(ResponseRequest)

# ``incomplete_details.reason`` by the finish reason of the completion.
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}

# Parameters that the response repeats if they are given.
_REPEATED = (
    "max_tool_calls",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
)


class Responses(OpenAINode):
    """POST /v1/responses {"model": str, "input": str or [...], ...} → 200.

    Buffered, the body is a ``response``. Streamed, it is named events from ``response.created`` to
    ``response.completed`` (or ``response.incomplete`` at a limit), with tokens 50 ms apart. Responses are not
    stored: ``previous_response_id`` is echoed, but the earlier input is unknown.
    """

    def __init__(self, env: Env) -> None:
        super().__init__()
        self._env = env

    def render_POST(self, request: Request) -> Reply | Stream:
        body = read(request, _response_request, newer=True)
        body.check()
        require(body.model, self._env)
        items = body.items()
        texts = [item.text() for item in items]
        last = next((at for at in reversed(range(len(items))) if items[at].role == "user"), None)
        text, directives = extract_directives(
            "" if last is None else texts[last], body.metadata, "input", CHAT
        )
        answered = bool(items) and items[-1].type in RESULTS
        toolbox = tool_box(body.tools, body.tool_choice, body.parallel_tool_calls is not False)
        form = body.text.format if body.text else None
        schema = JsonSchema(form.name, form.schema) if isinstance(form, ResponseSchemaFormat) else None
        top = (body.top_logprobs or 0) if "message.output_text.logprobs" in (body.include or ()) else None
        completion = complete(
            text,
            directives,
            Limits(body.max_output_tokens, logprobs=top),
            calls=toolbox.calls(text, directives, answered),
            json_format=schema or isinstance(form, JsonFormat),
            location="text.format.schema",
        )
        prompt = conversation([body.instructions or "", *texts])
        response = self._response(body, completion, top, prompt, self._env.random(request))
        if body.stream:
            numbers = count()
            writes = events(response, completion, top, numbers)
            return pace.stream(
                self._env,
                writes,
                directives,
                prompt + completion.tokens,
                lambda _pieces: broken(next(numbers)),
            )
        return pace.buffered(self._env, response, directives, completion.tokens, prompt + completion.tokens)

    def _response(
        self, body: ResponseRequest, completion: Completion, top: int | None, prompt: int, random: Random
    ) -> dict[str, Any]:
        """Return the body of the response."""
        now = int(self._env.wall())
        text = body.text or TextConfig()
        reasoning = msgspec.to_builtins(body.reasoning) if body.reasoning else {}
        repeated = {name: value for name in _REPEATED if (value := getattr(body, name)) is not None}
        return {
            "id": random_id(random, "resp_", 48),
            "object": "response",
            "created_at": now,
            "completed_at": None if completion.is_truncated else now,
            "status": "incomplete" if completion.is_truncated else "completed",
            "background": False,
            "error": None,
            "incomplete_details": {"reason": _INCOMPLETE[completion.finish]}
            if completion.is_truncated
            else None,
            "instructions": body.instructions,
            "max_output_tokens": body.max_output_tokens,
            "metadata": body.metadata or {},
            "model": body.model,
            "output": _output(completion, top, random),
            "parallel_tool_calls": body.parallel_tool_calls is not False,
            "previous_response_id": body.previous_response_id,
            "reasoning": {"effort": None, "summary": None}
            | {name: value for name, value in reasoning.items() if value is not None},
            "service_tier": served(body.service_tier),
            "temperature": 1.0 if body.temperature is None else body.temperature,
            "text": TextConfig(text.format or PlainFormat(), text.verbosity or "medium"),
            "tool_choice": body.tool_choice or "auto",
            "tools": body.tools or [],
            "top_logprobs": body.top_logprobs or 0,
            "top_p": 1.0 if body.top_p is None else body.top_p,
            "truncation": body.truncation or "disabled",
            "usage": {
                "input_tokens": prompt,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": completion.tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": prompt + completion.tokens,
            },
            "user": body.user,
            **repeated,
        }


def _output(completion: Completion, top: int | None, random: Random) -> list[dict[str, Any]]:
    """Return the items of the output: a message, or the tool calls."""
    if completion.kind != "calls":
        return [_message(completion, top, random_id(random, "msg_"))]
    items: list[dict[str, Any]] = []
    for number, call in enumerate(completion.calls, 1):
        named = {"call_id": random_id(random, "call_"), "name": call.name}
        if call.kind == "custom":
            own = {"id": random_id(random, "ctc_"), "type": "custom_tool_call"} | named | {"input": call.text}
        else:
            cut = completion.is_truncated and number == len(completion.calls)
            own = {"id": random_id(random, "fc_"), "type": "function_call"} | named
            own |= {"arguments": call.text, "status": "incomplete" if cut else "completed"}
        items.append(own)
    return items


def _message(completion: Completion, top: int | None, id: str) -> dict[str, Any]:
    status = "incomplete" if completion.is_truncated else "completed"
    part: dict[str, Any] = {"type": "refusal", "refusal": completion.text}
    if completion.kind == "content":
        likely = [] if top is None else [logprob(piece, top) for piece in completion.cut()]
        part = {"type": "output_text", "text": completion.text, "annotations": [], "logprobs": likely}
    return {"id": id, "type": "message", "role": "assistant", "status": status, "content": [part]}
