"""Endpoints: the rules for the endpoints of an upstream."""

import re
from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from oagw.model.upstream import Endpoint
from oagw.registry.rejections import invalid

_LABEL = re.compile(r"[A-Za-z0-9-]*")


def check_endpoints(endpoints: Sequence[Endpoint]) -> None:
    """Raise Rejected unless ``endpoints`` can be those of one upstream."""
    if not endpoints:
        raise invalid("server must have at least one endpoint")
    for i, endpoint in enumerate(endpoints):
        if _is_ipv6(endpoint.host):
            raise invalid(
                f"endpoint[{i}] has the IPv6 address '{endpoint.host}'; IPv6 endpoints are not yet supported"
            )
    addresses = sum(is_ipv4(endpoint.host) for endpoint in endpoints)
    if addresses not in (0, len(endpoints)):
        raise invalid(
            "all endpoints must use either IP addresses or hostnames; mixed configurations are not allowed"
        )
    if not addresses:
        for i, endpoint in enumerate(endpoints):
            why = _why_no_hostname(endpoint.host)
            if why is not None:
                raise invalid(f"endpoint[{i}] host '{endpoint.host}' {why}")
    first = endpoints[0]
    for i, endpoint in enumerate(endpoints):
        if endpoint.scheme != first.scheme:
            raise invalid(
                f"endpoint[{i}] has the scheme {endpoint.scheme}, endpoint[0] {first.scheme}; "
                "all endpoints must share the same scheme"
            )
        if endpoint.port != first.port:
            raise invalid(
                f"endpoint[{i}] has the port {endpoint.port}, endpoint[0] {first.port}; "
                "all endpoints must share the same port"
            )


def host_of(endpoint: Endpoint) -> str:
    """Return the host in lower case, without a trailing dot."""
    return endpoint.host.lower().rstrip(".")


def is_ipv4(host: str) -> bool:
    """Return whether ``host`` is an IPv4 address."""
    try:
        IPv4Address(host)
    except AddressValueError:
        return False
    return True


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host.removeprefix("[").removesuffix("]"))
    except AddressValueError:
        return False
    return True


def _why_no_hostname(host: str) -> str | None:
    """Return what is wrong with a hostname (RFC 1123 section 2.1), or None."""
    name = host.removesuffix(".")
    if not name:
        return "is empty"
    if len(name) > 253:
        return "is longer than 253 characters"
    for label in name.split("."):
        if not label:
            return "has an empty label"
        if len(label) > 63:
            return f"has a label of more than 63 characters: '{label}'"
        if not _LABEL.fullmatch(label):
            return f"has invalid characters in '{label}'; only ASCII letters, digits and '-' are allowed"
        if label[0] == "-" or label[-1] == "-":
            return f"has the label '{label}', which starts or ends with '-'"
    return None
