"""Whether commands ask the Redis beside them, or a console elsewhere."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from app.core.errors import ConfigError
from app.settings import environment, load_settings

_URL: Final = re.compile(r"https?://[^/?#\s@]+/?")
_TOKEN: Final = re.compile(r"sluice_[A-Za-z0-9_-]{20,100}")

_TOKENS: Final = ("SLUICE_API_TOKEN", "SLUICE_API_TOKEN_FILE")

# What `sluice --console URL` said.
ASKED: Final[ContextVar[str | None]] = ContextVar("console", default=None)

# What a console elsewhere has beside it, and what looks at that.
BESIDE: Final = frozenset(
    ("up", "work", "serve-receiver", "serve-console", "doctor", "connect", "connection")
)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A console: `https://sluice.example.com`, and what lets in there."""

    url: str
    token: str = field(repr=False)


def elsewhere() -> Elsewhere | None:
    """The console that is meant; None: the Redis beside us. Raises ConfigError."""
    asked, environ = ASKED.get(), environment()
    # First: whoever means the Redis beside them is told by others what is wrong with settings.
    if asked is None and not any(environ.get(name) for name in _TOKENS):
        return None
    settings = load_settings(environ)
    name = "--console" if asked else "environment: SLUICE_CONSOLE_URL"
    return Elsewhere(_address(name, asked or settings.console_url), _token(settings.api_token))


def _address(name: str, url: str | None) -> str:
    if url is None:
        raise ConfigError(
            [
                f"{name}: missing; SLUICE_API_TOKEN is set, so say of which console, or unset it "
                "to ask the Redis beside you"
            ]
        )
    if not _URL.fullmatch(url):
        raise ConfigError([f"{name}: is no address like https://sluice.example.com"])
    if url.startswith("http:") and not _is_here(url):
        raise ConfigError(
            [f"{name}: with http:// everybody on the way could read the token; use https://"]
        )
    return url.rstrip("/")


def _token(given: str | None) -> str:
    if not given:
        raise ConfigError(
            [
                "environment: SLUICE_API_TOKEN: missing; `sluice users token add` makes one there. "
                "SLUICE_API_TOKEN_FILE names a file that holds it"
            ]
        )
    if not _TOKEN.fullmatch(given.strip()):
        # Not what it is: it may be another secret.
        raise ConfigError(
            ["environment: SLUICE_API_TOKEN: is no token of `sluice users token add`"]
        )
    return given.strip()


def require_here(what: str) -> None:
    """Raises ConfigError when a console elsewhere is meant."""
    if elsewhere() is not None:
        raise ConfigError(
            [
                f"{what} works beside its Redis only, not through a console: run it there, or take "
                "--console and SLUICE_API_TOKEN away"
            ]
        )


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
