"""JSON documents of the control plane as checked values: what does not fit is Invalid and says where."""

import json
import re
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec

from oagw.model.duplicate_members import check_members
from oagw.model.error_location import ErrorLocation
from oagw.model.invalid import Invalid, pointer_to
from oagw.model.mismatch import mismatch
from oagw.model.reading import Unread, decode

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
    """``body`` as the decoder's type; raises Invalid, also if a member occurs twice anywhere in it."""
    check_members(body)
    try:
        return decode(decoder, body)
    except RecursionError:
        raise Invalid("", "Invalid JSON: nested too deeply") from None
    except msgspec.ValidationError as error:
        raise misfit(error, "", _raw(body), decoder.type) from None
    except Unread as error:
        raise Invalid("", f"The JSON {error}") from None
    except ValueError as error:  # DecodeError, and UnicodeDecodeError for bad UTF-8 in a string
        raise Invalid("", f"Invalid JSON: {str(error).replace('`', '')}") from None


def converted(value: Any, type: type[T], pointer: str = "") -> T:
    """``value``, found at ``pointer``, as ``type``; raises Invalid."""
    try:
        return msgspec.convert(value, type)
    except RecursionError:
        raise Invalid(pointer, "nested too deeply") from None
    except msgspec.ValidationError as error:
        raise misfit(error, pointer, value, type) from None


def misfit(error: msgspec.ValidationError, pointer: str = "", value: Any = None, type: Any = None) -> Invalid:
    """What msgspec says of ``value`` as a ``type`` (both None: not known), which was found at ``pointer``."""
    wrong = mismatch(error)
    place, member = ErrorLocation(value, type, wrong.steps), wrong.unknown or wrong.missing
    steps = place.steps if member is None else [*place.steps, member]
    detail = _detail(wrong.text, place)
    if wrong.unknown is not None:
        close = get_close_matches(wrong.unknown, place.members, 1)
        detail += "".join(f', did you mean "{name}"?' for name in close)
    return Invalid(pointer + pointer_to(steps), detail)


def _detail(text: str, place: ErrorLocation) -> str:
    """msgspec's ``text`` of what is at ``place``, in words that need no Python."""
    if text.startswith("Expected "):
        if " matching regex " in text and place.description:
            return f"not {place.description}"
        text = _TYPES.sub(_in_words, text)
        if place.unit:
            text += f" ({place.steps[-1]} is in {place.unit})"
    if text.startswith("Invalid") and place.values:
        text += ", expected one of " + ", ".join(json.dumps(value) for value in place.values)
    return text.replace("`", '"')


def _in_words(types: re.Match[str]) -> str:
    names = [name for name in types[1].split(" | ") if name != "null"]
    return " or ".join(_WORDS.get(name, f'"{name}"') for name in names) or "null"


def _raw(body: bytes) -> Any:
    """``body`` as it is; None if it is no JSON further on."""
    try:
        return decode(_ANY, body)
    except (ValueError, RecursionError):
        return None
