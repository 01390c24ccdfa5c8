"""Alias: the name of an upstream in URLs, derived from its endpoints where they are hostnames."""

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from oagw.model.upstream import Endpoint
from oagw.registry.endpoints import host_of, is_ipv4
from oagw.registry.rejections import invalid

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList  # loaded when a pool of several hosts first needs it

_LONGEST = 253
_ALIAS = re.compile(r"[a-z0-9.:_-]+")

_AGAIN = "delete and re-create the upstream instead"


def normalised(alias: str) -> str:
    """Return ``alias`` in lower case, without trailing dots."""
    return alias.lower().rstrip(".")


def derived(endpoints: Sequence[Endpoint]) -> str | None:
    """Return the alias that follows from valid ``endpoints``; None for IP addresses and unrelated hosts."""
    if is_ipv4(endpoints[0].host):
        return None
    first = endpoints[0]
    port = "" if first.port == (80 if first.scheme == "http" else 443) else f":{first.port}"
    hosts = sorted({host_of(endpoint) for endpoint in endpoints})
    name = hosts[0] if len(hosts) == 1 else _common_domain(hosts)
    return None if name is None else name + port


def chosen(alias: str | None, endpoints: Sequence[Endpoint]) -> str:
    """Return the alias of a new upstream for which the test asked for ``alias``. Raises Rejected."""
    automatic = derived(endpoints)
    if automatic is None:
        if alias is None:
            raise invalid("explicit alias is required for IP-based or heterogeneous-host endpoints")
        automatic = normalised(alias)
    elif alias is not None:
        _check_equal(alias, automatic)
    _check(automatic)
    return automatic


def kept(alias: str | None, stored: str, endpoints: Sequence[Endpoint], old: Sequence[Endpoint]) -> None:
    """Raise Rejected if a replacement with ``alias`` and ``endpoints`` would change the alias ``stored``."""
    changed = tuple(endpoints) != tuple(old)
    automatic = derived(endpoints) if changed else None
    if automatic is not None:
        if automatic != stored:
            raise invalid(f"endpoint change would alter the alias from '{stored}' to '{automatic}'; {_AGAIN}")
        if alias is not None:
            _check_equal(alias, automatic)
    elif changed and derived(old) is not None:
        raise invalid(f"cannot change hostname-based endpoints to IP-based; {_AGAIN}")
    elif alias is not None and normalised(alias) != stored:
        wanted = normalised(alias)
        raise invalid(f"alias cannot be changed from '{stored}' to '{wanted}'; {_AGAIN}")


def _check_equal(alias: str, automatic: str) -> None:
    if normalised(alias) != automatic:
        raise invalid(
            "alias is auto-derived for hostname-based endpoints; "
            f"remove the 'alias' field (derived: '{automatic}')"
        )


def _check(alias: str) -> None:
    if not alias:
        raise invalid("alias must not be empty")
    if len(alias) > _LONGEST:
        raise invalid(f"alias must not exceed {_LONGEST} characters")
    if not _ALIAS.fullmatch(alias):
        raise invalid("alias contains invalid characters; only alphanumeric, '.', ':', '-', '_' are allowed")
    if not any(character.isalnum() for character in alias):
        raise invalid("alias must contain at least one alphanumeric character")


def _common_domain(hosts: Sequence[str]) -> str | None:
    """Return the longest domain that all ``hosts`` are in, or None if nobody can register such a domain."""
    common = []
    for labels in zip(*(reversed(host.split(".")) for host in hosts), strict=False):
        if len(set(labels)) > 1:
            break
        common.append(labels[0])
    domain = ".".join(reversed(common))
    if not domain or _suffixes().privatesuffix(domain) is None:
        return None
    return domain


@cache
def _suffixes() -> "PublicSuffixList":
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
