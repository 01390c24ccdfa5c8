"""Parse and validate JSON documents of the control plane; Invalid has the location of an error."""

import json
import re
from typing import Any, TypeVar

import msgspec

from oagw.model.duplicate_members import check_members
from oagw.model.error_location import ErrorLocation
from oagw.model.invalid import Invalid, pointer_to
from oagw.model.mismatch import Mismatch, mismatch
from oagw.model.reading import ParseLimitExceeded, decode
from oagw.model.suggestion import nearest_first, suggestion

T = TypeVar("T")

_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()

_TYPES = re.compile(r"`([a-z0-9 |]+)`")
_WORDS = {
    "int": "an integer",
    "float": "a number",
    "str": "a string",
    "bool": "a boolean",
    "object": "an object",
    "array": "an array",
}


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode ``body``. Raises Invalid, also if an object in it has duplicate members."""
    check_members(body)
    try:
        return decode(decoder, body)
    except RecursionError:
        raise Invalid("", "Invalid JSON: nested too deeply") from None
    except msgspec.ValidationError as error:
        raise misfit(error, "", untyped(body), decoder.type) from None
    except ParseLimitExceeded as error:
        raise Invalid("", f"The JSON {error}") from None
    except ValueError as error:  # DecodeError, and UnicodeDecodeError for bad UTF-8 in a string
        raise Invalid("", f"Invalid JSON: {str(error).replace('`', '')}") from None


def converted(value: Any, type: type[T], pointer: str = "") -> T:
    """Convert ``value``, which is at ``pointer`` in the document, to ``type``. Raises Invalid."""
    try:
        return msgspec.convert(value, type)
    except RecursionError:
        raise Invalid(pointer, "nested too deeply") from None
    except msgspec.ValidationError as error:
        raise misfit(error, pointer, value, type) from None


def misfit(error: msgspec.ValidationError, pointer: str, value: Any, type: Any) -> Invalid:
    """Convert an error of msgspec about ``value``, which should have ``type``, at ``pointer`` to Invalid."""
    wrong = mismatch(error)
    location, member = ErrorLocation(value, type, wrong.steps), wrong.unknown or wrong.missing
    steps = location.steps if member is None else [*location.steps, member]
    detail = _detail(wrong, location)
    if wrong.unknown is not None:
        detail += suggestion(wrong.unknown, location.members) if location.members else ""
    return Invalid(pointer + pointer_to(steps), detail)


def _detail(wrong: Mismatch, location: ErrorLocation) -> str:
    """Return msgspec's text about the value at ``location`` without terms of Python."""
    text = wrong.text
    if text.startswith("Expected "):
        if " matching regex " in text and location.description:
            return f"Expected {location.description}"
        text = _TYPES.sub(_in_words, text)
        if location.unit:
            text += f" ({location.steps[-1]} is in {location.unit})"
    if text.startswith("Invalid") and location.values:
        values = (json.dumps(value, ensure_ascii=False) for value in location.values)
        text += ", expected one of " + ", ".join(nearest_first(json.dumps(wrong.value), values))
    return text.replace("`", '"')


def _in_words(types: re.Match[str]) -> str:
    names = [name for name in types[1].split(" | ") if name != "null"]
    return " or ".join(_WORDS.get(name, f'"{name}"') for name in names) or "null"


def untyped(body: bytes) -> Any:
    """Parse ``body`` without a type; return None if it is not valid JSON."""
    try:
        return decode(_ANY, body)
    except (ValueError, RecursionError):
        return None
