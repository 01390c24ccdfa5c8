"""Body fields: refuse a request whose header fields describe its body in a contradictory or unknown way.

This is loaded with the gateway, ``policies.fields`` with the first upstream.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from oagw.model.problem import Problem, invalid_field

_TYPE, _LENGTH, _CODING = b"Content-Type", b"Content-Length", b"Transfer-Encoding"

_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def misframed(fields: Mapping[bytes, Sequence[bytes]]) -> Problem | None:
    """Return the 400 for the values of ``fields``, whose names are as Twisted spells them, or None.

    What the HTTP server itself rejects never gets here, such as two values of Content-Length.
    """
    if _TYPE in fields:
        if len(fields[_TYPE]) > 1:
            return _repeated("content-type")
        if not _is_media_type(fields[_TYPE][0]):
            return invalid_field("content-type", "INVALID_MIME_TYPE", "Content-Type is not a media type")
    if _CODING not in fields:
        return None
    if len(fields[_CODING]) > 1:
        return _repeated("transfer-encoding")
    if fields[_CODING][0].strip(b" \t").lower() != b"chunked":
        detail = "only the transfer coding 'chunked' is supported"
        return invalid_field("transfer-encoding", "UNSUPPORTED_VALUE", detail)
    if _LENGTH in fields:
        detail = "Content-Length and Transfer-Encoding must not be sent together"
        return invalid_field("content-length", "CL_TE_COEXISTENCE", detail)
    return None


def is_token(name: bytes) -> bool:
    """Return whether ``name`` is a token (RFC 9110 section 5.6.2)."""
    return bool(name) and _TOKEN.issuperset(name)


def _repeated(name: str) -> Problem:
    return invalid_field(name, "DUPLICATE_HEADER", f"header '{name}' occurs more than once")


@lru_cache(256)
def _is_media_type(value: bytes) -> bool:
    type, slash, rest = value.partition(b";")[0].strip(b" \t").partition(b"/")
    return bool(slash) and is_token(type) and is_token(rest)
