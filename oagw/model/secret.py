"""Secrets in what clients sent: shown masked, always.

What holds a secret is known by its name (``masked``, ``masked_url``); a secret that is known itself is found
wherever it stands (``Known``).
"""

import re
from collections.abc import Iterable
from urllib.parse import unquote_plus

MASK = "****"

# Header fields, query parameters and form fields whose values are credentials.
_SECRET = re.compile(
    r"authorization|api[-_]?key|access[-_]?key|token|secret|passw|credential|signature|session"
    r"|(?:^|[-_])(?:auth|jwt|key|sig|sid|pwd)(?:$|[-_])",
    re.IGNORECASE,
)
# Such names that are none.
_PLAIN = re.compile(r"sec-websocket-.*|max[-_].*tokens|idempotency-key", re.IGNORECASE)

# The authentication schemes that stay readable (IANA's registry, and two that APIs made up).
_SCHEMES = frozenset(("basic", "bearer", "digest", "dpop", "hoba", "mutual", "negotiate", "token", "apikey"))

# The tokens of sandboxes, wherever they stand (``control.space``).
SANDBOX_TOKEN = re.compile(r"sandbox-[0-9a-f]{16}-[0-9a-f]{32}")
# A token that is shorter could be any word.
SHORTEST = 8


def is_secret(name: str) -> bool:
    """Whether a header field, or a parameter, of this name holds a secret."""
    return bool(_SECRET.search(name)) and not _PLAIN.fullmatch(name)


def masked(name: str, value: str) -> str:
    """``value`` of the header field ``name`` as it may be shown: schemes and cookie names stay."""
    lower = name.lower()
    if lower == "cookie":
        return ";".join(_cookie(part) for part in value.split(";"))
    if lower == "set-cookie":
        pair, semicolon, attributes = value.partition(";")
        return _cookie(pair) + semicolon + attributes
    if lower in ("location", "referer", "content-location"):
        return masked_url(value)
    if not is_secret(name):
        return value
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {MASK}" if space and scheme.lower() in _SCHEMES else MASK


def masked_url(url: str) -> str:
    """``url`` with the values of secret query parameters, and what stands before an ``@``, masked."""
    path, mark, query = url.partition("?")
    scheme, slashes, rest = path.partition("://")
    authority, slash, tail = rest.partition("/")
    if "@" in authority:
        path = f"{scheme}{slashes}{MASK}@{authority.rpartition('@')[2]}{slash}{tail}"
    return path + mark + masked_pairs(query)


def masked_pairs(text: str) -> str:
    """A query, or a form body, with the values of secret parameters masked."""
    return "&".join(_pair(part) for part in text.split("&"))


class Known:
    """Secrets that are known themselves, to be masked wherever they stand."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found = sorted((s for s in set(secrets) if len(s) >= SHORTEST), key=len, reverse=True)
        self._pattern = re.compile("|".join([*map(re.escape, found), SANDBOX_TOKEN.pattern]))

    def masked(self, text: str) -> str:
        """``text`` without them."""
        return self._pattern.sub(MASK, text)


def _cookie(part: str) -> str:
    name, found, _ = part.partition("=")
    return f"{name}={MASK}" if found else MASK if part.strip() else part


def _pair(part: str) -> str:
    name, found, _ = part.partition("=")
    return f"{name}={MASK}" if found and is_secret(unquote_plus(name)) else part
