"""Validate values against the part of JSON Schema (draft 2020-12) for which ``schema`` generates values.

The work is bounded for every schema. Visiting a (sub)schema is one unit of work. Operations that take longer,
such as comparing or copying long values and reading long lists, declare their work with ``spend``.
"""

import math
from typing import Any

KINDS = ("object", "array", "string", "integer", "number", "boolean", "null")

# The largest number of nested levels.
_DEPTH = 60

# Unsupported keywords of the standard that could make a generated value invalid.
_FOREIGN = (
    "not",
    "if",
    "contains",
    "minProperties",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "$dynamicRef",
    "$recursiveRef",
)
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems")
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_SHAPES = {
    "properties": dict,
    "required": list,
    "enum": list,
    "allOf": list,
    "anyOf": list,
    "oneOf": list,
    "prefixItems": list,
    "pattern": str,
    "$ref": str,
}


class Unsatisfiable(ValueError):
    """No value is valid against the schema, or it is not supported; the message says why."""


class SchemaTooComplex(Unsatisfiable):
    """The schema takes more work than allowed."""


class SchemaValidator:
    """Validate values against subschemas of ``root``, with at most this amount of ``work``."""

    def __init__(self, root: Any, work: int) -> None:
        self._root = root
        self._left = work
        # Caches by the id of an object. They keep the objects alive, so that ids are not reused.
        self._read: dict[int, dict[str, Any]] = {}
        self._weights: dict[int, tuple[Any, int]] = {}
        self._targets: dict[str, Any] = {}

    def spend(self, work: int = 1, depth: int = 0) -> None:
        """Account for ``work`` at ``depth``; raise SchemaTooComplex if a limit is exceeded."""
        self._left -= 1 + work
        if self._left < 0 or depth > _DEPTH:
            raise SchemaTooComplex("the schema is too large, or recurses infinitely")

    def read(self, schema: Any) -> dict[str, Any]:
        """Return ``schema`` as an object; raise Unsatisfiable if it is malformed or not supported."""
        if id(schema) in self._read:
            return self._read[id(schema)]
        if schema is True:
            return {}
        if not isinstance(schema, dict):
            raise Unsatisfiable("no value is valid" if schema is False else "a schema must be an object")
        for key, shape in _SHAPES.items():
            if key in schema and not isinstance(schema[key], shape):
                raise Unsatisfiable(f"{key} has the wrong type")
        for key in (*_COUNTS, *_NUMBERS):
            value = schema.get(key, 1)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise Unsatisfiable(f"{key} must be a number")
            wrong_count = key in _COUNTS and (value < 0 or value != int(value))
            if wrong_count or (key == "multipleOf" and value <= 0):
                raise Unsatisfiable(f"{key} is out of range")
        required = schema.get("required", ())
        if len(required) > 8:
            self.spend(len(required) // 8)
        if not all(isinstance(name, str) for name in required):
            raise Unsatisfiable("required must be a list of names")
        for key in _FOREIGN:
            if key in schema:
                raise Unsatisfiable(f"{key} is not supported")
        self._read[id(schema)] = schema
        return schema

    def weight(self, value: Any) -> int:
        """Return the work of comparing or copying ``value``, a part of the schema."""
        if not isinstance(value, dict | list):
            return 1 + len(value) // 8 if isinstance(value, str) else 1
        if id(value) not in self._weights:
            self.spend(len(value))
            parts = [*value, *value.values()] if isinstance(value, dict) else value
            self._weights[id(value)] = value, 1 + sum(map(self.weight, parts))
        return self._weights[id(value)][1]

    def resolve(self, reference: str) -> Any:
        """Return the schema at ``reference``, a JSON Pointer into the root."""
        if reference in self._targets:
            return self._targets[reference]
        self.spend(len(reference) // 8)
        if not reference.startswith("#"):
            raise Unsatisfiable(f"$ref {reference[:100]!r} does not start with #")
        target = self._root
        for step in reference[1:].split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, dict) or key not in target:
                raise Unsatisfiable(f"$ref {reference[:100]!r} points to nothing")
            target = target[key]
        self._targets[reference] = target
        return target

    def kinds(self, schema: dict[str, Any]) -> list[str]:
        """Return the types that ``schema`` allows; an empty list means any type."""
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if isinstance(kinds, list) and len(kinds) > len(KINDS):
            raise Unsatisfiable("type has too many members")
        if not isinstance(kinds, list) or not all(kind in KINDS for kind in kinds):
            raise Unsatisfiable(f"the type {str(kinds)[:100]} is not one of {', '.join(KINDS)}")
        return kinds

    def is_valid(self, value: Any, schema: Any, depth: int = 0) -> bool:
        """Return whether ``value`` is valid against ``schema``, ignoring ``pattern``."""
        self.spend(depth=depth)
        if schema is False:
            return False
        schema = self.read(schema)
        kinds = self.kinds(schema)
        if kinds and not any(has_type(value, kind) for kind in kinds):
            return False
        if "const" in schema and not self.equal(value, schema["const"]):
            return False
        if "enum" in schema:
            self.spend(len(schema["enum"]))
            if not any(self.equal(value, member) for member in schema["enum"]):
                return False
        below = depth + 1
        if "$ref" in schema and not self.is_valid(value, self.resolve(schema["$ref"]), below):
            return False
        if not all(self.is_valid(value, part, below) for part in schema.get("allOf", ())):
            return False
        if "anyOf" in schema and not any(self.is_valid(value, part, below) for part in schema["anyOf"]):
            return False
        if "oneOf" in schema and sum(self.is_valid(value, part, below) for part in schema["oneOf"]) != 1:
            return False
        match value:
            case bool() | None:
                return True
            case int() | float():
                return _in_range(value, schema)
            case str():
                return bool(schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf))
            case list():
                return self._items_valid(value, schema, below)
            case _:
                return self._members_valid(value, schema, below)

    def equal(self, one: Any, other: Any) -> bool:
        """Return whether two JSON values are equal. Unlike in Python, true is not equal to 1."""
        if one is other:
            return True
        if isinstance(one, bool) or isinstance(other, bool):
            return False
        if isinstance(one, list) and isinstance(other, list):
            self.spend()
            return len(one) == len(other) and all(map(self.equal, one, other))
        if isinstance(one, dict) and isinstance(other, dict):
            self.spend(len(one))
            return one.keys() == other.keys() and all(self.equal(one[key], other[key]) for key in one)
        if isinstance(one, str):
            self.spend(len(one) // 1024)
        return bool(one == other)

    def _items_valid(self, value: list[Any], schema: dict[str, Any], depth: int) -> bool:
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf):
            return False
        if schema.get("uniqueItems") is True:
            self.spend(len(value) ** 2 // 8)
            if any(self.equal(one, other) for at, one in enumerate(value) for other in value[:at]):
                return False
        fixed, items = schema.get("prefixItems", []), schema.get("items", True)
        return all(
            self.is_valid(item, fixed[at] if at < len(fixed) else items, depth)
            for at, item in enumerate(value)
        )

    def _members_valid(self, value: dict[str, Any], schema: dict[str, Any], depth: int) -> bool:
        properties = schema.get("properties", {})
        extra = schema.get("additionalProperties", True)
        self.spend(len(schema.get("required", ())))
        return (
            all(name in value for name in schema.get("required", ()))
            and len(value) <= schema.get("maxProperties", math.inf)
            and all(
                self.is_valid(member, properties.get(name, extra), depth) for name, member in value.items()
            )
        )


def has_type(value: Any, kind: str) -> bool:
    """Return whether ``value`` has the JSON type ``kind``."""
    match value:
        case None:
            return kind == "null"
        case bool():
            return kind == "boolean"
        case int():
            return kind in ("integer", "number")
        case float():
            return kind == "number" or (kind == "integer" and value.is_integer())
        case str():
            return kind == "string"
        case list():
            return kind == "array"
    return kind == "object"


def guess_type(schema: dict[str, Any]) -> str:
    """Guess the type that a ``schema`` without ``type`` describes."""
    for kind, keys in (
        ("object", ("properties", "required", "additionalProperties")),
        ("array", ("items", "prefixItems", "minItems")),
        ("number", _NUMBERS),
    ):
        if any(key in schema for key in keys):
            return kind
    return "string"


def _in_range(value: float, schema: dict[str, Any]) -> bool:
    if not schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf):
        return False
    if not schema.get("exclusiveMinimum", -math.inf) < value < schema.get("exclusiveMaximum", math.inf):
        return False
    step = schema.get("multipleOf")
    try:
        return step is None or value % step == 0 or (value / step).is_integer()
    except (OverflowError, AttributeError):
        return False
