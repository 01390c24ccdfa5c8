"""Stubs and toxics that cannot act as things are: what is said of them, and why.

Nothing is said that is not certain. What is made later may change it, so they are accepted.
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

# Characters of a value that are told.
_SHOWN = 100

# Stubs that are looked at to find one that takes the requests of another.
_COMPARED = 50

# Aliases that are looked at to find the one that was meant.
_LISTED = 200

# What the path of an upstream has before its alias; some of it is easily forgotten.
_LEADING = ("api", "oagw", "v1", "proxy")

# What stands at the beginning of a path or of a pattern for paths, as long as it means itself.
_PLAIN = re.compile(r"\^?(/[\w/-]*)(?=[/?]|$|\\?[.({\[])", re.ASCII)

# What cannot be in the URL of a request: its first line ends there.
_BLANK = re.compile(r"[\x00-\x20\x7f]")


class Aliases:
    """The upstreams that exist for a caller: those of ``services``, and those that there are stubs for."""

    def __init__(self, services: Collection[str], stores: Iterable[StubStore]) -> None:
        self._all = (services, *(store.aliases for store in stores))

    def __contains__(self, alias: object) -> bool:
        return any(alias in some for some in self._all)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(set().union(*self._all)))


def why_stub(stub: Stub, store: StubStore, aliases: Aliases) -> str | None:
    """Why ``stub``, one of those in ``store``, cannot answer; None if it may.

    ``aliases`` are those of the upstreams that exist for its callers.
    """
    spec = stub.mapping.request
    why = _why_url(spec, aliases)
    if why is not None:
        return why
    given = asdict(spec)
    before = islice(store.before(stub), _COMPARED)
    other = next((one for one in before if one.is_always_ready(stub) and _covers(one, given)), None)
    if other is None:
        return None
    name = other.mapping.name or f"stub {other.id}"
    return f"{_cut(name)}, with priority {other.priority}, comes first and takes all that this one matches"


def why_toxic(toxic: Toxic, aliases: Aliases) -> str | None:
    """Why ``toxic`` cannot act; None if it may."""
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
        return f'its alias is "{_cut(alias)}", but its request is one to "{_cut(called)}"'
    if called is not None and called not in aliases:
        return _no_upstream(called, aliases)
    return _why_url(document.request, aliases)


def _no_upstream(alias: str, aliases: Aliases) -> str:
    known = islice(aliases, _LISTED)
    return f'no service and no stub has the alias "{_cut(alias)}" yet{suggestion(alias, known)}'


def _why_url(spec: RequestPattern, aliases: Aliases) -> str | None:
    """Why no request for an upstream, or anything else, has the URL of ``spec``."""
    literal = spec.url or spec.urlPath
    text = literal or spec.urlPathTemplate or spec.urlPattern or spec.urlPathPattern or ""
    found = _PLAIN.match(text)
    path = found[1] if found else text.partition("?")[0]
    if is_admin(path.encode()):
        return "stubs and toxics do not act on the control plane"
    if literal and _BLANK.search(literal):
        return "no request has a blank in its URL: write %20"
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
        f'"{_cut(masked_url(canonical))}" is not a path of the upstream "{segments[0]}", '
        f'whose paths are below {PREFIXES[0]}proxy/: did you mean "{_cut(masked_url(meant))}"?'
    )


def _covers(wide: Stub, given: Mapping[str, Any]) -> bool:
    """Whether ``wide`` matches all that a pattern with the members ``given`` does: it asks for no others."""
    methods = methods_covering(given["method"] or ANY)
    return all(
        value is None or value == given[name] or (name == "method" and value in methods)
        for name, value in asdict(wide.mapping.request).items()
    )


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
