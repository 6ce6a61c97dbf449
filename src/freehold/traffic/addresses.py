"""Which addresses of the network a service may be sent to by somebody else's wish: public ones, and nothing inside."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

# What `is_global` lets through, in some version of Python, and leads inside: a cloud's own machines, relays, protocols.
_INSIDE = (ip_network("168.63.129.16/32"), ip_network("192.88.99.0/24"), ip_network("192.0.0.0/24"))
# An IPv4 address is packed into it, and somebody on the way unpacks it.
_NAT64 = ip_network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Whether the address is one of the open internet, also by the IPv4 address that is packed into it.

    Not loopback, private, link-local (and with it the metadata of clouds), carrier-grade, multicast, documentation,
    reserved or unspecified ones.
    """
    packed = _packed(address)
    if packed is not None:
        return is_public(packed)
    is_inside = any(address in network for network in _INSIDE if network.version == address.version)
    is_local = isinstance(address, IPv6Address) and address.is_site_local
    return address.is_global and not (address.is_multicast or address.is_reserved or is_local or is_inside)


def literal(host: str) -> Address | None:
    """The address that a host is written as, in any spelling that a resolver would take: `2130706433`, `0x7f.1`, `[::1]`."""
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return None


def _packed(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
