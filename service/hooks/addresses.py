"""Which addresses a webhook may reach: none of this machine's or its networks', unless a setting names them.

A name is resolved right before the connection is made, every address that it has is checked, and the
connection goes to one of those very addresses: a name that resolves to another one meanwhile gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import SplitResult, urlsplit

from models.errors import BitfrontError
from service.settings import Network, Settings, is_loopback

Address = IPv4Address | IPv6Address
PORTS = {"http": 80, "https": 443}
TRANSLATED = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
"""IPv6 addresses that stand for an IPv4 address, which a gateway may lead inwards: NAT64, 6to4, Teredo."""


class ForbiddenAddressError(BitfrontError):
    """An address that webhooks may not reach."""

    code = "forbidden_address"


def checked_url(text: str) -> str:
    """A URL that a webhook can have. Raises ValueError with the reason and, behind `; `, the fix."""
    fix = "write it as https://hooks.example.org/bitfront"
    if not (text.isascii() and text.isprintable()) or " " in text or "\\" in text:
        raise ValueError(f"the address has characters that no URL has; {fix}")
    try:
        found = urlsplit(text)
        complete = found.scheme in PORTS and bool(found.hostname) and found.port != 0
    except ValueError:
        complete = False
    if not complete:
        raise ValueError(f"this is no http or https address of a host; {fix}")
    if "@" in found.netloc or found.fragment:
        raise ValueError(f"a user, password or fragment is not sent; {fix}")
    return text


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressRules:
    """What the settings allow beyond the public internet over TLS."""

    networks: tuple[Network, ...] = ()
    plain_http: bool = False

    @classmethod
    def of(cls, settings: Settings) -> AddressRules:
        """The rules that the settings make."""
        return cls(networks=settings.allowed_networks, plain_http=settings.webhook_plain_http)

    def check_url(self, url: str) -> None:
        """Refuse what can be refused without resolving a name. Raises ForbiddenAddressError."""
        found = urlsplit(url)
        host = str(found.hostname)
        literal = _literal(host)
        if literal is not None:
            self._check(found, literal)
        elif is_loopback(host):
            self._check(found, ipaddress.ip_address("127.0.0.1"))
        elif found.scheme == "http" and not self.plain_http:
            raise _plain(host)

    def resolved(self, url: str) -> tuple[str, ...]:
        """The addresses of a URL's host, each of which may be reached.

        Raises ForbiddenAddressError where one may not, and OSError where the name has none.
        """
        found = urlsplit(url)
        port = found.port or PORTS[found.scheme]
        infos = socket.getaddrinfo(found.hostname, port, type=socket.SOCK_STREAM)
        addresses = dict.fromkeys(str(info[4][0]) for info in infos)
        for text in addresses:
            self._check(found, ipaddress.ip_address(text))
        return tuple(addresses)

    def _check(self, url: SplitResult, address: Address) -> None:
        meant = _unmapped(address)
        listed = _within(meant, self.networks)
        if not (listed or is_public(meant)):
            raise ForbiddenAddressError(
                f"{url.hostname} has an address that is not public.",
                fix="Whoever runs the service can allow its network: BITFRONT_WEBHOOK_NETWORKS.",
            )
        if url.scheme == "http" and not (self.plain_http or meant.is_loopback):
            raise _plain(str(url.hostname))


def is_public(address: Address) -> bool:
    """Whether an address is out in the internet: no private, local, shared, reserved or translated one."""
    if isinstance(address, IPv6Address) and (address.is_site_local or _within(address, TRANSLATED)):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(network.version == address.version and address in network for network in networks)


def _unmapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one of the form ::ffff:a.b.c.d is."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _plain(host: str) -> ForbiddenAddressError:
    return ForbiddenAddressError(
        f"messages to {host} would go over the network unencrypted.",
        fix="Use an https address; BITFRONT_WEBHOOK_PLAIN_HTTP=true allows http.",
    )
