"""Header fields in the definition of a response, of its 1xx responses and of its trailers."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from oagw.model.call import Call
from oagw.model.invalid import Invalid
from oagw.templates.render_context import Context

if TYPE_CHECKING:
    from oagw.templates.compiled import Template

# Names and values of header fields.
Fields = tuple[tuple[str, str], ...]

# RFC 9110 section 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
LINE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

# The fields that frame a message on its connection. They would break it in a trailer or a 1xx response.
_FRAMING = ("connection", "content-length", "trailer", "transfer-encoding")


def checked_framed(fields: Mapping[str, str | list[str]], pointer: str) -> Fields:
    """Return ``fields`` of a trailer or a 1xx response as names and values. Raises Invalid."""
    for name in fields:
        if name.lower() in _FRAMING:
            raise Invalid(f"{pointer}/{name}", f"{name} is not allowed here: it concerns the connection")
    return tuple(checked_headers(fields, pointer))


def checked_headers(fields: Mapping[str, str | list[str]], pointer: str) -> list[tuple[str, str]]:
    """Return ``fields`` as names and values. Raises Invalid."""
    checked = []
    for name, given in fields.items():
        at = f"{pointer}/{name}"
        if not _TOKEN.fullmatch(name):
            raise Invalid(at, f'"{name}" is not a valid header name')
        if name.lower() == "x-oagw-error-source":
            raise Invalid(at, "Use errorSource to set this header")
        for value in [given] if isinstance(given, str) else given:
            if name.lower() == "transfer-encoding" and value.lower() != "chunked":
                raise Invalid(at, "Transfer-Encoding must be chunked")
            if not LINE.fullmatch(_latin(value)):
                raise Invalid(at, f"The value of {name} contains a line break or a control character")
            checked.append((name, value))
    return checked


def without_framing(headers: Sequence[tuple[str, str]]) -> tuple[list[tuple[str, str]], bool]:
    """Return ``headers`` without Transfer-Encoding, which the server sets, and whether it was present."""
    rest = [(name, value) for name, value in headers if name.lower() != "transfer-encoding"]
    return rest, len(rest) < len(headers)


def field_templates(fields: Fields, pointer: str) -> Callable[[Call, Context], Fields]:
    """Return a function that renders the values of ``fields``, which are templates. Raises Invalid."""
    templates = [(name, compiled(value, f"{pointer}/{name}")) for name, value in fields]
    return lambda call, context: tuple(
        (name, _one_line(template.render(call, context))) for name, template in templates
    )


def compiled(text: str, pointer: str) -> "Template":
    """Return the template ``text``. Raises Invalid."""
    from oagw.templates.compiled import compile  # imported on first use, which takes 20 ms

    return compile(text, pointer)


def _latin(text: str) -> str:
    """Encode ``text`` as UTF-8 and decode it as Latin-1: field values are bytes (RFC 9110 section 5.5)."""
    return text.encode("utf-8", "replace").decode("latin-1")


def _one_line(text: str) -> str:
    return text if LINE.fullmatch(_latin(text)) else re.sub(r"[^\t\x20-\x7e\x80-\U0010ffff]+", " ", text)
