"""The Responses API: the buffered answer.

``response_request`` has what may be asked, ``response_events`` the streamed answer.
"""

from itertools import count
from typing import Any

import msgspec
from twisted.web.server import Request

from oagw.services import Env
from oagw.services.openai import pace
from oagw.services.openai.chat import JsonFormat, PlainFormat, served
from oagw.services.openai.completion import JsonSchema, Limits, Said, say
from oagw.services.openai.ids import fresh
from oagw.services.openai.models import require
from oagw.services.openai.node import OpenAINode, read
from oagw.services.openai.request_directives import steer
from oagw.services.openai.response_events import broken, events
from oagw.services.openai.response_request import RESULTS, ResponseRequest, SchemaFormat, TextConfig
from oagw.services.openai.response_tools import tool_box
from oagw.services.openai.tokens import conversation, logprob
from oagw.web.reply import Reply
from oagw.web.stream import EventStream

_response_request = msgspec.json.Decoder(ResponseRequest)

# Why a response is incomplete, by why the model stopped.
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}

# Parameters that the answer repeats if they are given.
_REPEATED = (
    "max_tool_calls",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
)


class Responses(OpenAINode):
    """POST /v1/responses {"model": str, "input": str or [...], ...} → 200.

    Buffered, the body is a ``response``. Streamed, it is named events from ``response.created`` to
    ``response.completed`` (``response.incomplete`` at the limit), the pieces 50 ms apart. Nothing is
    stored: ``previous_response_id`` is echoed and the earlier input is not known.
    """

    def __init__(self, env: Env) -> None:
        super().__init__()
        self._env = env

    def render_POST(self, request: Request) -> Reply | EventStream:
        asked = read(request, _response_request, newer=True)
        asked.check()
        require(asked.model, self._env)
        items = asked.items()
        texts = [item.text() for item in items]
        last = next((at for at in reversed(range(len(items))) if items[at].role == "user"), None)
        text, steering = steer("" if last is None else texts[last], asked.metadata, "input")
        answered = bool(items) and items[-1].type in RESULTS
        toolbox = tool_box(asked.tools, asked.tool_choice, asked.parallel_tool_calls is not False)
        form = asked.text.format if asked.text else None
        schema = JsonSchema(form.name, form.schema) if isinstance(form, SchemaFormat) else None
        top = (asked.top_logprobs or 0) if "message.output_text.logprobs" in (asked.include or ()) else None
        said = say(
            text,
            steering,
            Limits(asked.max_output_tokens, logprobs=top),
            calls=toolbox.calls(text, steering, answered),
            form=schema or isinstance(form, JsonFormat),
            place="text.format.schema",
        )
        prompt = conversation([asked.instructions or "", *texts])
        response = self._response(asked, said, top, prompt)
        if asked.stream:
            numbers = count()
            writes = events(response, said, top, numbers)
            return pace.stream(
                self._env, writes, steering, prompt + said.tokens, lambda _pieces: broken(next(numbers))
            )
        return pace.buffered(self._env, response, steering, said.tokens, prompt + said.tokens)

    def _response(self, asked: ResponseRequest, said: Said, top: int | None, prompt: int) -> dict[str, Any]:
        """The complete response."""
        random, now = self._env.random, int(self._env.wall())
        text = asked.text or TextConfig()
        reasoning = msgspec.to_builtins(asked.reasoning) if asked.reasoning else {}
        repeated = {name: value for name in _REPEATED if (value := getattr(asked, name)) is not None}
        return {
            "id": fresh(random, "resp_", 48),
            "object": "response",
            "created_at": now,
            "completed_at": None if said.cut_short else now,
            "status": "incomplete" if said.cut_short else "completed",
            "background": False,
            "error": None,
            "incomplete_details": {"reason": _INCOMPLETE[said.finish]} if said.cut_short else None,
            "instructions": asked.instructions,
            "max_output_tokens": asked.max_output_tokens,
            "metadata": asked.metadata or {},
            "model": asked.model,
            "output": self._output(said, top),
            "parallel_tool_calls": asked.parallel_tool_calls is not False,
            "previous_response_id": asked.previous_response_id,
            "reasoning": {"effort": None, "summary": None}
            | {name: value for name, value in reasoning.items() if value is not None},
            "service_tier": served(asked.service_tier),
            "temperature": 1.0 if asked.temperature is None else asked.temperature,
            "text": TextConfig(text.format or PlainFormat(), text.verbosity or "medium"),
            "tool_choice": asked.tool_choice or "auto",
            "tools": asked.tools or [],
            "top_logprobs": asked.top_logprobs or 0,
            "top_p": 1.0 if asked.top_p is None else asked.top_p,
            "truncation": asked.truncation or "disabled",
            "usage": {
                "input_tokens": prompt,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": said.tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": prompt + said.tokens,
            },
            "user": asked.user,
            **repeated,
        }

    def _output(self, said: Said, top: int | None) -> list[dict[str, Any]]:
        """What is said as items: a message, or the calls."""
        random = self._env.random
        if said.kind != "calls":
            return [_message(said, top, fresh(random, "msg_"))]
        items: list[dict[str, Any]] = []
        for number, call in enumerate(said.calls, 1):
            named = {"call_id": fresh(random, "call_"), "name": call.name}
            if call.kind == "custom":
                own = {"id": fresh(random, "ctc_"), "type": "custom_tool_call"} | named | {"input": call.text}
            else:
                cut = said.cut_short and number == len(said.calls)
                own = {"id": fresh(random, "fc_"), "type": "function_call"} | named
                own |= {"arguments": call.text, "status": "incomplete" if cut else "completed"}
            items.append(own)
        return items


def _message(said: Said, top: int | None, id: str) -> dict[str, Any]:
    status = "incomplete" if said.cut_short else "completed"
    part: dict[str, Any] = {"type": "refusal", "refusal": said.text}
    if said.kind == "content":
        likely = [] if top is None else [logprob(piece, top) for piece in said.spoken()]
        part = {"type": "output_text", "text": said.text, "annotations": [], "logprobs": likely}
    return {"id": id, "type": "message", "role": "assistant", "status": status, "content": [part]}
