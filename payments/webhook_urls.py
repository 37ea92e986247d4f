"""Which URLs we send events to: public ones, so that nobody reaches what is inside through us.

A name is looked up once for each attempt, every address it has must be allowed, and the connection
goes to one of these very addresses. What `ipaddress` calls global is not enough: addresses that
carry others inside them (NAT64, 6to4, Teredo) lead back in.
"""

import ipaddress
import logging
import re
import socket
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from ledger.errors import Invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

logger = logging.getLogger(__name__)

URL_LENGTH_MAX = 2_000
LOOK_UP_SECONDS = 3
DEFAULT_PORTS = {"https": 443, "http": 80}

_URL_CHARACTERS = re.compile(r"[!#-;=?-\[\]_a-z~%]*")  # of RFC 3986; no quotes, no backslash
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_LOOKS_LIKE_A_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_REFUSED = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # behind a provider's NAT
        "168.63.129.16/32",  # Azure's inside
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
    )
]


class EndpointUrlRefused(Invalid):
    code = "endpoint_url_refused"

    def __init__(self, why: str) -> None:
        super().__init__(f"Events are not sent to this URL: {why}")


class NameNotFound(Exception):
    """The name server knows no address, or did not answer in time."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart; everything that is sent is made of these parts, not of its text."""

    scheme: str
    host: str  # a name or an address without brackets, lower case
    port: int
    path: str  # with the query

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def check_url(url: str) -> None:
    """Raise EndpointUrlRefused for a URL that cannot be an endpoint's, as far as is known now.

    A name that is not found yet is fine; each attempt looks again.
    """
    target = target_of(url)
    if settings.WEBHOOK_EGRESS_PROXY:
        return
    try:
        addresses = allowed_addresses(target)
    except NameNotFound:
        return
    if any(_is_listed(address) for address in addresses):
        logger.warning("endpoint_url.inside: %s is in WEBHOOK_ALLOWED_NETWORKS", target.host)


def target_of(url: str) -> Target:
    """Take it apart. Raises EndpointUrlRefused, also for what others might read otherwise."""
    if len(url) > URL_LENGTH_MAX or not _URL_CHARACTERS.fullmatch(url.lower()):
        raise EndpointUrlRefused(
            "it is too long or has characters that must be percent-encoded; the name of a host in"
            " other letters is written in its xn-- form."
        )
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").lower()
    except ValueError:
        raise EndpointUrlRefused("it is not a URL.") from None
    if parts.scheme not in DEFAULT_PORTS or not url.lower().startswith(f"{parts.scheme}://"):
        raise EndpointUrlRefused("it does not begin with https://.")
    if parts.scheme == "http" and not settings.WEBHOOK_ALLOW_HTTP:
        raise EndpointUrlRefused("it does not begin with https://.")
    if "@" in parts.netloc or "#" in url:
        raise EndpointUrlRefused("it has a user name, a password or a fragment.")
    target = Target(
        scheme=parts.scheme,
        host=_host(host, is_bracketed=parts.netloc.startswith("[")),
        port=DEFAULT_PORTS[parts.scheme] if port is None else port,
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )
    if not target.path.startswith("/") or parts.netloc.lower() not in _spellings(target):
        raise EndpointUrlRefused("it is not written plainly.")
    if target.port not in settings.WEBHOOK_PORTS:
        raise EndpointUrlRefused(f"port {target.port} is not one that events are sent to.")
    _check(_as_address(target.host))
    return target


def _host(host: str, *, is_bracketed: bool) -> str:
    if is_bracketed:
        try:
            return str(ipaddress.IPv6Address("" if "%" in host else host))
        except ValueError:
            raise EndpointUrlRefused("its host is no IPv6 address.") from None
    if not _HOST_NAME.fullmatch(host) or len(host) > 253:
        raise EndpointUrlRefused("its host is no name and no address.")
    if _LOOKS_LIKE_A_NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:  # decimal, octal, hexadecimal or short: each parser has its own opinion
            raise EndpointUrlRefused("its host is no plain IPv4 address.") from None
    return host


def _spellings(target: Target) -> set[str]:
    """How the part between // and / may be written."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    is_default = target.port == DEFAULT_PORTS[target.scheme]
    return {f"{host}:{target.port}", *([host] if is_default else [])}


def allowed_addresses(target: Target, *, seconds: int = LOOK_UP_SECONDS) -> list[Address]:
    """Look the host up once. Raises NameNotFound, and EndpointUrlRefused if any is not allowed."""
    literal = _as_address(target.host)
    addresses = [literal] if literal else _look_up(target.host, target.port, seconds)
    for address in addresses:
        _check(address)
    return addresses


def _check(address: Address | None) -> None:
    if address is not None and not is_allowed(address):
        raise EndpointUrlRefused("its host is not on the public internet.")


def is_allowed(address: Address) -> bool:
    """Whether it is on the public internet, or in a network the operator has listed."""
    address = _unwrapped(address)
    is_public = (
        address.is_global
        and not (address.is_multicast or address.is_reserved or address.is_private)
        and not any(address in network for network in _REFUSED)
    )
    return is_public or _is_listed(address)


def _is_listed(address: Address) -> bool:
    return any(_unwrapped(address) in network for network in settings.WEBHOOK_ALLOWED_NETWORKS)


def _unwrapped(address: Address) -> Address:
    return getattr(address, "ipv4_mapped", None) or address


def _as_address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _look_up(host: str, port: int, seconds: int) -> list[Address]:
    found: list[Address] = []

    def ask() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(ipaddress.ip_address(answer[4][0]) for answer in answers)
        except (OSError, UnicodeError):
            found.clear()

    # The resolver has no time limit of its own that we could set.
    thread = threading.Thread(target=ask, name="look-up", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive() or not found:
        raise NameNotFound(host)
    return list(dict.fromkeys(found))
