"""Secrets in what clients sent: shown masked, always."""

import re

MASK = "****"

# Header fields and query parameters whose values are credentials.
_SECRET = re.compile(r"authorization|api-?_?key|token|secret|password|signature", re.IGNORECASE)


def masked(name: str, value: str) -> str:
    """``value`` of the header field ``name`` as it may be shown: schemes and cookie names stay."""
    if name.lower() in ("cookie", "set-cookie"):
        pairs = (part.partition("=") for part in value.split(";"))
        return ";".join(f"{key}={MASK}" if found else key for key, found, _ in pairs)
    if not _SECRET.search(name):
        return value
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {MASK}" if space else MASK


def masked_url(url: str) -> str:
    """``url`` with the values of secret query parameters masked."""
    path, mark, query = url.partition("?")
    pairs = (part.partition("=") for part in query.split("&"))
    shown = (f"{key}={MASK}" if found and _SECRET.search(key) else key + found + v for key, found, v in pairs)
    return path + mark + "&".join(shown)
