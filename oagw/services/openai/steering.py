"""Steering: what the author of a test asks of the model, in the request itself.

Two ways, with the same names and values. In the last user message, a directive that the model does not
see::

    What is the weather? [mock reply="It rains." ttft=0.5 tps=40]

Or as ``metadata``, whose values are strings in this API: ``{"mock_reply": "It rains.", "mock_ttft": "0.5"}``.
Where both name the same, the message counts. A value with spaces is a JSON string. Names and values are
the members of Steering; what does not fit them is a 400 that says which and why.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from oagw.services.openai.shape import failure
from oagw.web.resource import Refused

# At most this many tokens are said.
MOST_TOKENS = 16_384

_START = re.compile(r"\[mock(?=[\s\]])")
_PAIR = re.compile(r'\s+([a-z_]+)=("(?:[^"\\]++|\\.)*+"|[^\s\]"]+)')
_END = re.compile(r"\s*\]")

_Seconds = Annotated[float, Meta(ge=0, le=3600)]
_Pieces = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]


class Steering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the model is to behave; whatever is None is as without steering.

    ``reply`` is what it says, ``refusal`` what it says as a refusal, ``tool`` the name of the tool that it
    calls and ``arguments`` with which (JSON, not checked). ``tokens`` is how many it says: the reply is
    repeated or cut. ``error`` is a status to answer with at once.

    ``ttft`` is the time to the first token in seconds, ``tps`` the tokens per second after it; ``stall``
    a pause of so many seconds after ``stall_after`` pieces. ``error_after`` pieces, a stream breaks off as
    ``ends`` says: with an error event (the default), a reset, a cut, or silence. A buffered answer comes
    when its last token would; with ``ends`` other than ``error`` half of it does.
    """

    reply: Annotated[str, Meta(max_length=100_000)] | None = None
    refusal: Annotated[str, Meta(max_length=100_000)] | None = None
    tool: str | None = None
    arguments: Annotated[str, Meta(max_length=100_000)] | None = None
    tokens: _Pieces | None = None
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


_NONE = Steering()


def steer(text: str, metadata: Mapping[str, str] | None, field: str) -> tuple[str, Steering]:
    """``text`` without its directives, and what they and ``metadata`` ask for.

    ``field`` is the member of the request that has the text. Raises Refused: 400 for a directive that
    makes no sense, or the error that is asked for.
    """
    asked = {
        name.removeprefix("mock_"): value
        for name, value in (metadata or {}).items()
        if name.startswith("mock_")
    }
    if asked:
        _check(asked, "metadata", "metadata.mock_")
    if "[mock" in text:
        text, directive = _split(text, field)
        _check(directive, field)
        asked |= directive
    if not asked:
        return text, _NONE
    steering = msgspec.convert(asked, Steering, strict=False)
    if steering.error is not None:
        raise failure(steering.error)
    return text, steering


def _split(text: str, field: str) -> tuple[str, dict[str, str]]:
    kept, at = [], 0
    asked: dict[str, str] = {}
    while start := _START.search(text, at):
        kept.append(text[at : start.start()])
        at = start.end()
        while pair := _PAIR.match(text, at):
            name, value = pair.groups()
            asked[name] = _unquoted(name, value, field) if value[0] == '"' else value
            at = pair.end()
        end = _END.match(text, at)
        if end is None:
            near = text[at : at + 40].strip()
            raise _bad(f'expected name=value, name="value" or ] near {near!r}', field)
        at = end.end()
    kept.append(text[at:])
    return ("".join(kept).strip() if asked or len(kept) > 1 else text), asked


def _unquoted(name: str, value: str, field: str) -> str:
    try:
        return msgspec.json.decode(value, type=str)
    except msgspec.DecodeError:
        raise _bad(f"the value of {name} is not a JSON string", field) from None


def _check(asked: dict[str, str], field: str, prefix: str | None = None) -> None:
    try:
        msgspec.convert(asked, Steering, strict=False)
    except msgspec.ValidationError as error:
        text = str(error).replace("`", "")
        at = re.search(r" - at \$\.(\w+)$", text) or re.search(r"unknown field (\w+)$", text)
        raise _bad(text, f"{prefix}{at[1]}" if prefix and at else field) from None


def _bad(why: str, field: str) -> Refused:
    return Refused(400, f"Invalid mock directive: {why}", field=field, code="invalid_directive")
