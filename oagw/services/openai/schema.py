"""Generate a value that is valid against a JSON Schema. The same schema always gives the same value.

Each candidate is checked by ``SchemaValidator``, so a result is always valid, except that ``pattern`` is
followed but not checked.
"""

import math
from collections.abc import Iterator
from typing import Any

from oagw.services.openai.pattern import matching
from oagw.services.openai.schema_validator import SchemaTooComplex, SchemaValidator, Unsatisfiable, guess_type

__all__ = ["Unsatisfiable", "example"]

# The work allowed per request, about 0.08 s; ``schema_validator`` defines work. _SHARES are tried in turn:
# the level down to which optional properties are generated, and the share of the work.
WORK = 50_000
_SHARES = ((3, 0.7), (1, 0.15), (0, 0.15))

# The largest length of strings and arrays.
_LONGEST = 5000

_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "user@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def example(schema: Any, work: int = WORK) -> Any:
    """Return a value that is valid against ``schema``.

    It has optional properties down to the third level, unless that takes too much work. Raises Unsatisfiable
    if no value is valid, the schema is malformed or not supported, or it takes more than ``work``.
    """
    for levels, share in _SHARES:
        try:
            return _Generator(schema, levels, int(work * share)).make(schema, 0)
        except SchemaTooComplex as error:
            last = error
        except (TypeError, AttributeError, KeyError, OverflowError, ValueError, RecursionError) as error:
            if isinstance(error, Unsatisfiable):
                raise
            raise Unsatisfiable(f"it is malformed: {error}") from None
    raise last


