"""AdminNode: a URL of the control plane, which says no in WireMock's words."""

from typing import Any, TypeVar

import msgspec
from twisted.web.server import Request

from oagw.control.document import decoded
from oagw.control.invalid import Invalid
from oagw.control.space import Space
from oagw.model.problem import PHRASES
from oagw.web.body import query_pairs
from oagw.web.reply import Reply, json_reply
from oagw.web.resource import Node, Refused

T = TypeVar("T")

# Bytes of a document that is sent to the control plane.
MAX_DOCUMENT = 16 << 20

# WireMock's number for a document that does not fit.
_INVALID = 10


class AdminNode(Node):
    """A URL of the control plane.

    It acts on the space of the token that it is called with. What is wrong is
    ``{"errors": [{"code", "source": {"pointer"}, "title", "detail"}]}``, as in WireMock's admin API: 422 for
    a document that does not fit, with a JSON pointer to the member.
    """

    def refusal(self, request: Request, refused: Refused) -> Reply:
        error = {"code": refused.status, "title": PHRASES[refused.status], "detail": refused.message}
        return json_reply({"errors": [error]}, refused.status, headers=refused.headers)

    def invalid(self, request: Request, invalid: Invalid) -> Reply:
        error: dict[str, Any] = {
            "code": _INVALID,
            "source": {"pointer": invalid.pointer},
            "title": "Error parsing JSON",
            "detail": invalid.detail,
        }
        return json_reply({"errors": [error]}, 422)


def space_of(request: Request) -> Space:
    """The space that a call to the control plane acts on."""
    space: Space = request.space  # type: ignore[attr-defined]  # a GatewayRequest has one
    return space


def recorded(request: Request) -> Space:
    """The space that a call acts on; Refused with 409 if its requests are not recorded."""
    space = space_of(request)
    if space.journal.disabled:
        raise Refused(409, "Nothing is recorded: the server was started with --journal-count 0")
    return space


def document(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """The body of ``request`` as the decoder's type; raises Invalid, or Refused with 413."""
    assert request.content is not None
    body = request.content.read()
    if len(body) > MAX_DOCUMENT:
        raise Refused(413, f"Document larger than {MAX_DOCUMENT} bytes")
    return decoded(decoder, body)


def whole_number(request: Request, name: str, default: int) -> int:
    """The query parameter ``name``, from 0 on; raises Refused with 400."""
    text = dict(query_pairs(request)).get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        raise Refused(400, f"{name} is a number from 0 on")
    return int(text)
