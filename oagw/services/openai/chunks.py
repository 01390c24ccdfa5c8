"""A streamed chat completion: ``chat.completion.chunk`` events."""

from collections.abc import Iterator
from typing import Any

import msgspec

from oagw.model.sse import encode_data
from oagw.services.openai.completion import Said
from oagw.services.openai.tokens import FRAGMENTS, cut, logprob
from oagw.services.openai.tools import Call

_json = msgspec.json.Encoder().encode


def chunks(
    completion: dict[str, Any],
    said: Said,
    ids: list[list[str]],
    top: int | None,
    tokens: dict[str, Any] | None,
    legacy: bool,
) -> Iterator[bytes]:
    """The events of a streamed completion, one write for each piece; the last write has all that ends it.

    A choice for each of ``ids`` says the same, all at the same time; these are the ids of its calls, if it
    makes any. ``top`` is how many likely tokens to give with each, None for none; ``tokens`` the usage to
    end with; ``legacy`` whether functions are called and not tools.
    """
    # All chunks of a completion begin alike. Encoded once, that is also all a stream keeps of it.
    base = completion | {"object": "chat.completion.chunk"}
    last = b""
    if tokens is not None:
        last = encode_data(_json(base | {"choices": [], "usage": tokens}))
        base["usage"] = None  # the reference: null in all chunks but the last
    opening = b"data: " + _json(base)[:-1] + b',"choices":[{"index":'
    fronts = [b'%b%d,"delta":' % (opening, index) for index in range(len(ids))]
    begun = b"".join(
        front + _json(_first(said, own, legacy)) + b',"logprobs":null,"finish_reason":null}]}\n\n'
        for front, own in zip(fronts, ids, strict=True)
    )
    finish = _json(finish_reason(said, legacy))
    if said.kind == "calls":
        return _calls(begun, said.calls, fronts, ids, legacy, finish, last)
    return _text(begun, said, fronts, top, finish, last)


def finish_reason(said: Said, legacy: bool) -> str:
    """Why a choice ends; ``legacy`` is whether functions are called and not tools."""
    return "function_call" if legacy and said.finish == "tool_calls" else said.finish


def _first(said: Said, ids: list[str], legacy: bool) -> dict[str, Any]:
    """The first delta of a choice."""
    role: dict[str, Any] = {"role": "assistant", "content": None}
    match said.kind:
        case "content":
            return role | {"content": ""}
        case "refusal":
            return role | {"refusal": ""}
        case _ if legacy:
            return role | {"function_call": {"name": said.calls[0].name, "arguments": ""}}
        case _:
            return role | {"tool_calls": [_begun(0, said.calls[0], ids[0])]}


def _text(
    begun: bytes, said: Said, fronts: list[bytes], top: int | None, finish: bytes, last: bytes
) -> Iterator[bytes]:
    """The writes of a text: what has ``begun``, each piece, and the end."""
    yield begun
    del begun
    before, end = b'{"%b":' % said.kind.encode(), b'},"logprobs":null,"finish_reason":null}]}\n\n'
    first, others = fronts[0] + before, [front + before for front in fronts[1:]]
    for piece in said.spoken():
        if top is not None:
            likely = {"content": None, "refusal": None} | {said.kind: [logprob(piece, top)]}
            end = b'},"logprobs":' + _json(likely) + b',"finish_reason":null}]}\n\n'
        rest = _json(piece) + end
        if others:
            yield first + rest + b"".join([front + rest for front in others])
        else:
            yield first + rest
    yield _ending(fronts, finish, last)


def _calls(
    begun: bytes,
    calls: tuple[Call, ...],
    fronts: list[bytes],
    ids: list[list[str]],
    legacy: bool,
    finish: bytes,
    last: bytes,
) -> Iterator[bytes]:
    """The writes of ``calls``: what has ``begun``, with the first of them, each piece, and the end.

    Each other call begins in the write of its first piece, or of the end.
    """
    yield begun
    begun = b""
    for number, call in enumerate(calls):
        if number:
            for front, own in zip(fronts, ids, strict=True):
                delta = _json({"tool_calls": [_begun(number, call, own[number])]})
                begun += front + delta + b',"logprobs":null,"finish_reason":null}]}\n\n'
        before, after = _around(number, call, legacy)
        after += b',"logprobs":null,"finish_reason":null}]}\n\n'
        for piece in cut(call.text, FRAGMENTS):
            rest = before + _json(piece) + after
            yield begun + b"".join([front + rest for front in fronts])
            begun = b""
    yield begun + _ending(fronts, finish, last)


def _ending(fronts: list[bytes], finish: bytes, last: bytes) -> bytes:
    """The chunks that end all choices, the ``last`` one, and the end of the stream."""
    rest = b'{},"logprobs":null,"finish_reason":%b}]}\n\n' % finish
    return b"".join([front + rest for front in fronts]) + last + encode_data(b"[DONE]")


def _begun(number: int, call: Call, id: str) -> dict[str, Any]:
    """A call of a tool of which nothing but the name is said."""
    form = {"name": call.name, "input" if call.kind == "custom" else "arguments": ""}
    return {"index": number, "id": id, "type": call.kind, call.kind: form}


def _around(number: int, call: Call, legacy: bool) -> tuple[bytes, bytes]:
    """What stands before and after each piece of a call in a delta."""
    if legacy:
        return b'{"function_call":{"arguments":', b"}}"
    member = b'"custom":{"input":' if call.kind == "custom" else b'"function":{"arguments":'
    return b'{"tool_calls":[{"index":%d,%b' % (number, member), b"}}]}"
