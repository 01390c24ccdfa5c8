"""A streamed chat completion: ``chat.completion.chunk`` events."""

from collections.abc import Iterator
from typing import Any

import msgspec

from oagw.model.sse import encode_data
from oagw.services.openai.completion import Completion
from oagw.services.openai.tokens import FRAGMENTS, cut, logprob
from oagw.services.openai.tools import ToolCall

_json = msgspec.json.Encoder().encode


def chunks(
    common: dict[str, Any],
    completion: Completion,
    ids: list[list[str]],
    top: int | None,
    tokens: dict[str, Any] | None,
    legacy: bool,
) -> Iterator[bytes]:
    """Yield the writes of a streamed completion: the opening, one write for each token, and the end.

    ``common`` has the members of every chunk. There is one choice for each element of ``ids``, the ids of its
    tool calls. ``top`` is the number of alternatives per token, None for no log probabilities; ``tokens`` is
    the usage to end with, None for none. With ``legacy``, the calls are of ``functions``.
    """
    # All chunks begin with the same members. Encode them once; the stream keeps nothing else of them.
    base = common | {"object": "chat.completion.chunk"}
    last = b""
    if tokens is not None:
        last = encode_data(_json(base | {"choices": [], "usage": tokens}))
        base["usage"] = None  # null in all chunks but the last, see the API reference
    opening = b"data: " + _json(base)[:-1] + b',"choices":[{"index":'
    fronts = [b'%b%d,"delta":' % (opening, index) for index in range(len(ids))]
    begun = b"".join(
        front + _json(_first(completion, own, legacy)) + b',"logprobs":null,"finish_reason":null}]}\n\n'
        for front, own in zip(fronts, ids, strict=True)
    )
    finish = _json(finish_reason(completion, legacy))
    if completion.kind == "calls":
        return _calls(begun, completion.calls, fronts, ids, legacy, finish, last)
    return _text(begun, completion, fronts, top, finish, last)


def finish_reason(completion: Completion, legacy: bool) -> str:
    """Return the ``finish_reason`` of a choice. With ``legacy``, the calls are of ``functions``."""
    return "function_call" if legacy and completion.finish == "tool_calls" else completion.finish


def _first(completion: Completion, ids: list[str], legacy: bool) -> dict[str, Any]:
    """Return the first delta of a choice."""
    role: dict[str, Any] = {"role": "assistant", "content": None}
    match completion.kind:
        case "content":
            return role | {"content": ""}
        case "refusal":
            return role | {"refusal": ""}
        case _ if legacy:
            return role | {"function_call": {"name": completion.calls[0].name, "arguments": ""}}
        case _:
            return role | {"tool_calls": [_begun(0, completion.calls[0], ids[0])]}


def _text(
    begun: bytes, completion: Completion, fronts: list[bytes], top: int | None, finish: bytes, last: bytes
) -> Iterator[bytes]:
    """Yield the writes of a text: the opening ``begun``, each token, and the end."""
    yield begun
    del begun
    before, end = b'{"%b":' % completion.kind.encode(), b'},"logprobs":null,"finish_reason":null}]}\n\n'
    first, others = fronts[0] + before, [front + before for front in fronts[1:]]
    for piece in completion.cut():
        if top is not None:
            likely = {"content": None, "refusal": None} | {completion.kind: [logprob(piece, top)]}
            end = b'},"logprobs":' + _json(likely) + b',"finish_reason":null}]}\n\n'
        rest = _json(piece) + end
        if others:
            yield first + rest + b"".join([front + rest for front in others])
        else:
            yield first + rest
    yield _ending(fronts, finish, last)


def _calls(
    begun: bytes,
    calls: tuple[ToolCall, ...],
    fronts: list[bytes],
    ids: list[list[str]],
    legacy: bool,
    finish: bytes,
    last: bytes,
) -> Iterator[bytes]:
    """Yield the writes of ``calls``: the opening ``begun`` with the first call, each token, and the end.

    Each further call begins in the write of its first token, or in the last write if it has none.
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
    """Return the final chunks of all choices, the ``last`` chunk, and the ``[DONE]`` event."""
    rest = b'{},"logprobs":null,"finish_reason":%b}]}\n\n' % finish
    return b"".join([front + rest for front in fronts]) + last + encode_data(b"[DONE]")


def _begun(number: int, call: ToolCall, id: str) -> dict[str, Any]:
    """Return the delta that opens a tool call, without arguments."""
    form = {"name": call.name, "input" if call.kind == "custom" else "arguments": ""}
    return {"index": number, "id": id, "type": call.kind, call.kind: form}


def _around(number: int, call: ToolCall, legacy: bool) -> tuple[bytes, bytes]:
    """Return the JSON before and after each token of a call in a delta."""
    if legacy:
        return b'{"function_call":{"arguments":', b"}}"
    member = b'"custom":{"input":' if call.kind == "custom" else b'"function":{"arguments":'
    return b'{"tool_calls":[{"index":%d,%b' % (number, member), b"}}]}"
