"""The operator matchesJsonSchema.

The validator is jsonschema_rs, which is not allowed to fetch anything. Its cost is bounded before it starts.
"""

import json
import re
from typing import Any

from oagw.matching.condition import Condition, document
from oagw.matching.schema_regex import BACKTRACKS
from oagw.matching.schema_work import MAX_DIGITS, SchemaWork, Unbounded
from oagw.matching.spec import Operator
from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.model.time_budget import BudgetExceeded, MatchBudget

_MAX_LENGTH = 100_000

# The largest number of units of ``schema_work`` for one validation, per MiB of text: about 30 ms.
_MAX_WORK = 2_000_000

# The number of levels for which a schema must not exceed the limit for any value.
_DEPTH = 4

# A number that is too long to be compared quickly.
_LONG_NUMBER = re.compile(rf"(?<![0-9])[0-9]{{{MAX_DIGITS + 1}}}")


def json_schema_condition(spec: Operator, at: str) -> Condition:
    """Compile the operator matchesJsonSchema. Raises Invalid."""
    given = spec.matchesJsonSchema
    try:
        schema = json.loads(given) if isinstance(given, str) else given
        shown = json.dumps(schema, ensure_ascii=False)
        shown.encode()  # raises UnicodeEncodeError, a ValueError, for a lone surrogate
        if len(shown) > _MAX_LENGTH:
            raise Invalid(at, f"The JSON schema is longer than {_MAX_LENGTH} characters")
        version = spec.schemaVersion or "V202012"
        work = SchemaWork(schema, version)
        if any(work.at(depth) > _MAX_WORK for depth in range(_DEPTH)):
            raise Invalid(at, "The JSON schema takes too much work, with its references expanded")
        validator = _validator(schema, version, at)
    except Unbounded as error:
        raise Invalid(at, f"The cost of the JSON schema cannot be bounded: {error}") from None
    except ValueError as error:
        raise Invalid(at, f"Invalid JSON schema: {_first_line(error)}") from None
    except RecursionError:
        raise Invalid(at, "The JSON schema is nested too deeply") from None

    def valid(value: Any, length: int, budget: MatchBudget) -> bool:
        try:
            if work.on(value, budget) > _MAX_WORK * max(1, length / (1 << 20)):
                raise BudgetExceeded("matchesJsonSchema: the schema takes too much work on this text")
            return bool(validator.is_valid(value))
        except ValueError:  # nested too deeply, or a regular expression exceeded its limit
            raise BudgetExceeded("matchesJsonSchema") from None

    def test(text: str | None, call: Call, now: float) -> bool:
        if text is None:
            return False
        with MatchBudget(call, "matchesJsonSchema") as budget:
            size = len(text)
            try:
                value = document(text, call)
            except ValueError:
                return valid(text, size, budget)
            if _LONG_NUMBER.search(text):
                raise BudgetExceeded(f"matchesJsonSchema: a number has more than {MAX_DIGITS} digits")
            # Like WireMock, also validate a scalar as the string that it was sent as.
            return valid(value, size, budget) or (
                not isinstance(value, dict | list) and valid(text, size, budget)
            )

    return Condition(test, shown, "matchesJsonSchema")


def _validator(schema: Any, version: str, at: str) -> Any:
    import jsonschema_rs

    kind = getattr(jsonschema_rs, f"Draft{version[1:]}Validator")
    options = jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACKS, size_limit=1 << 20)
    try:
        return kind(schema, offline=True, pattern_options=options, validate_formats=False)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        raise Invalid(at, f"Invalid JSON schema: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
