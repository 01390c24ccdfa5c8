"""Rule on credentials: tokens in the wrong place. The texts of findings never contain a token."""

import re
from collections.abc import AsyncIterator, Iterator
from itertools import chain

from oagw.model.call import PREFIXES, Call
from oagw.model.entry import Entry
from oagw.model.secret import SANDBOX_TOKEN, SHORTEST, bearer
from oagw.model.work import Work
from oagw.verify.report.finding import Finding, finding
from oagw.verify.report.rules import Severity

RULE = "credentials-misplaced"

# The largest number of tokens to look for in every request.
_MAX_TOKENS = 100

_SANDBOX = re.compile(SANDBOX_TOKEN.pattern.encode())
_USER = re.compile(rb"https?://[^/?#]*@", re.IGNORECASE)

# The beginnings of the paths that require a token.
_GUARDED = (*PREFIXES, "/credstore/v1/", "/types-registry/v1/")

# The severity and the text for each misuse.
_MISPLACED: dict[str, tuple[Severity, str]] = {
    "url": ("error", "The gateway's token is in the URL, where logs, proxies and histories keep it."),
    "body": ("error", "The gateway's token is in the body, which goes to the upstream."),
    "cookie": ("error", "The gateway's token is in a cookie, which goes to the upstream."),
    "header": ("error", "The gateway's token is in a header field that goes to the upstream."),
    "foreign": (
        "error",
        "The token of another sandbox, or of a deleted one, was sent: the client kept it after its test.",
    ),
    "basic": ("error", "Basic credentials were sent to the gateway, which accepts only bearer tokens."),
    "user": ("error", "A user name or password is in the URL's authority."),
    "unguarded": (
        "note",
        "Authorization was sent to a URL that does not require it: send it only to the gateway's API.",
    ),
}


async def credentials_misplaced(
    entries: list[Entry], work: Work, own: bytes | None = None
) -> AsyncIterator[Finding]:
    """Find tokens outside Authorization, tokens of other sandboxes, and unnecessary Authorization headers.

    ``own`` is the token of the sandbox of ``entries``, if it has one.
    """
    tokens = {own: None} if own else {}
    for entry in entries:
        await work.breathe()
        if len(token := _bearer(entry.call())) >= SHORTEST and len(tokens) < _MAX_TOKENS:
            tokens[token] = None
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        await work.breathe()
        for place in chain(_places(entry, list(tokens)), _misuses(entry, own)):
            found.setdefault(place, []).append(entry)
    for place, (severity, text) in _MISPLACED.items():
        if place in found:
            yield finding(RULE, severity, text, found[place])


def _misuses(entry: Entry, own: bytes | None) -> Iterator[str]:
    """Yield the other misuses of credentials in the request."""
    # All tenants of a sandbox have its id in their tokens.
    prefix = (own or b"").rpartition(b"-")[0]
    if any(not prefix or not token.startswith(prefix) for token in _SANDBOX.findall(_all(entry))):
        yield "foreign"
    scheme, guarded = _scheme(entry.call()), _guarded(entry)
    if scheme == "basic" and guarded:
        yield "basic"
    if _USER.match(entry.url):
        yield "user"
    if entry.method and scheme and not guarded:
        yield "unguarded"


def _places(entry: Entry, tokens: list[bytes]) -> Iterator[str]:
    """Yield the parts of the request, other than Authorization, that contain one of ``tokens``."""
    call = entry.call()
    known = [token.decode("latin-1") for token in tokens]
    if any(token in entry.url for token in tokens) or _among(known, call.query):
        yield "url"
    if any(token in call.body for token in tokens):
        yield "body"
    for name, values in call.headers.items():
        if name != "authorization" and any(token in value for token in known for value in values):
            yield "cookie" if name == "cookie" else "header"


def _among(tokens: list[str], query: dict[str, list[str]]) -> bool:
    return any(token in value for values in query.values() for value in values for token in tokens)


def _bearer(call: Call) -> bytes:
    return bearer(call.headers.get("authorization", [""])[-1].encode("latin-1", "replace"))


def _scheme(call: Call) -> str:
    return call.headers.get("authorization", [""])[-1].partition(" ")[0].lower()


def _guarded(entry: Entry) -> bool:
    return entry.call().paths[0].startswith(_GUARDED)


def _all(entry: Entry) -> bytes:
    return b"\n".join((entry.url, entry.head, entry.call().body))
