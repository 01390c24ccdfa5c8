"""What the control plane says when it says no: WireMock's shape of errors."""

from msgspec import UNSET, Struct, UnsetType

from oagw.model.problem import PHRASES
from oagw.web.reply import Headers, Reply, json_reply


class Source(Struct, frozen=True):
    """The member, as a JSON pointer, or the parameter at fault."""

    pointer: str


class Error(Struct, frozen=True, omit_defaults=True):
    """``code`` is the status, or 10 for a document that does not fit; ``detail`` is a sentence for people."""

    code: int
    title: str
    detail: str
    source: Source | UnsetType = UNSET


class Errors(Struct, frozen=True):
    """What is wrong with a call."""

    errors: list[Error]


def error_reply(
    status: int, detail: str, pointer: str | None = None, headers: Headers | None = None
) -> Reply:
    """A Reply that refuses with ``status``, because of what is at ``pointer``."""
    source = UNSET if pointer is None else Source(pointer)
    return json_reply(Errors([Error(status, PHRASES[status], detail, source)]), status, headers=headers)


def invalid_reply(pointer: str, detail: str) -> Reply:
    """A Reply with 422: a document does not fit at ``pointer``."""
    return json_reply(Errors([Error(10, "Error parsing JSON", detail, Source(pointer))]), 422)
