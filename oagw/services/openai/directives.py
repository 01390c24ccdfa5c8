"""Steering: what the author of a test asks of the model, in the request itself.

Two ways, with the same names and values. In the last user message, a directive that the model does not
see::

    What is the weather? [mock reply="It rains." ttft=0.5 tps=40]

Or as ``metadata``, whose values are strings in this API: ``{"mock_reply": "It rains.", "mock_ttft": "0.5"}``.
Where both give the same, the message counts. A value with spaces is a JSON string. Names and values are
the members of Steering; anything else is a 400 that says what is wrong and what would be right.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

# At most this many tokens are said.
MOST_TOKENS = 16_384

# At most this many tools are called in one turn.
MOST_CALLS = 8

# At most this many characters of a text are given.
MOST_CHARACTERS = 100_000

_Text = Annotated[str, Meta(max_length=MOST_CHARACTERS)]
_Seconds = Annotated[float, Meta(ge=0, le=3600)]
_Pieces = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]


class Steering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the model is to behave; whatever is None or empty is as without steering.

    ``reply`` is what it says, ``refusal`` what it says as a refusal, ``tool`` the names of the tools that
    it calls and ``arguments`` with which (not checked), None for made-up ones; without ``tool``, the one of
    the tool that it calls by itself. ``tokens`` is how many it says: the reply is repeated or cut.
    ``finish`` is why it stops, instead of the true reason. ``error`` is a status to answer with at once.

    ``ttft`` is the time to the first token in seconds, ``tps`` the tokens per second after it; ``stall``
    a pause of so many seconds after ``stall_after`` pieces. ``error_after`` pieces, a stream breaks off as
    ``ends`` says: with an error event (the default), a reset, a cut, or silence. A buffered answer comes
    when its last token would; with ``ends`` other than ``error`` half of it does.
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
        """Whether the answer comes otherwise than at the usual pace and whole."""
        times = (self.ttft, self.tps, self.stall, self.error_after, self.ends)
        return any(value is not None for value in times)


# What decides when an answer comes and how it ends: all that an endpoint without a model's text knows.
TIMES = ("error", "ttft", "tps", "stall", "stall_after", "error_after", "ends")
