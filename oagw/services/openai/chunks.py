"""A streamed chat completion: ``chat.completion.chunk`` events."""

from collections.abc import Iterator
from typing import Any

import msgspec

from oagw.model.sse import encode_data
from oagw.services.openai.saying import Said
from oagw.services.openai.tokens import logprob

_json = msgspec.json.Encoder().encode

# What stands before and after each piece in a delta, by what is said.
_AROUND = {
    "content": (b'{"content":', b"}"),
    "refusal": (b'{"refusal":', b"}"),
    "call": (b'{"tool_calls":[{"index":0,"function":{"arguments":', b"}}]}"),
}


def chunks(
    completion: dict[str, Any],
    said: Said,
    calls: list[str],
    top: int | None,
    tokens: dict[str, Any] | None,
) -> Iterator[bytes]:
    """The events of a streamed completion, one write for each piece; the last write has all that ends it.

    A choice for each of the ``calls`` says the same, all at the same time; these are the ids of their
    calls, if they call a tool. ``top`` is how many likely tokens to give with each, None for none;
    ``tokens`` the usage to end with.
    """
    # All chunks of a completion begin alike. Encoded once, that is also all a stream keeps of it.
    base = completion | {"object": "chat.completion.chunk"}
    last = b""
    if tokens is not None:
        last = encode_data(_json(base | {"choices": [], "usage": tokens}))
        base["usage"] = None  # the reference: null in all chunks but the last
    opening = b"data: " + _json(base)[:-1] + b',"choices":[{"index":'
    fronts = [b'%b%d,"delta":' % (opening, index) for index in range(len(calls))]
    del completion, base, tokens, opening

    yield b"".join(
        front + _json(_first(said, call)) + b',"logprobs":null,"finish_reason":null}]}\n\n'
        for front, call in zip(fronts, calls, strict=True)
    )
    del calls
    before, after = _AROUND[said.kind]
    end = after + b',"logprobs":null,"finish_reason":null}]}\n\n'
    first, others = fronts[0] + before, [front + before for front in fronts[1:]]
    for piece in said.spoken():
        if top is not None and said.kind != "call":
            likely = {"content": None, "refusal": None} | {said.kind: [logprob(piece, top)]}
            end = after + b',"logprobs":' + _json(likely) + b',"finish_reason":null}]}\n\n'
        rest = _json(piece) + end
        if others:
            yield first + rest + b"".join([front + rest for front in others])
        else:
            yield first + rest
    rest = b'{},"logprobs":null,"finish_reason":%b}]}\n\n' % _json(said.finish)
    yield b"".join([front + rest for front in fronts]) + last + encode_data(b"[DONE]")


def _first(said: Said, call: str) -> dict[str, Any]:
    match said.kind:
        case "content":
            return {"role": "assistant", "content": ""}
        case "refusal":
            return {"role": "assistant", "content": None, "refusal": ""}
        case _:
            function = {"name": said.name, "arguments": ""}
            named = {"index": 0, "id": call, "type": "function", "function": function}
            return {"role": "assistant", "content": None, "tool_calls": [named]}
