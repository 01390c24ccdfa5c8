"""Pattern: a request pattern that is ready to be matched, and that can say what does not match."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qsl

from oagw.control.invalid import Invalid
from oagw.control.patience import GaveUp
from oagw.control.pattern.condition import Condition
from oagw.control.pattern.operator import condition, operator_of
from oagw.control.pattern.spec import BodyOperator, RequestPattern, ValuesOperator
from oagw.control.pattern.url import Url
from oagw.model.call import Call
from oagw.model.secret import MASK, masked, masked_url

# Characters of a text that a comparison shows.
_SHOWN = 2_000

# What each part weighs in the distance, as in WireMock's near misses.
_WEIGHTS = {"url": 10.0, "host": 10.0, "port": 10.0, "method": 3.0, "client ip": 3.0}


class Part(NamedTuple):
    """One line of a comparison: what ``name`` was expected to be, and what it is; secrets are masked."""

    name: str
    expected: str
    actual: str
    matches: bool


class _Field(NamedTuple):
    """One thing that a pattern looks at; ``distance`` is 0 if it matches; both may raise GaveUp."""

    name: str
    expected: str
    actual: Callable[[Call], str]
    matches: Callable[[Call, float], bool]
    distance: Callable[[Call, float], float]


class Pattern:
    """A compiled request pattern.

    ``method`` is upper case or ``ANY``. ``literal_path`` is the one path that matches, in the spelling of
    ``Call.paths[0]``; ``alias`` the one alias below ``/proxy/``, in lower case: each None if there are more.
    ``now`` is the time in seconds since 1970, of which dates such as ``now +3 days`` are reckoned.
    """

    def __init__(self, spec: RequestPattern, pointer: str = "") -> None:
        self.method = spec.method or "ANY"
        self._url = url = Url(spec, pointer)
        self.literal_path = url.literal_path
        self.alias = url.alias
        self._matches_url = url.matches
        self._fields = _fields(spec, url, pointer)
        self._checks = tuple(field.matches for field in self._fields)

    def matches(self, call: Call, now: float) -> bool:
        """Whether ``call`` is what this asks for; what cannot be told within ``call.patience`` is not."""
        if self.method != "ANY" and self.method != call.method:
            return False
        try:
            if not self._matches_url(call):
                return False
            for check in self._checks:
                if not check(call, now):
                    return False
        except (GaveUp, RecursionError):
            return False
        return True

    def path_parameters(self, call: Call) -> dict[str, str]:
        """The variables of urlPathTemplate, as sent (percent-encoded); empty without one."""
        try:
            return self._url.parameters(call)
        except GaveUp:
            return {}

    def distance(self, call: Call, now: float) -> float:
        """0 (it matches) to 1: the mean over all that a pattern can look at, the URL and method weighing more."""
        total, weights = 0.0, 20.0
        for field in self._all_fields():
            weight = _WEIGHTS.get(field.name, 1.0)
            weights += max(0.0, weight - 3.0)
            try:
                total += weight * field.distance(call, now)
            except (GaveUp, RecursionError):
                total += weight
        return min(1.0, total / weights)

    def compare(self, call: Call, now: float) -> list[Part]:
        """Field by field, what is expected and what ``call`` has."""
        parts = []
        for field in self._all_fields():
            actual = field.actual(call)[:_SHOWN]
            try:
                matches = field.matches(call, now)
            except (GaveUp, RecursionError) as reason:
                matches = False
                actual += f" ({str(reason) or 'nested too deeply'})"
            parts.append(Part(field.name, field.expected[:_SHOWN], actual, matches))
        return parts

    def _all_fields(self) -> list[_Field]:
        method, url = self.method, self._url
        return [
            _yes_or_no(
                "method", method, lambda call: call.method, lambda call, now: method in ("ANY", call.method)
            ),
            _Field(
                "url",
                masked_url(url.expected),
                lambda call: masked_url(call.url),
                lambda call, now: url.matches(call),
                lambda call, now: url.difference(call),
            ),
            *self._fields,
        ]


def compiled(spec: RequestPattern, pointer: str = "") -> Pattern:
    """``spec``, found at ``pointer``, ready to match; raises Invalid."""
    return Pattern(spec, pointer)


def _fields(spec: RequestPattern, url: Url, pointer: str) -> list[_Field]:
    """What ``spec`` looks at besides method and URL, the cheapest first."""
    fields: list[_Field] = []
    if spec.port is not None:
        port = spec.port
        fields.append(
            _yes_or_no("port", str(port), lambda call: str(call.port), lambda call, _: call.port == port)
        )
    for name, member, one, get in (
        ("host", "host", spec.host, _host),
        ("client ip", "clientIp", spec.clientIp, lambda call: call.client),
    ):
        if one is not None:
            fields.append(_text_field(name, name, condition(one, f"{pointer}/{member}"), get))
    fields += _headers(spec, pointer)
    for key, values in (spec.queryParameters or {}).items():
        at = f"{pointer}/queryParameters/{_escaped(key)}"
        fields.append(_values_field("query", key, values, at, lambda call, key=key: call.query.get(key)))  # type: ignore[misc]
    for key, one in (spec.cookies or {}).items():
        fields.append(_cookie(key, condition(one, f"{pointer}/cookies/{_escaped(key)}")))
    if spec.pathParameters and spec.urlPathTemplate is None:
        raise Invalid(f"{pointer}/pathParameters", "pathParameters need urlPathTemplate")
    for key, one in (spec.pathParameters or {}).items():
        tested = condition(one, f"{pointer}/pathParameters/{_escaped(key)}")
        fields.append(
            _text_field(
                f"path parameter {key}", key, tested, lambda call, key=key: url.parameters(call).get(key)
            )
        )  # type: ignore[misc]
    for key, values in (spec.formParameters or {}).items():
        at = f"{pointer}/formParameters/{_escaped(key)}"
        fields.append(
            _values_field("form parameter", key, values, at, lambda call, key=key: _form(call).get(key))
        )  # type: ignore[misc]
    for index, body in enumerate(spec.bodyPatterns or ()):
        fields.append(_body(body, f"{pointer}/bodyPatterns/{index}"))
    return fields


def _headers(spec: RequestPattern, pointer: str) -> list[_Field]:
    fields = []
    for key, values in (spec.headers or {}).items():
        at, lower = f"{pointer}/headers/{_escaped(key)}", key.lower()
        fields.append(
            _values_field("header", key, values, at, lambda call, lower=lower: call.headers.get(lower))
        )  # type: ignore[misc]
    for member, login in (("basicAuth", spec.basicAuth), ("basicAuthCredentials", spec.basicAuthCredentials)):
        if login is None:
            continue
        if spec.basicAuth and spec.basicAuthCredentials:
            raise Invalid(f"{pointer}/{member}", "basicAuth and basicAuthCredentials cannot stand together")
        wanted = b64encode(f"{login.username}:{login.password}".encode()).decode()

        def same(call: Call, now: float, wanted: str = wanted) -> bool:
            pairs = (value.partition(" ") for value in call.headers.get("authorization", ()))
            return any(scheme.lower() == "basic" and rest == wanted for scheme, _, rest in pairs)

        fields.append(_yes_or_no("header Authorization", f"Basic {MASK}", _authorization, same))
    return fields


def _authorization(call: Call) -> str:
    return ", ".join(masked("authorization", value) for value in call.headers.get("authorization", ()))


def _host(call: Call) -> str:
    sent = call.headers.get("host")
    if not sent:
        return call.host
    return sent[0].partition("]")[0] + "]" if sent[0].startswith("[") else sent[0].partition(":")[0]


def _form(call: Call) -> dict[str, list[str]]:
    form: dict[str, list[str]] = {}
    if call.headers.get("content-type", [""])[0].lower().startswith("application/x-www-form-urlencoded"):
        for name, value in parse_qsl(call.text, keep_blank_values=True):
            form.setdefault(name, []).append(value)
    return form


def _yes_or_no(
    name: str, expected: str, actual: Callable[[Call], str], matches: Callable[[Call, float], bool]
) -> _Field:
    return _Field(name, expected, actual, matches, lambda call, now: float(not matches(call, now)))


def _text_field(name: str, key: str, tested: Condition, get: Callable[[Call], str | None]) -> _Field:
    """A field with one text, or none."""
    return _Field(
        name,
        masked(key, tested.expected),
        lambda call: _shown(key, get(call)),
        lambda call, now: tested.test(get(call), call, now),
        lambda call, now: tested.distance(get(call), call, now),
    )


def _values_field(
    kind: str, key: str, spec: ValuesOperator, at: str, get: Callable[[Call], list[str] | None]
) -> _Field:
    """A field with several values: one of them must match; or several, for hasExactly and includes."""
    operator = operator_of(spec, at)
    if operator in ("hasExactly", "includes"):
        listed = spec.hasExactly if operator == "hasExactly" else spec.includes
        conditions = [condition(one, f"{at}/{operator}/{index}") for index, one in enumerate(listed or ())]
        expected = f"[{operator}] " + ", ".join(one.expected for one in conditions)
        count = len(conditions) if operator == "hasExactly" else None

        def distance(call: Call, now: float) -> float:
            values = get(call)
            if values is None or (count == 0 and values):
                return 1.0
            misses = [min(one.distance(value, call, now) for value in values) for one in conditions]
            if count not in (None, len(values)):
                misses.append(1.0)
            return sum(misses) / len(misses) if misses else 0.0

        def matches(call: Call, now: float) -> bool:
            values = get(call)
            if values is None or count not in (None, len(values)):
                return False
            return all(any(one.test(value, call, now) for value in values) for one in conditions)

    else:
        tested = condition(spec, at)
        expected = tested.expected

        def distance(call: Call, now: float) -> float:
            return min(tested.distance(value, call, now) for value in get(call) or (None,))

        def matches(call: Call, now: float) -> bool:
            return any(tested.test(value, call, now) for value in get(call) or (None,))

    def actual(call: Call) -> str:
        return ", ".join(_shown(key, value) for value in get(call) or (None,))

    return _Field(f"{kind} {key}", masked(key, expected), actual, matches, distance)


def _cookie(key: str, tested: Condition) -> _Field:
    """A cookie; its name in any case, as in WireMock. A cookie that is not there is absent, and nothing else."""
    lower = key.lower()

    def values(call: Call) -> list[str]:
        return [value for name, values in call.cookies.items() if name.lower() == lower for value in values]

    def matches(call: Call, now: float) -> bool:
        found = values(call)
        return any(tested.test(value, call, now) for value in found) if found else tested.on_absent

    return _yes_or_no(
        f"cookie {key}",
        tested.expected if tested.on_absent else MASK,
        lambda call: MASK if values(call) else "[absent]",
        matches,
    )


def _body(spec: BodyOperator, at: str) -> _Field:
    if operator_of(spec, at) == "binaryEqualTo":
        wanted = spec.binaryEqualTo or ""
        try:
            data = b64decode(wanted, validate=True)
        except ValueError:
            raise Invalid(f"{at}/binaryEqualTo", "binaryEqualTo is not base64") from None
        return _yes_or_no(
            "body",
            f"[binaryEqualTo] {wanted}",
            lambda call: b64encode(call.body[:_SHOWN]).decode(),
            lambda call, now: call.body == data,
        )
    tested = condition(spec, at)
    name = f"body {tested.where}" if tested.where else "body"
    return _text_field(name, "body", tested, lambda call: call.text if call.body else None)


def _shown(key: str, text: str | None) -> str:
    return "[absent]" if text is None else masked(key, text[:_SHOWN])


def _escaped(key: str) -> str:
    """``key`` as a step of a JSON pointer (RFC 6901 section 3)."""
    return key.replace("~", "~0").replace("/", "~1")
