"""matchesJsonSchema: jsonschema_rs, which fetches nothing and whose cost is bounded before it starts."""

import json
import re
from typing import Any

from oagw.matching.condition import Condition, document
from oagw.matching.schema_regex import BACKTRACKS
from oagw.matching.schema_work import MAX_DIGITS, SchemaWork, Unbounded
from oagw.matching.spec import Operator
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.time_budget import Effort, GaveUp

_MAX_LENGTH = 100_000

# Units of ``schema_work`` that one validation may take, for each MiB of a text: some 30 ms.
_MAX_WORK = 2_000_000

# Levels of a value for which the work must not be too much, whatever the value is.
_DEPTH = 4

# A number too long to be compared quickly.
_LONG_NUMBER = re.compile(rf"(?<![0-9])[0-9]{{{MAX_DIGITS + 1}}}")


def json_schema_condition(spec: Operator, at: str) -> Condition:
    """The operator matchesJsonSchema; raises Invalid."""
    given = spec.matchesJsonSchema
    try:
        schema = json.loads(given) if isinstance(given, str) else given
        shown = json.dumps(schema, ensure_ascii=False)
        shown.encode()  # half a surrogate pair is not JSON
        if len(shown) > _MAX_LENGTH:
            raise Invalid(at, f"a JSON schema may have {_MAX_LENGTH} characters")
        version = spec.schemaVersion or "V202012"
        work = SchemaWork(schema, version)
        if any(work.at(depth) > _MAX_WORK for depth in range(_DEPTH)):
            raise Invalid(at, "the JSON schema takes too much work, with its references written out")
        validator = _validator(schema, version, at)
    except Invalid:
        raise
    except Unbounded as error:
        raise Invalid(at, f"the work of the JSON schema cannot be bounded: {error}") from None
    except ValueError as error:
        raise Invalid(at, f"not a JSON schema: {_first_line(error)}") from None
    except RecursionError:
        raise Invalid(at, "the JSON schema is nested too deeply") from None

    def valid(value: Any, length: int, effort: Effort) -> bool:
        try:
            if work.on(value, effort) > _MAX_WORK * max(1, length / (1 << 20)):
                raise GaveUp("matchesJsonSchema: the schema takes too much work on this text")
            return bool(validator.is_valid(value))
        except ValueError:  # nested too deeply, or a regular expression went too far
            raise GaveUp("matchesJsonSchema") from None

    def test(text: str | None, call: Call, now: float) -> bool:
        if text is None:
            return False
        with Effort(call, "matchesJsonSchema") as effort:
            size = len(text)
            try:
                value = document(text, call)
            except ValueError:
                return valid(text, size, effort)
            if _LONG_NUMBER.search(text):
                raise GaveUp(f"matchesJsonSchema: a number has more than {MAX_DIGITS} digits")
            # As WireMock does: a number may stand for the text that it is.
            return valid(value, size, effort) or (
                not isinstance(value, dict | list) and valid(text, size, effort)
            )

    return Condition(test, shown, "matchesJsonSchema")


def _validator(schema: Any, version: str, at: str) -> Any:
    import jsonschema_rs

    kind = getattr(jsonschema_rs, f"Draft{version[1:]}Validator")
    options = jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACKS, size_limit=1 << 20)
    try:
        return kind(schema, offline=True, pattern_options=options, validate_formats=False)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        raise Invalid(at, f"not a JSON schema: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
