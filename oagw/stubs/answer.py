"""Answer: what a stub decided to send, as a value; Canned is the definition that it is made from.

``stubs.response`` is the definition's JSON. ``gateway.stub_answer`` does the waiting and the writing.
"""

import json
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET

from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.problem import Problem, scripted
from oagw.stubs import event
from oagw.stubs.delay import Distribution
from oagw.stubs.event import Frame
from oagw.stubs.response import Category, Fault, GatewayProblem, ResponseDefinition, Sse, SseEvent
from oagw.templates.render_context import Context

if TYPE_CHECKING:
    from oagw.templates.compiled import Template

# RFC 9110 section 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LINE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

_BODIES = ("body", "jsonBody", "base64Body", "bodyFileName", "sse", "problem")

# The parameter with which a file is no template (WireMock's name).
_LITERAL_FILE = "disableBodyFileTemplating"

# RFC 9110 section 6.4.1.
_BODILESS = (204, 304)

Files = Mapping[str, bytes]


class Answer(NamedTuple):
    """What to send.

    ``source`` is ``upstream``, ``gateway`` or ``none``; None for whoever a stub at this URL stands for. After
    ``delay`` seconds comes the body, in ``pieces`` (how many, over how many seconds), or ``frames`` of a
    stream that ends as ``ends`` says; or a ``fault`` instead; or a ``problem`` of the gateway.
    """

    status: int = 200
    phrase: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    source: str | None = None
    delay: float = 0.0
    pieces: tuple[int, float] | None = None
    frames: tuple[Frame, ...] | None = None
    ends: str = "complete"
    fault: Fault | None = None
    problem: Problem | None = None


class Settings(NamedTuple):
    """The delays of a sandbox: in milliseconds, for stubs that have none of their own."""

    fixed_delay: float | None = None
    delay_distribution: Distribution | None = None


# What differs from call to call.
Variation = Callable[[Answer, Call, Context], Answer]


class Canned:
    """A response definition that was found good.

    ``files`` has what ``bodyFileName`` may name. Raises Invalid, with pointers below ``pointer``.
    """

    def __init__(self, definition: ResponseDefinition, files: Files, pointer: str = "/response") -> None:
        _check_combination(definition, pointer)
        self._parameters = definition.transformer_parameters
        self._fixed_delay = definition.fixed_delay_milliseconds
        self._distribution = definition.delay_distribution
        self._variations: list[Variation] = []
        source = definition.error_source
        headers, is_chunked = _framing(_checked_headers(definition, f"{pointer}/headers"))
        plain = Answer(
            status=definition.status or 200,
            phrase=_checked_phrase(definition.status_message or "", f"{pointer}/statusMessage"),
            headers=tuple(headers),
            body=_body(definition, files, pointer),
            source=None if source is UNSET else source,
            fault=definition.fault or None,
        )
        templated = bool(definition.transformers)
        literal = definition.transformer_parameters.get(_LITERAL_FILE) is True
        if definition.chunked_dribble_delay is not UNSET:
            dribble = definition.chunked_dribble_delay
            plain = plain._replace(pieces=(dribble.number_of_chunks, dribble.total_duration / 1000))
        elif is_chunked:
            plain = plain._replace(pieces=(1, 0.0))
        if definition.problem is not UNSET:
            plain = plain._replace(source=plain.source or "gateway")
            self._variations.append(partial(_with_problem, _wanted(definition.problem)))
        if definition.sse is not UNSET:
            sse = definition.sse if isinstance(definition.sse, Sse) else Sse(definition.sse)
            for number, one in enumerate(sse.events):
                event.check(one, f"{pointer}/sse/events/{number}")
            frames = tuple(event.frame(one, event.data_of(one)) for one in sse.events)
            plain = plain._replace(frames=frames, ends=sse.ends)
            if templated:
                self._variations.append(_frame_templates(sse.events, f"{pointer}/sse/events"))
        elif _names_by_template(definition):
            self._variations.append(_body_file(definition, files, pointer, literal=literal))
        elif templated and not (literal and definition.body_file_name is not UNSET):
            self._variations.append(_body_template(plain.body, f"{pointer}/body"))
        if templated and plain.headers:
            self._variations.append(_header_templates(plain.headers, f"{pointer}/headers"))
        self._plain = plain

    @property
    def size(self) -> int:
        """Bytes of the body, or of the events."""
        return len(self._plain.body) + sum(len(frame.data) for frame in self._plain.frames or ())

    def sends_the_same(self, other: "Canned") -> bool:
        """Whether it sends what ``other`` does, if both have the same definition; files may have changed."""
        return self._plain == other._plain

    def answer(
        self, call: Call, settings: Settings, now: float, random: Random, path: dict[str, str]
    ) -> Answer:
        """The answer to ``call``; raises RenderError where a template of it goes too far."""
        answer = self._plain
        fixed, distribution = self._fixed_delay, self._distribution
        milliseconds = (settings.fixed_delay if fixed is UNSET else fixed) or 0
        distribution = settings.delay_distribution if distribution is UNSET else distribution
        if distribution is not None:
            milliseconds += distribution.sample(random)
        if milliseconds:
            answer = answer._replace(delay=milliseconds / 1000)
        if self._variations:
            context = Context(now=now, random=random, path_parameters=path, parameters=self._parameters)
            for vary in self._variations:
                answer = vary(answer, call, context)
        return answer


def _compiled(text: str, pointer: str) -> "Template":
    from oagw.templates.compiled import compile  # loaded when a stub first needs it: that takes 20 ms

    return compile(text, pointer)


def _names_by_template(definition: ResponseDefinition) -> bool:
    _, _, after = (definition.body_file_name or "").partition("{{")
    return bool(definition.transformers) and "}}" in after


