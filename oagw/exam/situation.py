"""Situation: what happens to a client, what a correct client does, and the rules that judge it.

Situations are data. ``answer``, ``stream`` and ``toxic`` write stubs and toxics in the control plane's JSON.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType

from oagw.exam.verdict import Verdict
from oagw.model.entry import Entry

# The alias that situations call, and where it is.
ALIAS = "exam"
PROXY = f"/api/oagw/v1/proxy/{ALIAS}"

# Placeholders in stubs: the URL of the alias, and the same at another host.
BASE, OTHER = "$BASE", "$OTHER"

Kind = Literal["call", "stream", "pages"]

# The word in complete answers, and the pieces of text in complete streams.
WORD = "marigold"
PIECES = ("Mari", "golds ", "bloom — ", "früh ", "& late")
TEXT = "".join(PIECES)

# A complete answer. It is a chat completion, so that official SDKs accept it as well.
THING: Mapping[str, Any] = {
    "id": "chatcmpl-exam",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "gpt-4",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": WORD}, "finish_reason": "stop"},
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}

_QUESTION = {"model": "gpt-4", "messages": [{"role": "user", "content": "Name a flower."}]}


class RuleSource(Struct, frozen=True):
    """Where a rule comes from: a section of a standard, or a vendor's page."""

    text: str
    url: str


class PlannedCall(NamedTuple):
    """A call that the client makes. ``path`` is below the alias; ``body`` is JSON, or None.

    ``timeout`` is how long the client should wait for the next byte, in seconds, ``retries`` how often it
    should retry at most. ``cancel_after``: cancel a stream after so many pieces of text.
    """

    method: str = "GET"
    path: str = "/v1/things"
    body: Any = None
    headers: Mapping[str, str] = {}
    timeout: float = 1.0
    retries: int = 2
    cancel_after: int | None = None


GET = PlannedCall()
POST = PlannedCall("POST", "/v1/chat/completions", _QUESTION)
STREAM = PlannedCall("POST", "/v1/chat/completions", {**_QUESTION, "stream": True})
PAGES = PlannedCall("GET", "/v1/items")


