"""Explain why a stub or a toxic cannot take effect at present.

Only certain cases are reported. Such stubs and toxics are accepted, because later ones may change that.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from msgspec import UNSET
from msgspec.structs import asdict

from oagw.matching.pattern import ANY, methods_covering
from oagw.matching.spec import RequestPattern
from oagw.model.call import PREFIXES, alias_of, canonical_url, is_admin
from oagw.model.secret import masked_url
from oagw.model.suggestion import suggestion
from oagw.stubs.store import StubStore
from oagw.stubs.stub import Stub
from oagw.toxics.toxic import Toxic

# The largest number of characters of a value in a message.
_MAX_VALUE = 100

# The number of stubs examined to find one that takes all requests of another.
MAX_COMPARED = 50

# The number of aliases examined for a suggestion.
_MAX_ALIASES = 200

# The segments before the alias in the path of an upstream, which are easily forgotten.
_LEADING = ("api", "oagw", "v1", "proxy")

# The literal start of a path or of a pattern for paths.
_PLAIN = re.compile(r"\^?(/[\w/-]*)(?=[/?]|$|\\?[.({\[])", re.ASCII)

# Characters that cannot occur in the URL of a request line.
_BLANK = re.compile(r"[\x00-\x20\x7f]")


class Aliases:
    """The aliases that exist for a caller: built-in ``services``, those of stubs, and of ``upstreams``."""

    def __init__(
        self, services: Collection[str], stores: Iterable[StubStore], upstreams: Collection[str] = ()
    ) -> None:
        self._all = (services, *(store.aliases for store in stores), upstreams)

    def __contains__(self, alias: object) -> bool:
        return any(alias in some for some in self._all)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(set().union(*self._all)))


def why_stub_cannot_answer(stub: Stub, store: StubStore, aliases: Aliases) -> str | None:
    """Return why ``stub``, which is in ``store``, cannot answer any request; None if it may.

    ``aliases`` are the aliases that exist for its callers.
    """
    spec = stub.mapping.request
    why = _why_url(spec, aliases)
    if why is not None:
        return why
    given = asdict(spec)
    before = islice(store.before(stub), MAX_COMPARED)
    other = next((one for one in before if one.is_always_ready(stub) and _covers(one, given)), None)
    if other is None:
        return None
    name = other.mapping.name or f"stub {other.id}"
    return f"{_cut(name)}, with priority {other.priority}, comes first and matches every request of this one"


def why_toxic_cannot_act(toxic: Toxic, aliases: Aliases) -> str | None:
    """Return why ``toxic`` cannot act; None if it may."""
    document = toxic.document
    if document.toxicity == 0:
        return "its toxicity is 0"
    alias = None if document.alias is UNSET else document.alias.lower()
    if alias is not None and alias not in aliases:
        return _no_upstream(alias, aliases)
    if document.request is UNSET:
        return None
    called = toxic.request_alias
    if alias is not None and called is not None and called != alias:
        return f'its alias is "{_cut(alias)}", but its request pattern matches "{_cut(called)}"'
    if called is not None and called not in aliases:
        return _no_upstream(called, aliases)
    return _why_url(document.request, aliases)


def _no_upstream(alias: str, aliases: Aliases) -> str:
    known = islice(aliases, _MAX_ALIASES)
    return f'no service or stub has the alias "{_cut(alias)}" yet{suggestion(alias, known)}'


def _why_url(spec: RequestPattern, aliases: Aliases) -> str | None:
    """Return why no request can match the URL of ``spec``; None if one may."""
    literal = spec.url or spec.urlPath
    text = literal or spec.urlPathTemplate or spec.urlPattern or spec.urlPathPattern or ""
    found = _PLAIN.match(text)
    path = found[1] if found else text.partition("?")[0]
    if is_admin(path.encode()):
        return "stubs and toxics do not act on the control plane"
    if literal and _BLANK.search(literal):
        return "a URL cannot contain spaces: use %20"
    canonical = canonical_url(path)
    if alias_of(canonical) is not None or not found:
        return None
    segments = canonical.split("/")[1:]
    for word in _LEADING:
        if segments[0] == word and len(segments) > 1:
            segments.pop(0)
    if segments[0].lower() not in aliases:
        return None
    rest = "/".join(segments[1:])
    meant = f"{PREFIXES[0]}proxy/{segments[0]}" + (f"/{rest}" if rest else "")
    return (
        f'"{_cut(masked_url(canonical))}" is not a path of the upstream "{segments[0]}": '
        f'upstreams are below {PREFIXES[0]}proxy/, did you mean "{_cut(masked_url(meant))}"?'
    )


def _covers(wide: Stub, given: Mapping[str, Any]) -> bool:
    """Return whether ``wide`` matches all requests that a pattern with the members ``given`` matches.

    That is certain if it has no other conditions.
    """
    methods = methods_covering(given["method"] or ANY)
    return all(
        value is None or value == given[name] or (name == "method" and value in methods)
        for name, value in asdict(wide.mapping.request).items()
    )


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_VALUE else text[:_MAX_VALUE] + "..."
