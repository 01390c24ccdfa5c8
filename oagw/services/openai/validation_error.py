"""Translate validation errors of request bodies to OpenAI's messages and codes."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from twisted.web.server import Request

from oagw.model.error_location import ErrorLocation
from oagw.model.reading import decode
from oagw.web.body import read_body
from oagw.web.resource import Refused

_UNKNOWN = re.compile(r"Object contains unknown field (.*?)(?: - at \$\.?(.*))?", re.DOTALL)
_VALUE = re.compile(r"Invalid (?:enum )?value '(.*)' - at .*", re.DOTALL)
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]")

# Error messages for longer bodies do not list the supported values.
_EXPLAINED = 1024 * 1024
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def translate(refused: Refused, request: Request, type: Any, newer: bool) -> Refused:
    """Return ``refused`` with OpenAI's message and code.

    ``type`` is the expected type of the body. With ``newer``, errors name an unknown parameter in ``param``.
    """
    message, field = refused.message, refused.field
    if unknown := _UNKNOWN.fullmatch(message):
        return _unknown(unknown[1], unknown[2], newer)
    if field is None or refused.code is not None:
        return refused
    if message.startswith("Expected null, got "):
        message = f"Unsupported parameter: '{field}' is not supported by the mock gateway."
        return Refused(400, message, field=field, code="unsupported_parameter")
    if value := _VALUE.fullmatch(message):
        return Refused(
            400, not_among(value[1], _values(request, type, field)), field=field, code="invalid_value"
        )
    return Refused(refused.status, message, field=field, code=_code(message), headers=refused.headers)


def not_among(value: str, supported: Sequence[str]) -> str:
    """Return OpenAI's message for a ``value`` that is not among the ``supported`` ones."""
    values = ", ".join(f"'{each}'" for each in supported)
    return f"Invalid value: '{value[:100]}'." + (f" Supported values are: {values}." if values else "")


def _values(request: Request, type: Any, field: str) -> list[str]:
    """Return the supported values of ``field`` in a body of this ``type``."""
    assert request.content is not None
    request.content.seek(0)
    try:
        body = decode(_ANY, read_body(request)[:_EXPLAINED])
    except (ValueError, RecursionError):
        return []
    steps = [name or index for name, index in _STEP.findall(field)]
    return [str(each) for each in ErrorLocation(body, type, steps).values]


def _unknown(name: str, place: str | None, newer: bool) -> Refused:
    """Return the error for an unknown member of the object at ``place`` in the body."""
    if place is None and not newer:
        return Refused(400, f"Unrecognized request argument supplied: {name[:100]}")
    field = name[:100] if place is None else f"{place}.{name[:100]}"
    return Refused(400, f"Unknown parameter: '{field}'.", field=field, code="unknown_parameter")


def _code(message: str) -> str:
    if "missing required field" in message:
        return "missing_required_parameter"
    return "invalid_type" if ", got " in message else "invalid_value"
