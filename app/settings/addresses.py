"""Where commands reach the parts of a Sluice: on this machine, unless settings say otherwise."""

from __future__ import annotations

from typing import Final

from app.settings.settings import Settings

# To listen on all addresses, and to call one of them.
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}


def reachable(host: str) -> str:
    """An address to call for one to listen on."""
    return _EVERYWHERE.get(host, host)


def url_of(host: str, port: int) -> str:
    """Of something that listens on them."""
    host = reachable(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def receiver_url(settings: Settings) -> str:
    """From here, not from outside: that is `public_url`."""
    here = url_of(settings.receiver_host, settings.receiver_port)
    return (settings.receiver_url or here).rstrip("/")


def sandbox_url(settings: Settings) -> str:
    """The stand-in for Platform and Customer.io."""
    here = url_of(settings.sandbox_host, settings.sandbox_port)
    return (settings.sandbox_url or here).rstrip("/")
