"""Networks that are not public, which SSRF protection blocks."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_V4 = tuple(
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

_V6 = tuple(
    map(
        IPv6Network,
        (
            "::/96",  # unspecified, loopback, and the old form of embedded IPv4 addresses
            "64:ff9b:1::/48",
            "100::/64",
            "2001:db8::/32",  # documentation
            "fc00::/7",
            "fe80::/10",
            "fec0::/10",
            "ff00::/8",
        ),
    )
)

# IPv4 addresses in IPv6: these 96 bits are followed by one (RFC 6052).
_TRANSLATED = IPv6Network("64:ff9b::/96")


def blocking_network(address: IPv4Address | IPv6Address) -> str | None:
    """Return the network that blocks ``address``, also if it is in an IPv6 address, or None."""
    if isinstance(address, IPv6Address):
        embedded = _embedded(address)
        if embedded is None:
            return next((str(network) for network in _V6 if address in network), None)
        address = embedded
    return next((str(network) for network in _V4 if address in network), None)


def is_blocked(address: str) -> bool:
    """Return whether ``address``, an IP address that may have a zone, is blocked."""
    return blocking_network(ip_address(address.partition("%")[0])) is not None


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that ``address`` stands for, or None."""
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
