"""Translate validation errors of request bodies to OpenAI's messages and codes."""

from collections.abc import Sequence
from typing import Any

import msgspec
from twisted.web.server import Request

from oagw.model.error_location import ErrorLocation
from oagw.model.mismatch import mismatch, steps
from oagw.model.reading import decode
from oagw.model.refused import Refused
from oagw.web.body import read_body

# Error messages for longer bodies do not list the supported values.
_EXPLAINED = 1024 * 1024
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def translate(refused: Refused, request: Request, type: Any, newer: bool) -> Refused:
    """Return ``refused`` with OpenAI's message and code.

    ``type`` is the expected type of the body. With ``newer``, errors name an unknown parameter in ``param``.
    """
    message, field, cause = refused.message, refused.field, refused.__cause__
    wrong = mismatch(cause) if isinstance(cause, msgspec.ValidationError) else None
    if wrong is not None and wrong.unknown is not None:
        return _unknown(wrong.unknown, wrong.path or None, newer)
    if field is None or refused.code is not None:
        return refused
    if message.startswith("Expected null, got "):
        message = f"Unsupported parameter: '{field}' is not supported by the mock gateway."
        return Refused(400, message, field=field, code="unsupported_parameter")
    if wrong is not None and wrong.value is not None:
        values = _values(request, type, field)
        return Refused(400, not_among(wrong.value, values), field=field, code="invalid_value")
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
    return [str(each) for each in ErrorLocation(body, type, steps(field)).values]


def _unknown(name: str, location: str | None, newer: bool) -> Refused:
    """Return the error for an unknown member of the object at ``location`` in the body."""
    if location is None and not newer:
        return Refused(400, f"Unrecognized request argument supplied: {name[:100]}")
    field = name[:100] if location is None else f"{location}.{name[:100]}"
    return Refused(400, f"Unknown parameter: '{field}'.", field=field, code="unknown_parameter")


def _code(message: str) -> str:
    if "missing required field" in message:
        return "missing_required_parameter"
    return "invalid_type" if ", got " in message else "invalid_value"
