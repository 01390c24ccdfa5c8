"""The Responses API: what may be asked, and the buffered answer. ``response_events`` has the streamed one."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from twisted.web.server import Request

from oagw.services import Env
from oagw.services.openai import pace
from oagw.services.openai.chat import JsonFormat, PlainFormat, Tier
from oagw.services.openai.ids import fresh
from oagw.services.openai.models import require
from oagw.services.openai.response_events import broken, events
from oagw.services.openai.saying import JsonSchema, Limits, Metadata, ModelName, Part, Said, say, text_of
from oagw.services.openai.shape import OpenAINode, read
from oagw.services.openai.steering import steer
from oagw.services.openai.tokens import conversation, logprob
from oagw.services.openai.tools import Function, Toolbox
from oagw.web.reply import Reply
from oagw.web.resource import Refused
from oagw.web.stream import EventStream


class Item(msgspec.Struct):
    """An item of the input: a message, or something of another type that is passed over."""

    type: str = "message"
    role: str | None = None
    content: str | list[Part] | None = None


class SchemaFormat(msgspec.Struct, tag_field="type", tag="json_schema", omit_defaults=True):
    """JSON that is valid against a schema."""

    name: str
    schema: dict[str, Any]
    strict: bool | None = None
    description: str | None = None


class TextConfig(msgspec.Struct, omit_defaults=True):
    """In which form the text is wanted."""

    format: PlainFormat | JsonFormat | SchemaFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class ResponseRequest(msgspec.Struct):
    """The body of a request for a response; members that are not listed are accepted and ignored."""

    model: ModelName
    input: str | list[Item] | None = None
    instructions: str | None = None
    stream: bool | None = None
    max_output_tokens: Annotated[int, Meta(ge=16)] | None = None
    tools: Annotated[list[dict[str, Any]], Meta(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    text: TextConfig | None = None
    include: list[str] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    previous_response_id: str | None = None
    service_tier: Tier | None = None
    metadata: Metadata | None = None
    user: str | None = None


_response_request = msgspec.json.Decoder(ResponseRequest)


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
        asked = read(request, _response_request)
        require(asked.model, self._env)
        items = asked.input or []
        if isinstance(items, str):
            items = [Item(role="user", content=items)]
        texts = [text_of(item.content) for item in items]
        last = next((at for at in reversed(range(len(items))) if items[at].role == "user"), None)
        text, steering = steer("" if last is None else texts[last], asked.metadata, "input")
        answered = bool(items) and items[-1].type == "function_call_output"
        call = _toolbox(asked).call(text, steering, answered)
        form = asked.text.format if asked.text else None
        schema = JsonSchema(form.name, form.schema) if isinstance(form, SchemaFormat) else None
        top = (asked.top_logprobs or 0) if "message.output_text.logprobs" in (asked.include or ()) else None
        said = say(
            text,
            steering,
            Limits(asked.max_output_tokens, logprobs=top or 0),
            call=call,
            form=schema or isinstance(form, JsonFormat),
            place="text.format.schema",
        )
        prompt = conversation([asked.instructions or "", *texts])
        response = self._response(asked, said, top, prompt)
        if asked.stream:
            writes = events(response, said, top)
            opening = 3 if said.kind == "call" else 4
            return pace.stream(
                self._env, writes, steering, prompt + said.tokens, lambda pieces: broken(opening + pieces)
            )
        return pace.buffered(self._env, response, steering, said.tokens, prompt + said.tokens)

    def _response(self, asked: ResponseRequest, said: Said, top: int | None, prompt: int) -> dict[str, Any]:
        """The complete response."""
        random, now = self._env.random, int(self._env.wall())
        cut = said.finish == "length"
        text = asked.text or TextConfig()
        return {
            "id": fresh(random, "resp_", 48),
            "object": "response",
            "created_at": now,
            "completed_at": None if cut else now,
            "status": "incomplete" if cut else "completed",
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "instructions": asked.instructions,
            "max_output_tokens": asked.max_output_tokens,
            "metadata": asked.metadata or {},
            "model": asked.model,
            "output": [_item(said, top, fresh(random, ""), fresh(random, "call_"))],
            "parallel_tool_calls": asked.parallel_tool_calls is not False,
            "previous_response_id": asked.previous_response_id,
            "reasoning": {"effort": None, "summary": None},
            "service_tier": asked.service_tier if asked.service_tier not in (None, "auto") else "default",
            "temperature": 1.0 if asked.temperature is None else asked.temperature,
            "text": TextConfig(text.format or PlainFormat(), text.verbosity or "medium"),
            "tool_choice": asked.tool_choice or "auto",
            "tools": asked.tools or [],
            "top_logprobs": asked.top_logprobs or 0,
            "top_p": 1.0 if asked.top_p is None else asked.top_p,
            "truncation": "disabled",
            "usage": {
                "input_tokens": prompt,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": said.tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": prompt + said.tokens,
            },
            "user": asked.user,
        }


def _item(said: Said, top: int | None, id: str, call: str) -> dict[str, Any]:
    """What is said as an item of the output."""
    status = "incomplete" if said.finish == "length" else "completed"
    if said.kind == "call":
        named = {"id": f"fc_{id}", "type": "function_call", "call_id": call, "name": said.name}
        return named | {"arguments": said.text, "status": status}
    part: dict[str, Any] = {"type": "refusal", "refusal": said.text}
    if said.kind == "content":
        likely = [] if top is None else [logprob(piece, top) for piece in said.spoken()]
        part = {"type": "output_text", "text": said.text, "annotations": [], "logprobs": likely}
    return {"id": f"msg_{id}", "type": "message", "role": "assistant", "status": status, "content": [part]}


def _toolbox(asked: ResponseRequest) -> Toolbox:
    """The Toolbox of a request; tools that are no functions are accepted and never called."""
    functions: dict[str, tuple[Function, str]] = {}
    for at, tool in enumerate(asked.tools or ()):
        if not isinstance(tool.get("type"), str):
            field = f"tools[{at}].type"
            raise Refused(
                400, f"Missing required parameter: '{field}'.", field=field, code="missing_required_parameter"
            )
        if tool["type"] == "function":
            try:
                function = msgspec.convert(tool, Function)
            except msgspec.ValidationError as error:
                message = f"Invalid 'tools[{at}]': {str(error).replace('`', '')}"
                raise Refused(400, message, field=f"tools[{at}]", code="invalid_value") from None
            functions.setdefault(function.name, (function, f"tools[{at}].parameters"))
    choice = asked.tool_choice
    if isinstance(choice, dict):
        if choice.get("type") != "function":
            return Toolbox({}, None, None)  # a tool that is never called
        return Toolbox(functions, None, str(choice.get("name", "")))
    return Toolbox(functions, choice if asked.tools else None, None)
