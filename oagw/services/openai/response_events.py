"""A streamed response: named events, numbered."""

from collections.abc import Iterator
from typing import Any

import msgspec

from oagw.services.openai.saying import Said
from oagw.services.openai.shape import SERVER_ERROR
from oagw.services.openai.tokens import logprob

_json = msgspec.json.encode

# The event of each piece, by what is said, and that of the whole with the member that has it.
_DELTA = {
    "content": "response.output_text.delta",
    "refusal": "response.refusal.delta",
    "call": "response.function_call_arguments.delta",
}
_DONE = {
    "content": ("response.output_text.done", "text"),
    "refusal": ("response.refusal.done", "refusal"),
    "call": ("response.function_call_arguments.done", "arguments"),
}


def events(response: dict[str, Any], said: Said, top: int | None) -> Iterator[bytes]:
    """The events of the complete ``response``, one write for each piece; the last has all that ends it.

    ``top`` is how many likely tokens to give with each, None for none.
    """
    (item,) = response["output"]
    nothing: dict[str, Any] = {"status": "in_progress", "output": [], "usage": None, "completed_at": None}
    begun = {"response": response | nothing | {"incomplete_details": None}}
    empty = item | {"status": "in_progress"}
    if said.kind == "call":
        empty["arguments"] = ""
    else:
        empty["content"] = []
    opening = [
        ("response.created", begun),
        ("response.in_progress", begun),
        ("response.output_item.added", {"output_index": 0, "item": empty}),
    ]
    place: dict[str, Any] = {"item_id": item["id"], "output_index": 0}
    if said.kind != "call":
        place["content_index"] = 0
        (part,) = item["content"]
        hollow = part | ({"text": "", "logprobs": []} if said.kind == "content" else {"refusal": ""})
        opening.append(("response.content_part.added", place | {"part": hollow}))
    first = len(opening)
    yield b"".join(_event(name, at, members) for at, (name, members) in enumerate(opening))
    del begun, empty, opening, nothing

    name = _DELTA[said.kind]
    front = b"event: %b\ndata: " % name.encode() + _json({"type": name} | place)[:-1]
    front += b',"logprobs":[],"delta":' if said.kind == "content" and top is None else b',"delta":'
    for number, piece in enumerate(said.spoken(), first):
        likely = b""
        if top is not None and said.kind == "content":
            likely = b',"logprobs":' + _json([_brief(logprob(piece, top))])
        yield b'%b%b%b,"sequence_number":%d}\n\n' % (front, _json(piece), likely, number)
    yield b"".join(_ending(response, item, place, said, first + said.tokens))


def broken(number: int) -> bytes:
    """The event number ``number``, with which a stream breaks off."""
    return _event("error", number, {"code": "server_error", "message": SERVER_ERROR, "param": None})


def _ending(
    response: dict[str, Any], item: dict[str, Any], place: dict[str, Any], said: Said, number: int
) -> Iterator[bytes]:
    name, member = _DONE[said.kind]
    whole = place | {member: said.text}
    if said.kind == "content":
        whole["logprobs"] = [_brief(one) for one in item["content"][0]["logprobs"]]
    yield _event(name, number, whole)
    if said.kind != "call":
        number += 1
        yield _event("response.content_part.done", number, place | {"part": item["content"][0]})
    yield _event("response.output_item.done", number + 1, {"output_index": 0, "item": item})
    yield _event(f"response.{response['status']}", number + 2, {"response": response})


def _event(name: str, number: int, members: dict[str, Any]) -> bytes:
    document = {"type": name, "sequence_number": number} | members
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _json(document))


def _brief(likely: dict[str, Any]) -> dict[str, Any]:
    """A log probability as events have it."""
    tops = [{"token": one["token"], "logprob": one["logprob"]} for one in likely["top_logprobs"]]
    return {"token": likely["token"], "logprob": likely["logprob"], "top_logprobs": tops}
