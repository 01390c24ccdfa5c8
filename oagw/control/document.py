"""JSON documents of the control plane as checked values: what does not fit is Invalid and says where."""

import re
from typing import Any, TypeVar

import msgspec

from oagw.control.invalid import Invalid

T = TypeVar("T")

_AT = re.compile(r" - at `\$(.*)`$")
_MEMBER = re.compile(r"(?:unknown|required) field `(.*?)`")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """``body`` as the decoder's type; raises Invalid."""
    try:
        return decoder.decode(body)
    except RecursionError:
        raise Invalid("", "Invalid JSON: nested too deeply") from None
    except msgspec.ValidationError as error:
        raise misfit(error) from None
    except ValueError as error:  # DecodeError, and UnicodeDecodeError for bad UTF-8 in a string
        raise Invalid("", f"Invalid JSON: {str(error).replace('`', '')}") from None


def converted(value: Any, type: type[T], pointer: str = "") -> T:
    """``value``, found at ``pointer``, as ``type``; raises Invalid."""
    try:
        return msgspec.convert(value, type)
    except RecursionError:
        raise Invalid(pointer, "nested too deeply") from None
    except msgspec.ValidationError as error:
        raise misfit(error, pointer) from None


def misfit(error: msgspec.ValidationError, pointer: str = "") -> Invalid:
    """What msgspec says of a document that was found at ``pointer``."""
    text = str(error)
    at, member = _AT.search(text), _MEMBER.search(text)
    steps = [name or index for name, index in _STEP.findall(at[1])] if at else []
    if member:
        steps.append(member[1])
    detail = (text[: at.start()] if at else text).replace("`", '"')
    return Invalid(pointer + "".join(f"/{step}" for step in steps), detail)
