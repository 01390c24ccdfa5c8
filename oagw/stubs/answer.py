"""Answer: a response of a stub to one request; PreparedResponse: the checked definition that produces it.

``stubs.response`` is the JSON format of the definition. ``gateway.stub_answer`` sends an Answer.
"""

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import NamedTuple

from msgspec import UNSET

from oagw.model.call import Call
from oagw.model.ending import ENDINGS_BY_NAME, Ending
from oagw.model.invalid import Invalid
from oagw.model.problem import Problem, scripted
from oagw.model.suggestion import suggestion
from oagw.stubs import event
from oagw.stubs.delay import Distribution
from oagw.stubs.event import TimedEvent
from oagw.stubs.fields import (
    LINE,
    Fields,
    checked_framed,
    checked_headers,
    compiled,
    field_templates,
    without_framing,
)
from oagw.stubs.proxied import Proxied, checked_proxied
from oagw.stubs.response import Category, Fault, GatewayProblem, ResponseDefinition, Sse, SseEvent
from oagw.templates.render_context import Context

_BODIES = ("body", "jsonBody", "base64Body", "bodyFileName", "sse", "problem")

# The parameter that disables templates in body files (WireMock's name).
_LITERAL_FILE = "disableBodyFileTemplating"

# RFC 9110 section 6.4.1.
_BODILESS = (204, 304)

Files = Mapping[str, bytes]


class Answer(NamedTuple):
    """The response of a stub to one request.

    - ``source``: ``upstream``, ``gateway`` or ``none``; None for the default of the URL
    - ``delay``: seconds before the response starts
    - ``pieces``: the number of pieces of the body, and the seconds over which they are sent
    - ``events``, ``ending``: the events of a stream, and how it ends; they replace the body
    - ``fault``: replaces the response
    - ``problem``: an error of the gateway; it replaces the body
    - ``informational``: the status and the fields of each 1xx response before it
    - ``trailers``: the fields after the body, which is in ``pieces`` or ``events``
    - ``proxied``: where the request is forwarded to; the response is relayed, with ``headers`` added
    """

    status: int = 200
    phrase: str = ""
    headers: Fields = ()
    body: bytes = b""
    source: str | None = None
    delay: float = 0.0
    pieces: tuple[int, float] | None = None
    events: tuple[TimedEvent, ...] | None = None
    ending: Ending = Ending.COMPLETE
    fault: Fault | None = None
    problem: Problem | None = None
    informational: tuple[tuple[int, Fields], ...] = ()
    trailers: Fields = ()
    proxied: Proxied | None = None


class Settings(NamedTuple):
    """The default delays of a sandbox, in milliseconds, for stubs without their own."""

    fixed_delay: float | None = None
    delay_distribution: Distribution | None = None


# A function that changes an Answer according to the call.
Variation = Callable[[Answer, Call, Context], Answer]


