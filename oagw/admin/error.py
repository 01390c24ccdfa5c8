"""Errors of the control plane, in WireMock's format."""

from msgspec import UNSET, Struct, UnsetType

from oagw.model.problem import PHRASES
from oagw.web.reply import Headers, Reply, json_reply


class Source(Struct, frozen=True):
    """The invalid member, as a JSON Pointer, or the invalid parameter."""

    pointer: str


class Error(Struct, frozen=True, omit_defaults=True):
    """``code`` is the status, or 10 for an invalid document; ``detail`` is a readable sentence."""

    code: int
    title: str
    detail: str
    source: Source | UnsetType = UNSET


class Errors(Struct, frozen=True):
    """The body of an error response."""

    errors: list[Error]


def error_reply(
    status: int, detail: str, pointer: str | None = None, headers: Headers | None = None
) -> Reply:
    """Return an error reply with ``status``; ``pointer`` is the location of the cause."""
    source = UNSET if pointer is None else Source(pointer)
    return json_reply(Errors([Error(status, PHRASES[status], detail, source)]), status, headers=headers)


def invalid_reply(pointer: str, detail: str) -> Reply:
    """Return a 422 reply: a document is invalid at ``pointer``."""
    return json_reply(Errors([Error(10, "Error parsing JSON", detail, Source(pointer))]), 422)