class CallReport(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the client got from a call.

    ``value`` is decoded JSON, ``text`` that of a stream. An ``error`` has the name of its class, and may have
    the ``status`` and the ``source`` (X-OAGW-Error-Source) that the client shows, null if it shows that there
    is none. An outcome of ``none`` says that the client did not return in time, ``crash`` that it died.
    """

    outcome: Literal["value", "text", "error", "unsupported", "none", "crash"]
    id: str | UnsetType = UNSET
    value: Any = UNSET
    text: str | UnsetType = UNSET
    error: Annotated[str, Meta(max_length=1_000)] | UnsetType = UNSET
    status: int | UnsetType | None = UNSET
    source: str | UnsetType | None = UNSET
    message: str | UnsetType = UNSET
    cancelled: bool = False


class Evidence(NamedTuple):
    """What a rule judges: the requests of an examination in order, the reports, and the token to use."""

    situation: "Situation"
    entries: Sequence[Entry]
    reports: Sequence[CallReport]
    token: bytes


class Judgement(NamedTuple):
    """The verdict of a rule: why, in a sentence, and the entries that prove it."""

    verdict: Verdict
    text: str
    entries: Sequence[Entry] = ()


class ExamRule(NamedTuple):
    """A named rule. ``judge`` returns NOT_JUDGED if what happened does not allow a verdict."""

    name: str
    judge: Callable[[Evidence], Judgement]


class Situation(Struct, frozen=True, kw_only=True):
    """What ``happens`` to a client, and what a ``correct`` client does by the ``source``.

    - ``legitimate``: which deviations are legitimate as well
    - ``calls``: made one after the other, or with ``at_once``, ``stagger`` seconds apart
    - ``stubs``: the first that matches answers; ``toxics``: what the network does
    - ``rules``: the client passes if all of them pass
    - ``if_retried``: the same for clients that retry; for others, they need not be judged
    - ``deadline``: after so many seconds, the client should long have returned; with ``may_wait``, one that
      has not is not judged
    - ``settle``: how long the judgement waits for open responses to end, in seconds
    """

    name: str
    group: str = ""
    kind: Kind = "call"
    happens: str
    correct: str
    source: RuleSource
    legitimate: str = ""
    calls: tuple[PlannedCall, ...] = (GET,)
    at_once: bool = False
    stagger: float = 0.0
    stubs: Sequence[Mapping[str, Any]]
    toxics: Sequence[Mapping[str, Any]] = ()
    rules: tuple[ExamRule, ...]
    if_retried: tuple[ExamRule, ...] = ()
    deadline: float = 10.0
    may_wait: bool = False
    settle: float = 0.2


def rfc(number: int, section: str) -> RuleSource:
    """Return a section of an RFC as a source."""
    return RuleSource(
        f"RFC {number} section {section}",
        f"https://www.rfc-editor.org/rfc/rfc{number}.html#section-{section}",
    )


def answer(
    status: int = 200,
    json: Any = UNSET,
    *,
    at: str = "/.*",
    times: int | None = None,
    headers: Mapping[str, str | list[str]] | None = None,
    request: Mapping[str, Any] | None = None,
    **response: Any,
) -> dict[str, Any]:
    """Return a stub that answers requests for paths below the alias that match the regular expression ``at``.

    ``times`` limits how often. Without ``json`` or another body, the answer is THING or, above 299, an error.
    ``request`` and ``response`` have further members of stubs.
    """
    with_body = {"body", "base64Body", "sse", "problem", "fault"} & response.keys()
    if json is UNSET and not with_body and status not in (204, 304):
        json = THING if status < 300 else error(status)
    if json is not UNSET:
        headers = {"Content-Type": "application/json", **(headers or {})}
    stub: dict[str, Any] = {
        "request": {"urlPathPattern": PROXY + at, **(request or {})},
        "response": {"status": status, **({"headers": dict(headers)} if headers else {}), **response},
    }
    if "problem" in response or "fault" in response:
        del stub["response"]["status"]
    if json is not UNSET:
        stub["response"]["jsonBody"] = json
    if times is not None:
        stub["times"] = times
    return stub


def error(status: int) -> dict[str, Any]:
    """Return the body of an upstream's error, as OpenAI's is."""
    return {"error": {"message": f"Planned failure {status}", "type": "exam", "param": None, "code": None}}


def chunk(text: str | None, finish: str | None = None) -> dict[str, Any]:
    """Return an event of a chat completion stream: a piece of ``text``, or the last one."""
    delta = {} if text is None else {"content": text}
    return {
        "id": "chatcmpl-exam",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "gpt-4",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def pieces(count: int = len(PIECES)) -> list[dict[str, Any]]:
    """Return the first ``count`` pieces of the text as server-sent events of a stub."""
    return [{"data": chunk(piece)} for piece in PIECES[:count]]


# The end of a complete stream.
FINISH: Sequence[Mapping[str, Any]] = ({"data": chunk(None, "stop")}, {"data": "[DONE]"})


def stream(
    events: Iterable[Mapping[str, Any]] | None = None,
    ends: Literal["complete", "cut", "reset", "hang"] = "complete",
    **more: Any,
) -> dict[str, Any]:
    """Return a stub that streams ``events``, by default those of a complete text, and how that ``ends``."""
    given = [*pieces(), *FINISH] if events is None else list(events)
    return answer(sse={"events": given, "ends": ends}, **more)


def raw(text: str) -> dict[str, Any]:
    """Return bytes of a stream that are sent unchanged, as an event of a stub."""
    return {"raw": text}


def wire(event: Mapping[str, Any]) -> str:
    """Return an event of ``pieces`` or FINISH as it is sent, to be cut or spelled differently."""
    data = event["data"]
    return f"data: {data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)}\n\n"


def toxic(
    type: str,
    times: int | None = None,
    skip: int | None = None,
    request: Mapping[str, Any] | None = None,
    **attributes: int,
) -> dict[str, Any]:
    """Return a toxic with its ``attributes``.

    It acts on ``times`` answers after the first ``skip``. ``request`` is a pattern for their requests.
    """
    given = {"times": times, "skip": skip, "request": request}
    return {
        "type": type,
        "attributes": attributes,
        **{name: value for name, value in given.items() if value is not None},
    }