class PreparedResponse:
    """A checked response definition.

    ``files`` maps the names for ``bodyFileName`` to the contents. Raises Invalid, with pointers below
    ``pointer``.
    """

    def __init__(self, definition: ResponseDefinition, files: Files, pointer: str = "/response") -> None:
        _check_combination(definition, pointer)
        proxied = checked_proxied(definition, pointer)
        self._parameters = definition.transformer_parameters
        self._fixed_delay = definition.fixed_delay_milliseconds
        self._distribution = definition.delay_distribution
        self._variations: list[Variation] = []
        source = definition.error_source
        headers, is_chunked = without_framing(checked_headers(definition.headers, f"{pointer}/headers"))
        trailers = checked_framed(definition.trailers, f"{pointer}/trailers")
        if trailers and "trailer" not in (name.lower() for name, _ in headers):
            headers.append(("Trailer", ", ".join(dict.fromkeys(name for name, _ in trailers))))
        plain = Answer(
            status=definition.status or 200,
            phrase=_checked_phrase(definition.status_message or "", f"{pointer}/statusMessage"),
            headers=tuple(headers),
            body=_body(definition, files, pointer),
            source=None if source is UNSET else source,
            fault=definition.fault or None,
            informational=tuple(
                (one.status, checked_framed(one.headers, f"{pointer}/informational/{number}/headers"))
                for number, one in enumerate(definition.informational)
            ),
            trailers=trailers,
        )
        templated = bool(definition.transformers)
        literal = definition.transformer_parameters.get(_LITERAL_FILE) is True
        if definition.chunked_dribble_delay is not UNSET:
            dribble = definition.chunked_dribble_delay
            plain = plain._replace(pieces=(dribble.number_of_chunks, dribble.total_duration / 1000))
        elif is_chunked or trailers:
            plain = plain._replace(pieces=(1, 0.0))
        if definition.problem is not UNSET:
            plain = plain._replace(source=plain.source or "gateway")
            self._variations.append(partial(_with_problem, _wanted(definition.problem)))
        if definition.sse is not UNSET:
            sse = definition.sse if isinstance(definition.sse, Sse) else Sse(definition.sse)
            for number, one in enumerate(sse.events):
                event.check(one, f"{pointer}/sse/events/{number}")
            events = tuple(event.encoded(one, event.data_of(one)) for one in sse.events)
            plain = plain._replace(events=events, ending=ENDINGS_BY_NAME[sse.ends])
            if templated:
                self._variations.append(_event_templates(sse.events, f"{pointer}/sse/events"))
        elif _names_by_template(definition):
            self._variations.append(_body_file(definition, files, pointer, literal=literal))
        elif templated and not (literal and definition.body_file_name is not UNSET):
            self._variations.append(_body_template(plain.body, f"{pointer}/body"))
        if templated and plain.headers:
            self._variations.append(_header_templates(plain.headers, f"{pointer}/headers"))
        if templated and plain.trailers:
            self._variations.append(_trailer_templates(plain.trailers, f"{pointer}/trailers"))
        if templated and plain.informational:
            self._variations.append(_informational_templates(plain.informational, f"{pointer}/informational"))
        if isinstance(proxied, Proxied):
            plain = plain._replace(proxied=proxied)
        elif proxied is not None:
            render = proxied
            self._variations.append(
                lambda answer, call, context: answer._replace(proxied=render(call, context))
            )
        self._plain = plain

    @property
    def size(self) -> int:
        """The size of the body or of the events, in bytes."""
        return len(self._plain.body) + sum(len(one.data) for one in self._plain.events or ())

    def sends_the_same(self, other: "PreparedResponse") -> bool:
        """Return whether it sends the same as ``other``, which has the same definition but may be older.

        The contents of files may have changed.
        """
        return self._plain == other._plain

    def answer(
        self, call: Call, settings: Settings, now: float, random: Callable[[], Random], path: dict[str, str]
    ) -> Answer:
        """Return the answer to ``call``. Raises RenderError if a template exceeds its limits.

        ``random`` returns the random numbers of this answer.
        """
        answer = self._plain
        fixed, distribution = self._fixed_delay, self._distribution
        milliseconds = (settings.fixed_delay if fixed is UNSET else fixed) or 0
        distribution = settings.delay_distribution if distribution is UNSET else distribution
        drawn = random() if distribution is not None or self._variations else None
        if distribution is not None and drawn is not None:
            milliseconds += distribution.sample(drawn)
        if milliseconds:
            answer = answer._replace(delay=milliseconds / 1000)
        if drawn is not None:
            context = Context(now=now, random=drawn, path_parameters=path, parameters=self._parameters)
            for vary in self._variations:
                answer = vary(answer, call, context)
        return answer


def _names_by_template(definition: ResponseDefinition) -> bool:
    _, _, after = (definition.body_file_name or "").partition("{{")
    return bool(definition.transformers) and "}}" in after


def _body_file(definition: ResponseDefinition, files: Files, pointer: str, *, literal: bool) -> Variation:
    from oagw.stubs.body_file import BodyFile  # imported on first use, like the templates

    file = BodyFile(definition.body_file_name or "", files, f"{pointer}/bodyFileName", literal=literal)
    return lambda answer, call, context: answer._replace(body=file.body(call, context))


