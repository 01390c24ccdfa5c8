"""Entity tags and ``If-None-Match`` (RFC 9110 sections 8.8.3 and 13.1.2)."""

import re
from collections.abc import Iterable
from hashlib import sha256

# An entity tag, weak or not; there may be commas in it.
_TAG = re.compile(rb'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')

# A list of them; as in any list of a header field, there may be empty elements. What was matched is not given
# back, so that a long field takes no more time than it has bytes.
_ELEMENT = rb"[ \t]*+(?:%b[ \t]*+)?+" % _TAG.pattern
_LIST = re.compile(rb"%b(?:,%b)*+" % (_ELEMENT, _ELEMENT))


def entity_tag(body: bytes) -> bytes:
    """The weak entity tag of ``body``, as GitHub makes them."""
    return b'W/"%b"' % sha256(body).hexdigest().encode()


def none_match(fields: Iterable[bytes], tag: bytes) -> bool:
    """Whether the values of If-None-Match allow an answer with ``tag``; a 304 is due if not.

    Tags are compared weakly. A list that is malformed matches nothing, so that the answer is sent.
    """
    wanted = tag.removeprefix(b"W/")
    value = b", ".join(fields)
    if value.strip(b" \t") == b"*":
        return False
    return not _LIST.fullmatch(value) or wanted not in _TAG.findall(value)
