"""Directives: instructions to the mock inside a request, by which a test controls the model.

They can be given in two ways, with the same names and values. In the last user message, in brackets that
the model does not see::

    What is the weather? [mock reply="It rains." ttft=0.5 tps=40]

Or in ``metadata``, as strings: ``{"mock_reply": "It rains.", "mock_ttft": "0.5"}``. The message takes
precedence. Values with spaces are JSON strings. The names are the members of Directives; an invalid directive
is rejected with a 400 that lists what is allowed.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

# The largest number of tokens of a completion.
MOST_TOKENS = 16_384

# The largest number of tool calls in one turn.
MOST_CALLS = 8

# The largest number of characters of a reply, refusal or argument.
MOST_CHARACTERS = 100_000

_Text = Annotated[str, Meta(max_length=MOST_CHARACTERS)]
_Seconds = Annotated[float, Meta(ge=0, le=3600)]
_Pieces = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]


class Directives(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The directives of a request. Members that are None or empty have no effect.

    - ``reply``: the text of the completion; ``refusal``: the text of a refusal
    - ``tool``: the names of the tools to call
    - ``arguments``: their arguments, which are not validated; None for generated ones. Without ``tool``,
      the arguments of the tool that the model selects
    - ``tokens``: the number of tokens, to which the reply is repeated or truncated
    - ``finish``: overrides the finish reason
    - ``error``: the status of an error to return at once
    - ``ttft``: seconds to the first token; ``tps``: tokens per second after it
    - ``stall``: seconds of a pause after ``stall_after`` tokens
    - ``error_after``: the number of tokens after which a stream fails
    - ``ends``: how it fails: with an error event (the default), a reset (RST), a cut (FIN), or a hang

    A buffered response is sent when its last token would be. With ``ends`` other than ``error``, only its
    first half is sent.
    """

    reply: _Text | None = None
    refusal: _Text | None = None
    tool: Annotated[tuple[str, ...], Meta(max_length=MOST_CALLS)] = ()
    arguments: tuple[_Text | None, ...] = ()
    tokens: _Pieces | None = None
    finish: Literal["length", "content_filter"] | None = None
    error: Annotated[int, Meta(ge=400, le=599)] | None = None
    ttft: _Seconds | None = None
    tps: Annotated[float, Meta(ge=0.001, le=1_000_000)] | None = None
    stall: _Seconds | None = None
    stall_after: _Pieces | None = None
    error_after: _Pieces | None = None
    ends: Literal["error", "reset", "cut", "hang"] | None = None

    def timed(self) -> bool:
        """Return whether the directives change the pace or the end of the response."""
        times = (self.ttft, self.tps, self.stall, self.error_after, self.ends)
        return any(value is not None for value in times)


# The directives about pace and end, the only ones that endpoints without generated text support.
TIMES = ("error", "ttft", "tps", "stall", "stall_after", "error_after", "ends")

# Those that chat and responses support.
CHAT = ("reply", "refusal", "tool", "arguments", "tokens", "finish", *TIMES)
