"""SSRF protection: the hosts that upstreams must not lead to. It is off by default.

What a name resolves to is checked when a call is forwarded (``forward.network``).
"""

from collections.abc import Sequence
from ipaddress import IPv4Address
from socket import inet_aton

from oagw.model.networks import blocking_network
from oagw.model.upstream import Endpoint
from oagw.registry.endpoints import host_of, is_ipv4
from oagw.registry.rejections import invalid

_HOSTS = ("localhost", "localhost.localdomain")


def check_hosts(endpoints: Sequence[Endpoint]) -> None:
    """Raise Rejected if an endpoint leads to this machine, or to a network that is not public."""
    for i, endpoint in enumerate(endpoints):
        blocked = blocking(host_of(endpoint))
        if blocked is not None:
            kind = "IP address" if is_ipv4(endpoint.host) else "hostname"
            raise invalid(
                f"endpoint[{i}] {kind} '{endpoint.host}' is blocked by SSRF protection (matches '{blocked}')"
            )


def blocking(host: str) -> str | None:
    """Return the host or network that blocks ``host``, a normalised name or an IPv4 address, or None."""
    if host in _HOSTS:
        return host
    try:
        address = IPv4Address(inet_aton(host))  # such as 127.1 and 0x7f000001, which resolvers accept
    except OSError:
        return None
    return blocking_network(address)
