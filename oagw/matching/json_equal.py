"""equalToJson: two JSON values compared as WireMock does (json-unit), at a bounded cost."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from oagw.java.regex import Expression
from oagw.matching.condition import Condition, document
from oagw.matching.spec import Operator
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.time_budget import Effort

T = TypeVar("T")

_PLACEHOLDER = re.compile(r"[$#]\{json-unit\.([a-z-]+)(:[^}]*)?\}(.*)", re.DOTALL)
_KINDS = ("any-string", "any-number", "any-boolean", "ignore", "ignore-element")
_MAX_LENGTH = 1 << 20

# Characters that the regular expressions in it may have together.
_MAX_EXPRESSIONS = 10_000


class _Placeholder(NamedTuple):
    """``${json-unit.kind}`` in the value that is expected."""

    kind: str
    expression: Expression | None = None

    def fits(self, actual: Any, call: Call) -> bool:
        match self.kind:
            case "any-string":
                return isinstance(actual, str)
            case "any-number":
                return isinstance(actual, int | float) and not isinstance(actual, bool)
            case "any-boolean":
                return isinstance(actual, bool)
            case "regex":
                assert self.expression is not None
                return isinstance(actual, str) and self.expression.matches(actual, call)
        return True  # ignore, ignore-element


def json_equal_condition(spec: Operator, at: str) -> Condition:
    """The operator equalToJson; raises Invalid."""
    given = spec.equalToJson
    try:
        expected = json.loads(given, parse_constant=_no_constant) if isinstance(given, str) else given
        shown = json.dumps(expected, ensure_ascii=False)
        if len(shown) > _MAX_LENGTH:
            raise Invalid(at, f"equalToJson may have {_MAX_LENGTH} characters")
        shown.encode()  # half a surrogate pair is not JSON
        has_placeholders = "{json-unit." in shown
        if has_placeholders:
            expected = _Placeholders(at).of(expected)
        any_order, extra = bool(spec.ignoreArrayOrder), bool(spec.ignoreExtraElements)
        # Without placeholders and extras this is an equivalence: no need to search.
        canonical = _canonical(expected) if any_order and not has_placeholders and not extra else None
    except Invalid:
        raise
    except ValueError as error:
        raise Invalid(at, f"equalToJson is not valid JSON: {error}") from None
    except RecursionError:
        raise Invalid(at, "equalToJson is nested too deeply") from None

    def test(text: str | None, call: Call, now: float) -> bool:
        try:
            actual = document(text, call)
        except ValueError:
            return False
        with Effort(call, "equalToJson") as effort:
            if canonical is not None:
                return canonical == _canonical(actual, effort)
            return _Comparison(any_order, extra, call, effort).fits(expected, actual)

    return Condition(test, f"[equalToJson] {shown}", shown, whole=True)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class _Placeholders:
    """Finds the placeholders in what is expected, at ``at``."""

    def __init__(self, at: str) -> None:
        self._at = at
        self._length = 0  # of the regular expressions so far

    def of(self, value: Any) -> Any:
        """``value`` with its placeholders; raises Invalid."""
        if isinstance(value, dict):
            return {key: self.of(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.of(item) for item in value]
        found = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
        if not found:
            return value
        kind, argument, rest = found.groups()
        if kind == "regex" and not argument:
            self._length += len(rest) + 10  # that much the shortest costs
            if self._length > _MAX_EXPRESSIONS:
                detail = f"its regular expressions may have {_MAX_EXPRESSIONS} characters together"
                raise Invalid(self._at, detail)
            return _Placeholder(kind, Expression(rest, self._at, flags=""))
        if kind in _KINDS and not argument and not rest:
            return _Placeholder(kind)
        raise Invalid(self._at, f"the placeholder {value} is not supported")


def _canonical(value: Any, effort: Effort | None = None) -> str:
    """A text that is the same for JSON that is equal in any order; 1.0 is 1."""
    if isinstance(value, dict):
        pairs = ((json.dumps(key), item) for key, item in _in_time(value.items(), effort))
        return "{" + ",".join(sorted(key + _canonical(item, effort) for key, item in pairs)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(sorted(_canonical(item, effort) for item in _in_time(value, effort))) + "]"
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def _in_time(items: Iterable[T], effort: Effort | None) -> Iterable[T]:
    """``items``, with a look at the clock before the first and every 256 after it."""
    if effort is None:
        return items
    return _checked(items, effort)


def _checked(items: Iterable[T], effort: Effort) -> Iterator[T]:
    for count, item in enumerate(items):
        if count & 0xFF == 0:
            effort.check()
        yield item


class _Comparison:
    """A comparison under way."""

    def __init__(self, any_order: bool, extra: bool, call: Call, effort: Effort) -> None:
        self._any_order = any_order
        self._extra = extra
        self._call = call
        self._effort = effort
        self._steps = 0
        self._known: dict[tuple[int, int], bool] = {}

    def fits(self, expected: Any, actual: Any) -> bool:
        self._step()
        if isinstance(expected, dict):
            return isinstance(actual, dict) and self._objects(expected, actual)
        if isinstance(expected, _Placeholder):
            return expected.fits(actual, self._call)
        if isinstance(expected, list):
            if not isinstance(actual, list):
                return False
            if len(actual) < len(expected) or (len(actual) > len(expected) and not self._extra):
                return False
            if self._any_order:
                return self._assigned(expected, actual)
            return all(map(self.fits, expected, actual))
        return bool(expected == actual) and isinstance(expected, bool) == isinstance(actual, bool)

    def _step(self) -> None:
        self._steps += 1
        if self._steps & 0xFF == 0:
            self._effort.check()

    def _objects(self, expected: dict[str, Any], actual: dict[str, Any]) -> bool:
        for key, value in expected.items():
            if key in actual:
                if not self.fits(value, actual[key]):
                    return False
            elif not isinstance(value, _Placeholder) or value.kind != "ignore-element":
                return False
        return self._extra or all(key in expected for key in actual)

    def _assigned(self, expected: list[Any], actual: list[Any]) -> bool:
        """Whether each of ``expected`` can have one of ``actual`` to itself."""
        owner: dict[int, int] = {}  # of each place in actual that is taken
        place_of: dict[int, int] = {}  # the other way round
        for index in range(len(expected)):
            asked_by, place = self._search(index, expected, actual, owner)
            if place is None:
                return False
            moving: int | None = place
            while moving is not None:  # each who asked takes the place, and leaves the one it had
                asker = owner[moving] = asked_by[moving]
                left = place_of.get(asker)
                place_of[asker] = moving
                moving = left
        return True

    def _search(
        self, index: int, expected: list[Any], actual: list[Any], owner: dict[int, int]
    ) -> tuple[dict[int, int], int | None]:
        """Breadth first: who asked for which place, and the place that is free if all of them move."""
        asked_by: dict[int, int] = {}
        asking = [index]
        for asker in asking:
            # Its own place first: most arrays are in order.
            for place in chain(range(asker, len(actual)), range(asker)):
                self._step()
                if place in asked_by or not self._pair(expected[asker], actual[place]):
                    continue
                asked_by[place] = asker
                if place not in owner:
                    return asked_by, place
                asking.append(owner[place])
        return asked_by, None

    def _pair(self, expected: Any, actual: Any) -> bool:
        self._step()
        if not isinstance(expected, dict | list):
            return self.fits(expected, actual)
        key = id(expected), id(actual)
        if key not in self._known:
            self._known[key] = self.fits(expected, actual)
        return self._known[key]
