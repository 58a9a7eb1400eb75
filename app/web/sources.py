"""Who may post: source addresses, also behind proxies.

Off by default: the signature is the real check, and the published addresses change
(customerio.md section 9).
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_CACHE_MAX_ENTRIES: Final = 4096
_CACHE_MAX_CHARS: Final = 256


class SourceFilter:
    """Allows requests that come from `allowed`; believes X-Forwarded-For of `trusted_proxies`."""

    def __init__(self, allowed: Sequence[Network], trusted_proxies: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)
        self._proxies = tuple(trusted_proxies)
        self._known: dict[tuple[str, str], bool] = {}

    def allows(self, peer: str, forwarded: Sequence[str]) -> bool:
        """Whether a request may pass. Fails closed on anything that cannot be read.

        `peer`: address of the TCP connection; `forwarded`: values of all X-Forwarded-For headers.
        """
        question = (peer, ",".join(forwarded) if self._proxies else "")
        answer = self._known.get(question)
        if answer is None:
            client = client_of(*question, self._proxies)
            answer = client is not None and _within(client, self._allowed)
            # Anybody can write headers: a cache of long ones would be memory for the asking.
            if len(question[1]) <= _CACHE_MAX_CHARS:
                if len(self._known) >= _CACHE_MAX_ENTRIES:
                    self._known.clear()
                self._known[question] = answer
        return answer


def client_of(peer: str, forwarded: str, proxies: Sequence[Network]) -> Address | None:
    """The nearest address that is no proxy of ours: what stands left of it can be forged.

    `peer`: address of the TCP connection; `forwarded`: X-Forwarded-For. None when it is unreadable.
    """
    address = parse_address(peer)
    hops = forwarded.split(",") if forwarded else []
    while address is not None and hops and _within(address, proxies):
        address = parse_address(hops.pop())
    return address


def parse_address(text: str) -> Address | None:
    """An address as proxies write it: bare, with port, in brackets, IPv4 mapped into IPv6."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