def _body_file(definition: ResponseDefinition, files: Files, pointer: str, *, literal: bool) -> Variation:
    from oagw.stubs.body_file import BodyFile  # as the templates

    file = BodyFile(definition.body_file_name or "", files, f"{pointer}/bodyFileName", literal=literal)
    return lambda answer, call, context: answer._replace(body=file.body(call, context))


def _body_template(body: bytes, pointer: str) -> Variation:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return lambda answer, call, context: answer  # bytes that are no text are no template
    template = _compiled(text, pointer)
    return lambda answer, call, context: answer._replace(body=template.render(call, context).encode())


def _header_templates(headers: tuple[tuple[str, str], ...], pointer: str) -> Variation:
    templates = [(name, _compiled(value, f"{pointer}/{name}")) for name, value in headers]

    def rendered(answer: Answer, call: Call, context: Context) -> Answer:
        lines = tuple((name, _one_line(template.render(call, context))) for name, template in templates)
        return answer._replace(headers=lines)

    return rendered


def _frame_templates(events: Sequence[SseEvent], pointer: str) -> Variation:
    texts = [event.data_of(one) for one in events]
    templates = [
        None if text is None else _compiled(text, f"{pointer}/{number}/data")
        for number, text in enumerate(texts)
    ]

    def rendered(answer: Answer, call: Call, context: Context) -> Answer:
        data = [None if template is None else template.render(call, context) for template in templates]
        return answer._replace(frames=tuple(map(event.frame, events, data)))

    return rendered


def _wanted(given: Category | GatewayProblem) -> GatewayProblem:
    return given if isinstance(given, GatewayProblem) else GatewayProblem(given)


def _with_problem(wanted: GatewayProblem, answer: Answer, call: Call, context: Context) -> Answer:
    problem = scripted(
        wanted.category,
        context.now,
        error=wanted.error or None,
        detail=wanted.detail or None,
        context=wanted.context or None,
        retry_after=None if wanted.retry_after is UNSET else wanted.retry_after,
    )
    return answer._replace(status=problem.status, problem=problem)


def _check_combination(definition: ResponseDefinition, pointer: str) -> None:
    given = (
        definition.body,
        definition.json_body,
        definition.base64_body,
        definition.body_file_name,
        definition.sse,
        definition.problem,
    )
    names = [name for name, value in zip(_BODIES, given, strict=True) if value is not UNSET]
    if len(names) > 1:
        raise Invalid(f"{pointer}/{names[1]}", f"{names[1]} and {names[0]} exclude each other")
    if definition.problem is not UNSET and definition.status is not UNSET:
        raise Invalid(f"{pointer}/status", "a problem brings its own status")
    if definition.problem is not UNSET and definition.transformers:
        raise Invalid(f"{pointer}/transformers", "a problem is no template")
    if definition.sse is not UNSET and definition.status in _BODILESS:
        raise Invalid(f"{pointer}/sse", f"there is no body with {definition.status}")
    for name in ("sse", "problem"):
        if name in names and definition.chunked_dribble_delay is not UNSET:
            raise Invalid(f"{pointer}/chunkedDribbleDelay", f"chunkedDribbleDelay does not go with {name}")


def _body(definition: ResponseDefinition, files: Files, pointer: str) -> bytes:
    if definition.body is not UNSET:
        return definition.body.encode("utf-8", "surrogatepass")
    if definition.json_body is not UNSET:
        return json.dumps(definition.json_body, ensure_ascii=False, separators=(",", ":")).encode()
    if isinstance(definition.base64_body, str):
        try:
            return b64decode(definition.base64_body, validate=True)
        except (Base64Error, ValueError):
            raise Invalid(f"{pointer}/base64Body", "base64Body is not Base64") from None
    name = definition.body_file_name
    if isinstance(name, str) and not _names_by_template(definition):
        if name not in files:
            detail = f"bodyFileName {name!r}: there is no such file in __files"
            raise Invalid(f"{pointer}/bodyFileName", detail)
        return files[name]
    return b""


def _checked_phrase(phrase: str, pointer: str) -> str:
    if not _LINE.fullmatch(phrase):
        raise Invalid(pointer, "statusMessage is one line of Latin-1")
    return phrase


def _checked_headers(definition: ResponseDefinition, pointer: str) -> list[tuple[str, str]]:
    checked = []
    for name, given in definition.headers.items():
        at = f"{pointer}/{name}"
        if not _TOKEN.fullmatch(name):
            raise Invalid(at, f"{name!r} is not the name of a header field")
        if name.lower() == "x-oagw-error-source":
            raise Invalid(at, "errorSource says who made the answer")
        for value in [given] if isinstance(given, str) else given:
            if name.lower() == "transfer-encoding" and value.lower() != "chunked":
                raise Invalid(at, "Transfer-Encoding can only be chunked")
            if not _LINE.fullmatch(_latin(value)):
                raise Invalid(at, f"the value of {name} has a line end or a control character")
            checked.append((name, value))
    return checked


def _framing(headers: Sequence[tuple[str, str]]) -> tuple[list[tuple[str, str]], bool]:
    """``headers`` without Transfer-Encoding, which is ours to write, and whether there was one."""
    rest = [(name, value) for name, value in headers if name.lower() != "transfer-encoding"]
    return rest, len(rest) < len(headers)


def _latin(text: str) -> str:
    """``text`` as its UTF-8 bytes look in Latin-1: field values are bytes (RFC 9110 section 5.5)."""
    return text.encode("utf-8", "replace").decode("latin-1")


def _one_line(text: str) -> str:
    return text if _LINE.fullmatch(_latin(text)) else re.sub(r"[^\t\x20-\x7e\x80-\U0010ffff]+", " ", text)
