"""Mask secrets in data from clients.

Fields with secrets are recognized by name (``masked``, ``masked_url``). Secrets whose values are known are
found anywhere in a text (``KnownSecrets``).
"""

import re
from binascii import a2b_qp
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import islice
from urllib.parse import unquote_plus

from oagw.model.reading import MAX_FIELDS

MASK = "****"

# Header fields, query parameters and form fields whose values are credentials. These expressions are compiled
# when they are first needed: start-up does not wait for them.
_SECRET = (
    r"(?i:authorization|api[-_]?key|access[-_]?key|token|secret|passw|credential|signature|session"
    r"|(?:^|[-_])(?:auth|jwt|key|sig|sid|pwd)(?:$|[-_]))"
)
# Substrings of the names of such fields.
# fmt: off
_PARTS_OF_SECRET = (
    "auth", "key", "token", "secret", "passw", "credential", "sig", "session", "jwt", "sid", "pwd",
)
# fmt: on
# Exceptions: names without a secret. Names of token counts contain "tokens" and one of _COUNTING.
_PLAIN = (
    r"(?i:sec-websocket-.*|access-control-.*|(?:accept-signature|signature-input)"
    r"|.*(?:idempotency|partition|sort|primary|foreign|public|routing|cache|surrogate|object)[-_]?key"
    r"|.*[-_](?:type|types|count|limit|endpoint|methods?|alg|algorithm|version|size|usage|expires(?:[-_](?:in|at))?)"
    r"|(?:token|key|session|auth|secret|signature)(?:Type|Count|Limit|Endpoint|Method|Version|Size|Usage|ExpiresIn)"
    r"|.*page[-_]?token|tokenizer.*)"
)
_WORDS = r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])"
# fmt: off
_COUNTING = frozenset((
    "max", "min", "num", "number", "n", "count", "counts", "total", "limit", "remaining", "reset",
    "used", "usage", "prompt", "completion", "input", "output", "cached", "cache", "reasoning",
    "thinking", "budget", "audio", "text", "image", "prediction", "accepted", "rejected",
    "ratelimit", "per", "minute", "stop", "new",
))
# fmt: on

# The authentication schemes that stay readable: those of IANA's registry, and two others in use.
_SCHEMES = frozenset(("basic", "bearer", "digest", "dpop", "hoba", "mutual", "negotiate", "token", "apikey"))

# The tokens of sandboxes (see ``sandboxes``).
SANDBOX_TOKEN = re.compile(r"sandbox-[0-9a-f]{16}-[0-9a-f]{32}")
# Shorter secrets are not searched for, because they could be ordinary words.
SHORTEST = 8
# The largest numbers of secrets to search for: those of one request, the longest first, and those of the
# server, in their order.
_MAX_SECRETS = 32
_MAX_OWN = 300

# The largest depth of nested escapes, such as "%2574".
_NESTED = 3
_PERCENT = f"%(?:25){{0,{_NESTED}}}"
_BACKSLASH = rf"(?:\\|{_PERCENT}5[cC]){{1,{1 << _NESTED}}}"

# The number of characters of a name that are examined.
_MAX_NAME = 200
# Matches the value of a parameter.
_VALUE = re.compile(r"=[^&]*")


@lru_cache(maxsize=64)
def bearer(authorization: bytes) -> bytes:
    """The token in a value of Authorization (RFC 6750 section 2.1; the scheme in any case), or nothing."""
    scheme, _, token = authorization.partition(b" ")
    token = token.strip(b" ")
    return b"" if scheme.lower() != b"bearer" or b" " in token else token


def is_secret(name: str) -> bool:
    """Return whether a header field or parameter with this name contains a secret."""
    return _is_secret(name[:_MAX_NAME])


@lru_cache(maxsize=2048)
def _is_secret(name: str) -> bool:
    return bool(re.search(_SECRET, name)) and not re.fullmatch(_PLAIN, name) and not _counts_tokens(name)


def _counts_tokens(name: str) -> bool:
    words = {word.lower() for word in re.findall(_WORDS, name)}
    return "tokens" in words and not words.isdisjoint(_COUNTING)


def masked(name: str, value: str) -> str:
    """Return ``value`` of the header field ``name`` with secrets masked. Schemes and cookie names stay."""
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
    """Return ``url`` with user information and the values of secret query parameters masked."""
    path, mark, query = url.partition("?")
    scheme, slashes, rest = path.partition("://")
    authority, slash, tail = rest.partition("/")
    if "@" in authority:
        path = f"{scheme}{slashes}{MASK}@{authority.rpartition('@')[2]}{slash}{tail}"
    return path + mark + masked_pairs(query)


