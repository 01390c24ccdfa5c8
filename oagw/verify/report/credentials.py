"""Rules on credentials: tokens where tokens do not belong. No text repeats one."""

import re
from collections.abc import Iterator
from itertools import chain, islice

from oagw.model.call import PREFIXES, Call
from oagw.model.journal import Entry
from oagw.model.secret import SANDBOX_TOKEN, SHORTEST, bearer
from oagw.verify.report.finding import Finding, finding

RULE = "credentials-misplaced"

# Tokens that are looked for: each in every request.
_MAX_TOKENS = 100

_SANDBOX = re.compile(SANDBOX_TOKEN.pattern.encode())
_USER = re.compile(rb"https?://[^/?#]*@", re.IGNORECASE)

_TEXTS = {
    "url": "The gateway's token is in the URL, where logs, proxies and histories keep it.",
    "body": "The gateway's token is in the body, which goes to the upstream.",
    "cookie": "The gateway's token is in a cookie, which goes to the upstream.",
    "header": "The gateway's token is in a header field that goes to the upstream.",
}


def credentials_misplaced(entries: list[Entry], own: bytes | None = None) -> Iterator[Finding]:
    """Tokens beside Authorization, tokens of other sandboxes, and Authorization where nobody asks for it.

    ``own`` is the token of the sandbox that ``entries`` came in, if it has one.
    """
    sent = (token for entry in entries if len(token := _bearer(entry.call())) >= SHORTEST)
    tokens = list(islice(dict.fromkeys(chain([own] if own else [], sent)), _MAX_TOKENS))
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        for place in _places(entry, tokens):
            found.setdefault(place, []).append(entry)
    for place, text in _TEXTS.items():
        if place in found:
            yield finding(RULE, "error", text, found[place])
    foreign = [e for e in entries if any(token != own for token in _SANDBOX.findall(_all(e)))]
    if foreign:
        text = (
            "The token of another sandbox, or of one that is gone, was sent here: a token outlived its test."
        )
        yield finding(RULE, "error", text, foreign)
    basic = [e for e in entries if _scheme(e.call()) == "basic" and _guarded(e)]
    if basic:
        text = "Basic credentials were sent to the gateway, which takes bearer tokens alone."
        yield finding(RULE, "error", text, basic)
    user = [e for e in entries if _USER.match(e.url)]
    if user:
        yield finding(RULE, "error", "A user name or password is in the URL's authority.", user)
    unguarded = [e for e in entries if e.method and _scheme(e.call()) and not _guarded(e)]
    if unguarded:
        text = "Authorization was sent to a URL that asks for none: send it to the gateway's API alone."
        yield finding(RULE, "note", text, unguarded)


def _places(entry: Entry, tokens: list[bytes]) -> Iterator[str]:
    """Where in the request one of ``tokens`` stands, besides Authorization."""
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
    return entry.call().paths[0].startswith(PREFIXES)


def _all(entry: Entry) -> bytes:
    return b"\n".join((entry.url, entry.head, entry.call().body))
