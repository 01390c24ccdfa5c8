"""SSRF protection: the hosts that upstreams must not lead to. It is off by default."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network
from socket import inet_aton

from oagw.model.upstream import Endpoint
from oagw.registry.endpoints import host_of, is_ipv4
from oagw.registry.rejections import invalid

_HOSTS = ("localhost", "localhost.localdomain")

_NETWORKS = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",  # documentation, as two more below
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)


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
    return next((str(network) for network in _NETWORKS if address in network), None)
