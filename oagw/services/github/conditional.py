"""Entity tags and ``If-None-Match`` (RFC 9110 sections 8.8.3 and 13.1.2)."""

import re
from collections.abc import Iterable
from hashlib import sha256

# An entity tag, weak or strong, which may contain commas (RFC 9110 section 8.8.3).
_TAG = re.compile(rb'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')

# A list of entity tags; it may have empty elements (RFC 9110 section 5.6.1). The possessive quantifiers
# prevent backtracking, so that the time is linear in the length of the field.
_ELEMENT = rb"[ \t]*+(?:%b[ \t]*+)?+" % _TAG.pattern
_LIST = re.compile(rb"%b(?:,%b)*+" % (_ELEMENT, _ELEMENT))


def entity_tag(body: bytes) -> bytes:
    """Return a weak entity tag for ``body``, in GitHub's form."""
    return b'W/"%b"' % sha256(body).hexdigest().encode()


def none_match(fields: Iterable[bytes], tag: bytes) -> bool:
    """Return whether the condition If-None-Match holds; if not, the response is a 304.

    ``fields`` are the values of the header field; ``tag`` is the entity tag of the response. Tags are
    compared weakly (RFC 9110 section 13.1.2). A malformed list matches no tag.
    """
    wanted = tag.removeprefix(b"W/")
    value = b", ".join(fields)
    if value.strip(b" \t") == b"*":
        return False
    return not _LIST.fullmatch(value) or wanted not in _TAG.findall(value)
