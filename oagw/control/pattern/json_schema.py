"""matchesJsonSchema: jsonschema_rs, which fetches nothing and whose cost is bounded before it starts."""

import json
from typing import Any

from oagw.control.invalid import Invalid
from oagw.control.patience import Effort, GaveUp
from oagw.control.pattern.condition import Condition, document
from oagw.control.pattern.spec import Operator
from oagw.model.call import Call

_MAX_LENGTH = 100_000

# Subschemas when all references are written out, and those times the characters of a text.
_MAX_SIZE = 20_000
_MAX_COST = 50_000_000


def json_schema_condition(spec: Operator, at: str) -> Condition:
    """The operator matchesJsonSchema; raises Invalid."""
    given = spec.matchesJsonSchema
    try:
        schema = json.loads(given) if isinstance(given, str) else given
        shown = json.dumps(schema, ensure_ascii=False)
        shown.encode()  # half a surrogate pair is not JSON
        if len(shown) > _MAX_LENGTH:
            raise Invalid(at, f"a JSON schema may have {_MAX_LENGTH} characters")
        validator = _validator(schema, spec.schemaVersion or "V202012", at)
        size = _Size(schema).of(schema)
    except Invalid:
        raise
    except ValueError as error:
        raise Invalid(at, f"not a JSON schema: {_first_line(error)}") from None
    except RecursionError:
        raise Invalid(at, "the JSON schema is nested too deeply") from None
    if size > _MAX_SIZE:
        raise Invalid(at, f"the JSON schema has more than {_MAX_SIZE} parts when its $refs are written out")

    def valid(value: Any) -> bool:
        try:
            return bool(validator.is_valid(value))
        except ValueError:  # nested too deeply, or a regular expression went too far
            raise GaveUp("matchesJsonSchema") from None

    def test(text: str | None, call: Call, now: float) -> bool:
        if text is None:
            return False
        if size * len(text) > _MAX_COST:
            raise GaveUp("matchesJsonSchema: the schema and the text together are too large")
        with Effort(call, "matchesJsonSchema"):
            try:
                value = document(text, call)
            except ValueError:
                return valid(text)
            # As WireMock does: a number may stand for the text that it is.
            return valid(value) or (not isinstance(value, dict | list) and valid(text))

    return Condition(test, f"[matchesJsonSchema] {shown}")


def _validator(schema: Any, version: str, at: str) -> Any:
    import jsonschema_rs

    kind = getattr(jsonschema_rs, f"Draft{version[1:]}Validator")
    options = jsonschema_rs.FancyRegexOptions(backtrack_limit=10_000, size_limit=1 << 20)
    try:
        return kind(schema, offline=True, pattern_options=options, validate_formats=False)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        raise Invalid(at, f"not a JSON schema: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]


class _Size:
    """How many subschemas a schema has when its references are written out; cycles count once."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._known: dict[int, int] = {}

    def of(self, schema: Any) -> int:
        if not isinstance(schema, dict | list):
            return 1
        key = id(schema)
        if key not in self._known:
            self._known[key] = 1  # a cycle ends here
            items = schema.values() if isinstance(schema, dict) else schema
            total = 1 + sum(map(self.of, items))
            if isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
                total += self.of(self._target(schema["$ref"]))
            self._known[key] = total
        return self._known[key]

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#"):
            return self._root  # another name of a part of it: nothing else can be reached
        target = self._root
        for step in reference[1:].split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(target, list) and step.isdecimal() and int(step) < len(target):
                target = target[int(step)]
            else:
                target = target.get(step) if isinstance(target, dict) else None
        return target
