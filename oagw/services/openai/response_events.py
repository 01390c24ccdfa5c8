"""A streamed response: named events with sequence numbers."""

from collections.abc import Iterator
from typing import Any

import msgspec

from oagw.services.openai.completion import Completion
from oagw.services.openai.node import SERVER_ERROR
from oagw.services.openai.tokens import FRAGMENTS, cut, logprob

_json = msgspec.json.encode

# For each type of tool call: the prefix of its events, and the member that is streamed.
_CALLS = {
    "function_call": ("response.function_call_arguments", "arguments"),
    "custom_tool_call": ("response.custom_tool_call_input", "input"),
}

# The same for the content parts of a message.
_PARTS = {
    "output_text": ("response.output_text", "text"),
    "refusal": ("response.refusal", "refusal"),
}


def events(
    response: dict[str, Any], completion: Completion, top: int | None, numbers: Iterator[int]
) -> Iterator[bytes]:
    """Yield the writes of a streamed ``response``: one for each token; the last also has the closing events.

    ``top`` is the number of alternatives per token, None for no log probabilities. ``numbers`` yields the
    sequence numbers.
    """
    nothing: dict[str, Any] = {"status": "in_progress", "output": [], "usage": None, "completed_at": None}
    begun = {"response": response | nothing | {"incomplete_details": None}}
    waiting = [_event(name, numbers, begun) for name in ("response.created", "response.in_progress")]
    del begun, nothing
    opened = False
    for index, item in enumerate(response["output"]):
        waiting += _opening(index, item, numbers)
        if not opened:
            opened = True
            yield b"".join(waiting)
            waiting.clear()
        for piece in _pieces(index, item, completion, top, numbers):
            if waiting:
                piece = b"".join(waiting) + piece
                waiting.clear()
            yield piece
        waiting += _closing(index, item, numbers)
    yield b"".join(waiting) + _event(f"response.{response['status']}", numbers, {"response": response})


def broken(number: int) -> bytes:
    """Return the ``error`` event that ends a failed stream, with this sequence number."""
    return _event("error", iter((number,)), {"code": "server_error", "message": SERVER_ERROR, "param": None})


def _opening(index: int, item: dict[str, Any], numbers: Iterator[int]) -> Iterator[bytes]:
    """Yield the events that open the output ``item`` at ``index``."""
    empty = dict(item)
    if "status" in item:
        empty["status"] = "in_progress"
    if item["type"] != "message":
        empty[_CALLS[item["type"]][1]] = ""
        yield _event("response.output_item.added", numbers, {"output_index": index, "item": empty})
        return
    empty["content"] = []
    yield _event("response.output_item.added", numbers, {"output_index": index, "item": empty})
    (part,) = item["content"]
    hollow = part | ({"text": "", "logprobs": []} if part["type"] == "output_text" else {"refusal": ""})
    yield _event("response.content_part.added", numbers, _position(index, item) | {"part": hollow})


def _pieces(
    index: int, item: dict[str, Any], completion: Completion, top: int | None, numbers: Iterator[int]
) -> Iterator[bytes]:
    """Yield the delta events of ``item``, one for each token."""
    name, member = _delta_names(item)
    content = name == "response.output_text"
    pieces = completion.cut() if item["type"] == "message" else cut(item[member], FRAGMENTS)
    name += ".delta"
    front = b"event: %b\ndata: " % name.encode() + _json({"type": name} | _position(index, item))[:-1]
    front += b',"logprobs":[],"delta":' if content and top is None else b',"delta":'
    for piece in pieces:
        likely = b""
        if top is not None and content:
            likely = b',"logprobs":' + _json([_brief(logprob(piece, top))])
        yield b'%b%b%b,"sequence_number":%d}\n\n' % (front, _json(piece), likely, next(numbers))


def _closing(index: int, item: dict[str, Any], numbers: Iterator[int]) -> Iterator[bytes]:
    """Yield the events that close ``item``."""
    position = _position(index, item)
    name, member = _delta_names(item)
    if item["type"] != "message":
        yield _event(f"{name}.done", numbers, position | {member: item[member]})
    else:
        (part,) = item["content"]
        whole = position | {member: part[member]}
        if "logprobs" in part:
            whole["logprobs"] = [_brief(one) for one in part["logprobs"]]
        yield _event(f"{name}.done", numbers, whole)
        yield _event("response.content_part.done", numbers, position | {"part": part})
    yield _event("response.output_item.done", numbers, {"output_index": index, "item": item})


def _delta_names(item: dict[str, Any]) -> tuple[str, str]:
    """Return the prefix of the events for the content of ``item``, and the member that is streamed."""
    return _PARTS[item["content"][0]["type"]] if item["type"] == "message" else _CALLS[item["type"]]


def _position(index: int, item: dict[str, Any]) -> dict[str, Any]:
    position: dict[str, Any] = {"item_id": item["id"], "output_index": index}
    return position | {"content_index": 0} if item["type"] == "message" else position


def _event(name: str, numbers: Iterator[int], members: dict[str, Any]) -> bytes:
    document = {"type": name, "sequence_number": next(numbers)} | members
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _json(document))


def _brief(likely: dict[str, Any]) -> dict[str, Any]:
    """Return a log probability without the members that events do not have."""
    tops = [{"token": one["token"], "logprob": one["logprob"]} for one in likely["top_logprobs"]]
    return {"token": likely["token"], "logprob": likely["logprob"], "top_logprobs": tops}