class _Generator(SchemaValidator):
    """Generate values for one schema, with optional properties down to this number of ``levels``."""

    def __init__(self, root: Any, levels: int, work: int) -> None:
        super().__init__(root, work)
        self._levels = levels
        self._texts: dict[tuple[str, int], str] = {}

    def make(self, schema: Any, depth: int) -> Any:
        """Return a value that is valid against ``schema``, ``depth`` levels below the root."""
        self.spend(depth=depth)
        why = "no value is valid"
        for plain in self._plain(schema, depth):
            try:
                for value in self._values(plain, depth):
                    if self.is_valid(value, schema):
                        return value
            except SchemaTooComplex:
                raise
            except Unsatisfiable as error:
                why = str(error)
        raise Unsatisfiable(why)

    def _plain(self, schema: Any, depth: int) -> Iterator[dict[str, Any]]:
        """Yield ``schema`` without references and alternatives, once for each choice of an alternative."""
        self.spend(depth=depth)
        schema = self.read(schema)
        for key in ("$ref", "allOf", "anyOf", "oneOf"):
            if key not in schema:
                continue
            rest = {name: value for name, value in schema.items() if name != key}
            if key == "$ref":
                yield from self._plain(self._merged(rest, self.resolve(schema[key])), depth + 1)
            elif key == "allOf":
                for part in schema[key]:
                    rest = self._merged(rest, part)
                yield from self._plain(rest, depth + 1)
            else:
                self.spend(len(schema[key]))
                options = [self.read(option) for option in schema[key]]
                if depth > self._levels:  # try options that end a recursion first
                    options.sort(key=lambda option: any(k in option for k in ("$ref", "items", "properties")))
                for option in options:
                    yield from self._plain(self._merged(rest, option), depth + 1)
            return
        yield schema

    def _merged(self, one: dict[str, Any], other: Any) -> dict[str, Any]:
        """Return roughly the conjunction of both schemas; ``is_valid`` decides in the end."""
        merged = dict(one)
        for key, value in self.read(other).items():
            mine = merged.get(key)
            self.spend(sum(len(each) for each in (mine, value) if isinstance(each, dict | list)))
            if mine is None:
                merged[key] = value
            elif key == "properties" and isinstance(mine, dict) and isinstance(value, dict):
                both = {k: {"allOf": [mine[k], value[k]]} for k in mine.keys() & value.keys()}
                merged[key] = {**mine, **value, **both}
            elif key in ("required", "allOf"):
                merged[key] = [*mine, *value]
            elif key.startswith(("min", "exclusiveMin")):
                merged[key] = max(mine, value)
            elif key.startswith(("max", "exclusiveMax")):
                merged[key] = min(mine, value)
            elif key == "enum":
                self.spend(len(mine) * self.weight(value))
                merged[key] = [member for member in mine if member in value]
            elif key == "type" and isinstance(value, str):
                merged[key] = value
            elif key in ("anyOf", "oneOf", "items", "$ref"):
                merged["allOf"] = [*merged.get("allOf", []), {key: value}]
        return merged

    def _values(self, schema: dict[str, Any], depth: int) -> Iterator[Any]:
        """Yield candidates that may be valid against a plain ``schema``, the likeliest first."""
        if "const" in schema:
            self.spend(self.weight(schema["const"]))
            yield schema["const"]
            return
        if "enum" in schema:
            for member in schema["enum"]:
                self.spend(self.weight(member))
                yield member
            return
        for kind in self.kinds(schema) or [guess_type(schema)]:
            match kind:
                case "object":
                    yield self._object(schema, depth)
                case "array":
                    yield self._array(schema, depth)
                case "string":
                    yield from self._strings(schema)
                case "integer" | "number":
                    yield from self._numbers(schema, kind == "integer")
                case "boolean":
                    yield from (True, False)
                case _:
                    yield None

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = dict.fromkeys(schema.get("required", []))
        self.spend(len(properties) + len(required))
        made: dict[str, Any] = {}
        for name in dict.fromkeys([*properties, *required]):
            if name in required:
                extra = schema.get("additionalProperties", True)
                made[name] = self.make(properties.get(name, extra), depth + 1)
            elif depth < self._levels:
                try:
                    made[name] = self.make(properties[name], depth + 1)
                except SchemaTooComplex:
                    raise
                except Unsatisfiable:
                    continue  # leave the optional property out
        return made

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        if least > _LONGEST:
            raise SchemaTooComplex(f"it asks for {least} items")
        wanted = least if depth >= self._levels else max(least, 1)
        wanted = min(wanted, schema.get("maxItems", wanted))
        fixed, items = schema.get("prefixItems", []), schema.get("items", True)
        made: list[Any] = []
        while len(made) < wanted:
            index = len(made)
            part = fixed[index] if index < len(fixed) else items
            try:
                value = self.make(part, depth + 1)
            except SchemaTooComplex:
                raise
            except Unsatisfiable:
                if index < least:
                    raise
                break
            if schema.get("uniqueItems"):
                value = self._other(value, part, made)
            made.append(value)
        return made

    def _other(self, value: Any, schema: Any, taken: list[Any]) -> Any:
        """Return ``value``, or a similar one that is not among ``taken``."""
        weight = len(value) // 64 if isinstance(value, str) else self.weight(value) - 1
        self.spend(len(taken) * (1 + weight) // 8)
        if value not in taken:
            return value
        others: list[Any] = []
        for plain in self._plain(schema, 0):
            others += plain.get("enum", [True, False] if plain.get("type") == "boolean" else [])
        if isinstance(value, str):
            others += [f"{value}{len(taken)}", f"{len(taken)}"]
        elif isinstance(value, int | float):
            others += [value + len(taken), value - len(taken)]
        for other in others:
            self.spend(len(taken) * (1 + weight) // 8)
            if other not in taken and self.is_valid(other, schema):
                return other
        raise Unsatisfiable("there are too few distinct items")

    def _strings(self, schema: dict[str, Any]) -> Iterator[str]:
        least, most = schema.get("minLength", 0), schema.get("maxLength", _LONGEST)
        if least > _LONGEST:
            raise SchemaTooComplex(f"it asks for {least} characters")
        self.spend(least)
        if "pattern" in schema:
            try:
                for more in (0, 1, least):
                    yield self._matching(schema["pattern"], more)
            except SchemaTooComplex:
                raise
            except ValueError as error:
                raise Unsatisfiable(f"the pattern {schema['pattern'][:100]!r}: {error}") from None
            return
        form = schema.get("format")
        if form in _FORMATS:
            yield _FORMATS[form]
        yield ("text" + "x" * (least - 4))[: int(most)]

    def _matching(self, pattern: str, more: int) -> str:
        if (pattern, more) not in self._texts:
            self.spend(len(pattern))
            self._texts[pattern, more] = matching(pattern, more)
        text = self._texts[pattern, more]
        self.spend(len(text))
        return text

    def _numbers(self, schema: dict[str, Any], whole: bool) -> Iterator[int | float]:
        low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
        high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
        step = schema.get("multipleOf", 1)
        near: list[float] = [1, 0]
        for bound, sign in ((low, 1), (high, -1)):
            if math.isfinite(bound):
                near += [bound, bound + sign * step]
                steps = math.ceil(bound / step) if sign > 0 else math.floor(bound / step)
                near += [steps * step, (steps + sign) * step]
        if math.isfinite(low) and math.isfinite(high):
            near.append(low / 2 + high / 2)
        for value in near:
            if not math.isfinite(value):
                continue
            if whole and value != int(value):
                value = math.ceil(value) if value >= low else math.floor(value)
            yield int(value) if value == int(value) else value
