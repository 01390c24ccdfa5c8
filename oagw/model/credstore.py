"""Calls to the credential store: their bodies have secrets, which no journal may keep."""

import json
from urllib.parse import unquote_to_bytes

from oagw.model.call import origin_form
from oagw.model.reading import read_json
from oagw.model.secret import MASK


def is_credstore(target: bytes) -> bool:
    """Return whether a request ``target`` is that of the credential store, in any spelling."""
    if target.startswith((b"/api/", b"/oagw/")):
        return False
    path = origin_form(target)
    return (unquote_to_bytes(path) if b"%" in path else path).lstrip(b"/").startswith(b"credstore/")


def without_value(body: bytes, coded: bool) -> bytes:
    """Return the JSON ``body`` with its member ``value`` masked; all of it is left out if it is not JSON.

    ``coded`` is whether it has a content coding.
    """
    try:
        document = None if coded else read_json(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return b""
    return json.dumps({**document, "value": MASK} if "value" in document else document).encode()