def masked_pairs(text: str) -> str:
    """Return a query or form body with the values of secret parameters masked.

    In a form with too many fields to be parsed, all values are masked.
    """
    if "%" not in text:
        lower = text.lower()
        if not any(part in lower for part in _PARTS_OF_SECRET):
            return text
    if text.count("&") >= MAX_FIELDS:
        return _VALUE.sub(f"={MASK}", text)
    return "&".join(map(_pair, text.split("&")))


class KnownSecrets:
    """Secrets with known values, which are masked wherever they occur.

    This finds secrets even if they are wholly or partly percent-encoded or escaped as in JSON. ``own`` are
    those of the server, ``received`` those of a request.
    """

    def __init__(self, own: Iterable[str], received: Iterable[str] = ()) -> None:
        kept = islice((s for s in dict.fromkeys(own) if len(s) >= SHORTEST), _MAX_OWN)
        found = sorted((s for s in set(received) if len(s) >= SHORTEST), key=len, reverse=True)
        self._secrets = sorted({*kept, *found[:_MAX_SECRETS]}, key=len, reverse=True)

    def masked(self, text: str) -> str:
        """Return ``text`` with the secrets masked, in linear time."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        if "sandbox-" in text:
            text = SANDBOX_TOKEN.sub(MASK, text)
        return self._masked_escaped(text) if "%" in text or "\\" in text else text

    def _masked_escaped(self, text: str) -> str:
        plain = unescaped(text)
        for secret in self._secrets:
            if secret.encode("utf-8", "replace") in plain or " " in secret:
                text = _pattern(secret).sub(MASK, text)
        if b"sandbox-" in plain:
            text = _sandbox_pattern().sub(MASK, text)
        return text


def unescaped(text: str) -> bytes:
    """Return ``text`` in UTF-8 with percent-encodings and JSON escapes of ASCII decoded, even nested ones.

    The result is only good for searching: some texts, such as "%%" and "=\\n", are decoded wrongly.
    Python's decoder for quoted-printable does the work, which is a hundred times faster than unquote.
    """
    data = text.encode("utf-8", "surrogatepass").replace(b"\r", b"\n")
    for _ in range(_NESTED):
        before = data
        data = data.replace(b"=", b"=3D").replace(b"%%", b"=25%").replace(b"%", b"=")
        for _ in range(_NESTED):
            if b"\\\\" not in data:
                break
            data = data.replace(b"\\\\", b"\\")  # collapse runs of backslashes, as in _BACKSLASH
        data = a2b_qp(data.replace(b"\\u00", b"=").replace(b"\\/", b"/"))
        if data == before:
            break
    return data


@lru_cache(maxsize=256)
def _pattern(secret: str) -> re.Pattern[str]:
    """Return a pattern that finds ``secret`` in any escaping."""
    return re.compile("".join(map(_spellings, secret)))


@cache
def _sandbox_pattern() -> re.Pattern[str]:
    """Return a pattern that finds the tokens of sandboxes in any escaping."""
    digit = f"(?:[0-9a-f]|{_PERCENT}(?:3[0-9]|6[1-6])|{_BACKSLASH}u00(?:3[0-9]|6[1-6]))"
    hyphen = _spellings("-")
    return re.compile("".join(map(_spellings, "sandbox")) + f"{hyphen}{digit}{{16}}{hyphen}{digit}{{32}}")


def _spellings(character: str) -> str:
    """Return a regular expression for all spellings of ``character``."""
    ways = [re.escape(character)]
    octets = character.encode("utf-8", "surrogatepass")
    ways.append("".join(_PERCENT + _digits(octet) for octet in octets))
    if len(octets) == 1:
        ways.append(f"{_BACKSLASH}u00{_digits(octets[0])}")
    if character == "/":
        ways.append(f"{_BACKSLASH}(?:/|{_PERCENT}2[fF])")
    if character == " ":
        ways.append(r"\+")
    return f"(?:{'|'.join(ways)})"


def _digits(octet: int) -> str:
    return "".join(f"[{digit}{digit.upper()}]" for digit in f"{octet:02x}")


def _cookie(part: str) -> str:
    name, found, _ = part.partition("=")
    return f"{name}={MASK}" if found else MASK if part.strip() else part


def _pair(part: str) -> str:
    name, found, _ = part.partition("=")
    return f"{name}={MASK}" if found and _names_secret(name[: 3 * _MAX_NAME]) else part


@lru_cache(maxsize=2048)
def _names_secret(name: str) -> bool:
    return is_secret(unquote_plus(name))
