"""Content codings and charsets of request bodies (RFC 9110 sections 8.3.2 and 8.4).

``model.call`` decodes bodies for stubs, templates and the journal; ``web.body`` does so for the built-in
services and the control plane.
"""

import codecs
import re
import zlib
from encodings.aliases import aliases
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

# The supported codings, as a value of Accept-Encoding.
ACCEPTED = b"gzip, deflate"

# The largest number of codings of a body, besides ``identity``, and of members of a gzip stream.
MAX_CODINGS = 3
MAX_MEMBERS = 1024

# The number of bytes that any body may decode to. A larger one may decode to MAX_RATIO times its size. Both
# limits are halved for multi-byte charsets other than UTF-8, because such text takes longer to read.
MIN_LIMIT = 4 << 20
MAX_RATIO = 8
MAX_DECODED = 64_000_000

# The wbits of zlib.
_GZIP, _ZLIB, _RAW_DEFLATE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
# The number of bytes passed to zlib at a time. It is small, because zlib copies what follows a member.
_PIECE = 16 << 10

_CHARSET = r'(?i);[ \t]*charset[ \t]*=[ \t]*(?:"([^"]*)"|([^;, \t]*))'
_NAME = r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,39}"
_SINGLE_BYTE = frozenset(
    ["ascii", "latin_1", "koi8_r", "koi8_u", "tis_620", "mac_roman", "mac_cyrillic"]
    + [f"iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)]
    + [f"cp{page}" for page in (437, 850, 852, 855, 857, 858, 862, 866, 874, *range(1250, 1259))]
)
# fmt: off
_MULTI_BYTE = frozenset((
    "big5", "big5hkscs", "cp932", "cp949", "cp950", "euc_jp", "euc_kr", "gb18030", "gb2312", "gbk",
    "iso2022_jp", "iso2022_kr", "shift_jis",
))
# fmt: on
_WIDE = frozenset(["utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le"])
UTF_8 = "utf_8"
# Big-endian without a byte order mark (RFC 2781 section 4.3).
_MARKED = {
    "utf_16": (codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE),
    "utf_32": (codecs.BOM_UTF32_BE, codecs.BOM_UTF32_LE),
}


class Fault(Enum):
    """The reason why a body could not be fully decoded."""

    UNKNOWN = "unknown"  # an unknown coding, or too many
    CORRUPT = "corrupt"
    TOO_LARGE = "too large"


class Decoded(NamedTuple):
    """A body without its content codings, as far as it could be decoded; ``fault`` says why no further."""

    body: bytes
    fault: Fault | None = None


def codings(values: list[str]) -> list[str]:
    """Return the codings in the values of Content-Encoding, in lower case and in the order of encoding."""
    listed = (name.strip(" \t").lower() for value in values for name in value.split(","))
    return [name for name in listed if name not in ("", "identity")]


def size_limit(size: int, codec: str = UTF_8) -> int:
    """Return how many bytes a body of ``size`` bytes may decode to, if it is read as text in ``codec``."""
    slow = codec in _MULTI_BYTE or codec in _WIDE
    return min(MAX_DECODED, max(MIN_LIMIT, MAX_RATIO * size) // (2 if slow else 1))


def decoded(body: bytes, names: list[str], limit: int) -> Decoded:
    """Return ``body`` without the codings ``names``, at most ``limit`` bytes of it.

    It never produces more than ``limit`` bytes. A body with an unknown coding, or that cannot be decoded at
    all, is returned unchanged.
    """
    if not names or not body:
        return Decoded(body)
    if len(names) > MAX_CODINGS or any(name not in ("gzip", "x-gzip", "deflate") for name in names):
        return Decoded(body, Fault.UNKNOWN)
    whole = Decoded(body)
    for name in reversed(names):
        result = _deflated(whole.body, limit) if name == "deflate" else _inflated(whole.body, _GZIP, limit)
        if result.fault is not None and not result.body:
            return Decoded(body, result.fault)
        whole = Decoded(result.body, whole.fault or result.fault)
    return whole


def _deflated(body: bytes, limit: int) -> Decoded:
    """Decode ``deflate``: the zlib format, or the raw deflate stream that some clients send."""
    result = _inflated(body, _ZLIB, limit)
    if result.fault is Fault.CORRUPT and not result.body:
        bare = _inflated(body, _RAW_DEFLATE, limit)
        return result if bare.fault is Fault.CORRUPT and not bare.body else bare
    return result


def _inflated(body: bytes, wbits: int, limit: int) -> Decoded:
    out: list[bytes] = []
    size, members = 0, 1
    stream = zlib.decompressobj(wbits)
    try:
        for start in range(0, len(body), _PIECE):
            rest = body[start : start + _PIECE]
            while rest:
                if stream.eof:
                    if wbits != _GZIP or members == MAX_MEMBERS:
                        return Decoded(b"".join(out), Fault.CORRUPT)
                    rest = rest.lstrip(b"\0")  # gzip allows zero padding
                    if not rest:
                        break
                    stream, members = zlib.decompressobj(wbits), members + 1
                piece = stream.decompress(rest, limit - size + 1)
                out.append(piece)
                size += len(piece)
                if size > limit:
                    return Decoded(b"".join(out)[:limit], Fault.TOO_LARGE)
                rest = stream.unused_data if stream.eof else stream.unconsumed_tail
    except zlib.error:
        return Decoded(b"".join(out), Fault.CORRUPT)
    return Decoded(b"".join(out), None if stream.eof else Fault.CORRUPT)


def charset_in(content_type: str) -> str | None:
    """Return the parameter ``charset`` of a Content-Type without quotes, or None."""
    found = re.search(_CHARSET, content_type)
    return None if found is None else (found[2] if found[1] is None else found[1]).strip()


@lru_cache(maxsize=256)
def codec_of(charset: str) -> str | None:
    """Return the codec for the name of a charset, or None if it is unknown or not a text encoding.

    The list is fixed: Python's own look-up imports modules by names that clients choose, and caches each.
    """
    if not re.fullmatch(_NAME, charset):
        return None
    name = re.sub(r"[^a-z0-9]+", "_", charset.lower()).strip("_")
    codec = aliases.get(name, name)
    known = codec == UTF_8 or codec in _SINGLE_BYTE or codec in _MULTI_BYTE or codec in _WIDE
    return codec if known else None


def text_of(body: bytes, codec: str) -> str:
    """Decode ``body``; invalid bytes are replaced.

    A body that is not valid UTF-16 or UTF-32 is decoded as UTF-8.
    """
    if codec in _SINGLE_BYTE and codec != "latin_1":
        return codecs.charmap_decode(body, "strict", _table(codec))[0]
    if codec in _WIDE:
        try:
            return strict_text_of(body, codec)
        except UnicodeDecodeError:
            codec = UTF_8
    return body.decode(codec, "replace")


def strict_text_of(body: bytes, codec: str) -> str:
    """Decode ``body``; raises UnicodeDecodeError if it is invalid."""
    if codec in _MARKED and not body.startswith(_MARKED[codec]):
        codec += "_be"
    return body.decode(codec)


@lru_cache(maxsize=64)
def _table(codec: str) -> str:
    """Return the characters of a single-byte charset. Python's own decoder is slow for undefined bytes."""
    return "".join(bytes([number]).decode(codec, "replace") for number in range(256))
