"""Fields: the parts of a request that a pattern tests, other than the method and the URL."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import NamedTuple

from oagw.matching.condition import Condition
from oagw.matching.difference import Difference
from oagw.matching.operator import check_number, condition, operator_of
from oagw.matching.spec import BodyOperator, Operator, RequestPattern, ValuesOperator
from oagw.matching.url import Url
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.reading import ParseLimitExceeded
from oagw.model.redacted import credentials
from oagw.model.secret import MASK, KnownSecrets, masked
from oagw.model.time_budget import BudgetExceeded

# The number of characters of a value that a comparison shows, and the number in which it masks secrets.
MAX_SHOWN = 2_000
_MAX_MASKED = 64 << 10


class Field(NamedTuple):
    """A part of a request that a pattern tests.

    - ``wants``: the expected value in words, with secrets masked
    - ``actual``: returns the value in a call, with secrets masked
    - ``matches``, ``distance``: may raise BudgetExceeded; the distance is 0 if it matches
    - ``operator``: the name of the operator, unless ``wants`` is clear without it
    - ``exact``: whether ``wants`` is the only value that matches
    - ``is_any``: whether every value matches
    - ``differences``: for a body, yields the differences as a Condition does
    """

    name: str
    wants: str
    actual: Callable[[Call], str]
    matches: Callable[[Call, float], bool]
    distance: Callable[[Call, float], float]
    operator: str = ""
    exact: bool = False
    is_any: bool = False
    differences: Callable[[Call], Iterator[Difference]] | None = None


def fields_of(spec: RequestPattern, url: Url, pointer: str) -> list[Field]:
    """Compile the fields of ``spec`` except the method and the URL, cheapest first. Raises Invalid."""
    check_number(_operators(spec), pointer)
    fields: list[Field] = []
    if spec.port is not None:
        fields.append(_port(spec.port))
    if spec.host is not None:
        fields.append(
            _text_field(
                "host", "host", condition(spec.host, f"{pointer}/host"), lambda call: call.authority[0]
            )
        )
    if spec.clientIp is not None:
        tested = condition(spec.clientIp, f"{pointer}/clientIp")
        fields.append(_text_field("client ip", "clientIp", tested, lambda call: call.client))
    fields += _headers(spec, pointer)
    for key, values in (spec.queryParameters or {}).items():
        at = f"{pointer}/queryParameters/{_escaped(key)}"
        fields.append(_values_field("query", key, values, at, _values_of(key, lambda call: call.query)))
    for key, one in (spec.cookies or {}).items():
        fields.append(_cookie(key, condition(one, f"{pointer}/cookies/{_escaped(key)}")))
    if spec.pathParameters and spec.urlPathTemplate is None:
        raise Invalid(f"{pointer}/pathParameters", "pathParameters requires urlPathTemplate")
    for key, one in (spec.pathParameters or {}).items():
        at = f"{pointer}/pathParameters/{_escaped(key)}"
        if key not in url.variables:
            raise Invalid(at, f'urlPathTemplate has no variable "{key}"')
        tested = condition(one, at)
        fields.append(_text_field(f"path parameter {key}", key, tested, _path_parameter(url, key)))
    for key, values in (spec.formParameters or {}).items():
        at = f"{pointer}/formParameters/{_escaped(key)}"
        fields.append(_values_field("form parameter", key, values, at, _values_of(key, _form)))
    for index, body in enumerate(spec.bodyPatterns or ()):
        fields.append(_body(body, f"{pointer}/bodyPatterns/{index}"))
    return fields


def _operators(spec: RequestPattern) -> list[Operator]:
    """Return the operators of ``spec``, without those nested in them."""
    found: list[Operator] = [one for one in (spec.host, spec.clientIp) if one is not None]
    for of_texts in (spec.cookies, spec.pathParameters):
        found += (of_texts or {}).values()
    for of_values in (spec.headers, spec.queryParameters, spec.formParameters):
        found += (of_values or {}).values()
    return found + list(spec.bodyPatterns or ())


def _values_of(key: str, group: Callable[[Call], dict[str, list[str]]]) -> Callable[[Call], list[str] | None]:
    return lambda call: group(call).get(key)


def _form(call: Call) -> dict[str, list[str]]:
    try:
        return call.form
    except ParseLimitExceeded as error:
        raise BudgetExceeded(f"the form {error}") from None


def _path_parameter(url: Url, key: str) -> Callable[[Call], str | None]:
    return lambda call: url.parameters(call).get(key)


def _port(port: int) -> Field:
    return yes_or_no("port", str(port), lambda call: str(call.port), lambda call, now: call.port == port)


def _headers(spec: RequestPattern, pointer: str) -> list[Field]:
    fields = []
    for key, values in (spec.headers or {}).items():
        at, get = f"{pointer}/headers/{_escaped(key)}", _values_of(key.lower(), lambda call: call.headers)
        fields.append(_values_field("header", key, values, at, get))
    if spec.basicAuth and spec.basicAuthCredentials:
        raise Invalid(f"{pointer}/basicAuth", "basicAuth and basicAuthCredentials are mutually exclusive")
    login = spec.basicAuth or spec.basicAuthCredentials
    if login is not None:
        fields.append(_basic(f"{login.username}:{login.password}"))
    return fields


def _basic(login: str) -> Field:
    wanted = b64encode(login.encode()).decode()

    def matches(call: Call, now: float) -> bool:
        pairs = (value.partition(" ") for value in call.headers.get("authorization", ()))
        return any(scheme.lower() == "basic" and rest == wanted for scheme, _, rest in pairs)

    return yes_or_no("header Authorization", f"Basic {MASK}", _authorization, matches)


def _authorization(call: Call) -> str:
    return ", ".join(masked("authorization", value) for value in call.headers.get("authorization", ()))


def yes_or_no(
    name: str,
    wants: str,
    actual: Callable[[Call], str],
    matches: Callable[[Call, float], bool],
    operator: str = "",
    *,
    is_any: bool = False,
) -> Field:
    """Return a field whose distance is always 0 or 1."""
    return Field(
        name,
        wants,
        actual,
        matches,
        lambda call, now: float(not matches(call, now)),
        operator,
        exact=True,
        is_any=is_any,
    )


def _text_field(name: str, key: str, tested: Condition, get: Callable[[Call], str | None]) -> Field:
    """Return a field with at most one value."""
    differences = tested.differences
    return Field(
        name,
        masked(key, tested.wants),
        lambda call: _shown(key, get(call)),
        lambda call, now: tested.test(get(call), call, now),
        lambda call, now: tested.distance(get(call), call, now),
        tested.operator,
        exact=tested.text is not None,
        differences=None if differences is None else lambda call: differences(get(call), call),
    )


def _values_field(
    kind: str, key: str, spec: ValuesOperator, at: str, get: Callable[[Call], list[str] | None]
) -> Field:
    """Return a field with several values. One must match; several for ``hasExactly`` and ``includes``."""
    operator = operator_of(spec, at)
    if operator in ("hasExactly", "includes"):
        listed = spec.hasExactly if operator == "hasExactly" else spec.includes
        conditions = [condition(one, f"{at}/{operator}/{index}") for index, one in enumerate(listed or ())]
        wants, exact = ", ".join(one.expected for one in conditions), False
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
        wants, operator, exact = tested.wants, tested.operator, tested.text is not None

        def distance(call: Call, now: float) -> float:
            return min(tested.distance(value, call, now) for value in get(call) or (None,))

        def matches(call: Call, now: float) -> bool:
            return any(tested.test(value, call, now) for value in get(call) or (None,))

    def actual(call: Call) -> str:
        return ", ".join(_shown(key, value) for value in get(call) or (None,))

    return Field(f"{kind} {key}", masked(key, wants), actual, matches, distance, operator, exact=exact)


def _cookie(key: str, tested: Condition) -> Field:
    """Return a field for a cookie, whose name is case-insensitive, as in WireMock.

    An absent cookie matches only the operator ``absent``.
    """
    lower = key.lower()

    def values(call: Call) -> list[str]:
        return [value for name, values in call.cookies.items() if name.lower() == lower for value in values]

    def matches(call: Call, now: float) -> bool:
        found = values(call)
        return any(tested.test(value, call, now) for value in found) if found else tested.on_absent

    return yes_or_no(
        f"cookie {key}",
        tested.expected if tested.on_absent else MASK,
        lambda call: MASK if values(call) else "[absent]",
        matches,
    )


def _body(spec: BodyOperator, at: str) -> Field:
    if operator_of(spec, at) == "binaryEqualTo":
        wanted = spec.binaryEqualTo or ""
        try:
            data = b64decode(wanted, validate=True)
        except ValueError:
            raise Invalid(f"{at}/binaryEqualTo", "binaryEqualTo is not valid base64") from None
        return yes_or_no(
            "body",
            wanted,
            _body_in_base64,
            lambda call, now: call.body == data,
            "binaryEqualTo",
        )
    tested = condition(spec, at)
    name = f"body {tested.where}" if tested.where else "body"
    return _text_field(name, "body", tested, lambda call: call.text if call.body else None)


def _body_in_base64(call: Call) -> str:
    text = call.body[:_MAX_MASKED].decode("latin-1")  # which maps each byte to one character
    return b64encode(KnownSecrets((), credentials(call)).masked(text).encode("latin-1")[:MAX_SHOWN]).decode()


def _shown(key: str, text: str | None) -> str:
    return "[absent]" if text is None else masked(key, text[:_MAX_MASKED])


def _escaped(key: str) -> str:
    """Escape ``key`` for a JSON pointer (RFC 6901 section 3)."""
    return key.replace("~", "~0").replace("/", "~1")