def _body_template(body: bytes, pointer: str) -> Variation:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return lambda answer, call, context: answer  # binary data is not a template
    template = compiled(text, pointer)
    return lambda answer, call, context: answer._replace(body=template.render(call, context).encode())


def _header_templates(headers: Fields, pointer: str) -> Variation:
    render = field_templates(headers, pointer)
    return lambda answer, call, context: answer._replace(headers=render(call, context))


def _trailer_templates(trailers: Fields, pointer: str) -> Variation:
    render = field_templates(trailers, pointer)
    return lambda answer, call, context: answer._replace(trailers=render(call, context))


def _informational_templates(responses: tuple[tuple[int, Fields], ...], pointer: str) -> Variation:
    renders = [
        (status, field_templates(fields, f"{pointer}/{number}/headers"))
        for number, (status, fields) in enumerate(responses)
    ]

    def rendered(answer: Answer, call: Call, context: Context) -> Answer:
        return answer._replace(
            informational=tuple((status, render(call, context)) for status, render in renders)
        )

    return rendered


def _event_templates(events: Sequence[SseEvent], pointer: str) -> Variation:
    texts = [event.data_of(one) for one in events]
    templates = [
        None if text is None else compiled(text, f"{pointer}/{number}/data")
        for number, text in enumerate(texts)
    ]

    def rendered(answer: Answer, call: Call, context: Context) -> Answer:
        data = [None if template is None else template.render(call, context) for template in templates]
        return answer._replace(events=tuple(map(event.encoded, events, data)))

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
        raise Invalid(f"{pointer}/{names[1]}", f"{names[1]} and {names[0]} are mutually exclusive")
    if definition.problem is not UNSET and definition.status is not UNSET:
        raise Invalid(
            f"{pointer}/status", "status and problem are mutually exclusive: a problem has a status"
        )
    if definition.problem is not UNSET and definition.transformers:
        raise Invalid(f"{pointer}/transformers", "A problem cannot be a template")
    if definition.sse is not UNSET and definition.status in _BODILESS:
        raise Invalid(f"{pointer}/sse", f"A response with status {definition.status} has no body")
    if definition.trailers:
        _check_trailers(definition, pointer)
    for name in ("sse", "problem"):
        if name in names and definition.chunked_dribble_delay is not UNSET:
            detail = f"chunkedDribbleDelay and {name} are mutually exclusive"
            raise Invalid(f"{pointer}/chunkedDribbleDelay", detail)


def _check_trailers(definition: ResponseDefinition, pointer: str) -> None:
    if definition.fault:
        raise Invalid(f"{pointer}/trailers", "trailers and fault are mutually exclusive")
    if definition.status in _BODILESS:
        detail = f"A response with status {definition.status} has no body, and so no trailers"
        raise Invalid(f"{pointer}/trailers", detail)
    for name in definition.headers:
        if name.lower() == "content-length":
            detail = "A response with trailers is chunked, and has no Content-Length"
            raise Invalid(f"{pointer}/headers/{name}", detail)


def _body(definition: ResponseDefinition, files: Files, pointer: str) -> bytes:
    if definition.body is not UNSET:
        return definition.body.encode("utf-8", "surrogatepass")
    if definition.json_body is not UNSET:
        return json.dumps(definition.json_body, ensure_ascii=False, separators=(",", ":")).encode()
    if isinstance(definition.base64_body, str):
        try:
            return b64decode(definition.base64_body, validate=True)
        except (Base64Error, ValueError):
            raise Invalid(f"{pointer}/base64Body", "base64Body is not valid base64") from None
    name = definition.body_file_name
    if isinstance(name, str) and not _names_by_template(definition):
        if name not in files:
            detail = f'No such file in __files: "{name}"{suggestion(name, files)}'
            raise Invalid(f"{pointer}/bodyFileName", detail)
        return files[name]
    return b""


def _checked_phrase(phrase: str, pointer: str) -> str:
    if not LINE.fullmatch(phrase):
        raise Invalid(pointer, "statusMessage must be one line of Latin-1 text")
    return phrase
