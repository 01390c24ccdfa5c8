"""Secrets in what clients sent: shown masked, always.

What holds a secret is known by its name (``masked``, ``masked_url``); a secret that is known itself is found
wherever it stands (``Known``).
"""

import re
from binascii import a2b_qp
from collections.abc import Iterable
from functools import cache, lru_cache
from urllib.parse import unquote_plus

from oagw.model.reading import MAX_FIELDS

MASK = "****"

# Header fields, query parameters and form fields whose values are credentials. These expressions are compiled
# when they are first needed: start-up does not wait for them.
_SECRET = (
    r"(?i:authorization|api[-_]?key|access[-_]?key|token|secret|passw|credential|signature|session"
    r"|(?:^|[-_])(?:auth|jwt|key|sig|sid|pwd)(?:$|[-_]))"
)
# A part of each of them.
# fmt: off
_PARTS_OF_SECRET = (
    "auth", "key", "token", "secret", "passw", "credential", "sig", "session", "jwt", "sid", "pwd",
)
# fmt: on
# Such names that hold no secret. Those of tokens that are counted have "tokens" and one of _COUNTING in them.
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

# The authentication schemes that stay readable (IANA's registry, and two that APIs made up).
_SCHEMES = frozenset(("basic", "bearer", "digest", "dpop", "hoba", "mutual", "negotiate", "token", "apikey"))

# The tokens of sandboxes, wherever they stand (``sandboxes``).
SANDBOX_TOKEN = re.compile(r"sandbox-[0-9a-f]{16}-[0-9a-f]{32}")
# A token that is shorter could be any word.
SHORTEST = 8
# Secrets of one request that are looked for wherever they stand, the longest first.
_MAX_SECRETS = 32

# How deep escapes may stand in each other, such as "%2574".
_NESTED = 3
_PERCENT = f"%(?:25){{0,{_NESTED}}}"
_BACKSLASH = rf"(?:\\|{_PERCENT}5[cC]){{1,{1 << _NESTED}}}"

# Characters of a name that are looked at.
_MAX_NAME = 200
# The value of a parameter.
_VALUE = re.compile(r"=[^&]*")


def bearer(authorization: bytes) -> bytes:
    """The token in a value of Authorization (RFC 6750 section 2.1; the scheme in any case), or nothing."""
    scheme, _, token = authorization.partition(b" ")
    token = token.strip(b" ")
    return b"" if scheme.lower() != b"bearer" or b" " in token else token


def is_secret(name: str) -> bool:
    """Whether a header field, or a parameter, of this name holds a secret."""
    return _is_secret(name[:_MAX_NAME])


@lru_cache(maxsize=2048)
def _is_secret(name: str) -> bool:
    return bool(re.search(_SECRET, name)) and not re.fullmatch(_PLAIN, name) and not _counts_tokens(name)


def _counts_tokens(name: str) -> bool:
    words = {word.lower() for word in re.findall(_WORDS, name)}
    return "tokens" in words and not words.isdisjoint(_COUNTING)


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
    """A query, or a form body, with the values of secret parameters masked.

    All values are, in a form with more fields than anyone reads.
    """
    if "%" not in text:
        lower = text.lower()
        if not any(part in lower for part in _PARTS_OF_SECRET):
            return text
    if text.count("&") >= MAX_FIELDS:
        return _VALUE.sub(f"={MASK}", text)
    return "&".join(map(_pair, text.split("&")))


class Known:
    """Secrets that are known themselves, to be masked wherever they stand.

    Found are also secrets that are percent-encoded or escaped as in JSON, as a whole or in part.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        found = sorted((s for s in set(secrets) if len(s) >= SHORTEST), key=len, reverse=True)
        self._secrets = found[:_MAX_SECRETS]

    def masked(self, text: str) -> str:
        """``text`` without them; takes time in proportion to its length."""
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
    """``text`` in UTF-8, without percent-encodings and JSON's escapes of ASCII, also where they are nested.

    Good for nothing but to look for something in it: some texts come out wrong, such as "%%" and "=\\n".
    Python's decoder for quoted-printable does the work, which is a hundred times faster than unquote.
    """
    data = text.encode("utf-8", "surrogatepass").replace(b"\r", b"\n")
    for _ in range(_NESTED):
        before = data
        data = data.replace(b"=", b"=3D").replace(b"%%", b"=25%").replace(b"%", b"=")
        for _ in range(_NESTED):
            if b"\\\\" not in data:
                break
            data = data.replace(b"\\\\", b"\\")  # a run of backslashes is one, as in _BACKSLASH
        data = a2b_qp(data.replace(b"\\u00", b"=").replace(b"\\/", b"/"))
        if data == before:
            break
    return data


@lru_cache(maxsize=256)
def _pattern(secret: str) -> re.Pattern[str]:
    """Finds ``secret`` however its characters are escaped."""
    return re.compile("".join(map(_spellings, secret)))


@cache
def _sandbox_pattern() -> re.Pattern[str]:
    """Finds the tokens of sandboxes however their characters are escaped."""
    digit = f"(?:[0-9a-f]|{_PERCENT}(?:3[0-9]|6[1-6])|{_BACKSLASH}u00(?:3[0-9]|6[1-6]))"
    hyphen = _spellings("-")
    return re.compile("".join(map(_spellings, "sandbox")) + f"{hyphen}{digit}{{16}}{hyphen}{digit}{{32}}")


def _spellings(character: str) -> str:
    """A regular expression for the ways to write ``character``."""
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
