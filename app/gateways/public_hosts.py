"""Which addresses of the network a request may go to whose host a stranger chose: public ones, and no others.

Asked of the address that a connection is opened to, after the name was resolved: a name that leads to our own
network, or does so only the second time, gets no further than a name that is not there.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

# Behind these a gateway of the network puts an IPv4 address, which may be a private one (RFC 6052, RFC 8215).
_TRANSLATED: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))


def is_public(host: str) -> bool:
    """Tell whether a numeric address is one of the public internet; what is no address is not."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return all(one.is_global and not one.is_multicast for one in _all_in(address))


def _all_in(address: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """Return the address and the IPv4 addresses that it stands for."""
    if isinstance(address, IPv4Address):
        return [address]
    inside = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    found = [one for one in inside if one is not None]
    if any(address in network for network in _TRANSLATED):
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    if address.ipv4_mapped is not None:
        return list(found)
    return [address, *found]
