"""Where Redis is, and how we prove who we are. No I/O: app/store/connect.py opens it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

# What may stand behind the ? of the URL: all else would change how connections are made, and some
# of it (ssl_cert_reqs=none) how far they can be trusted.
_QUERY: Final = {"db", "password", "username"}


class Endpoint(NamedTuple):
    """A host and port to call."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Sentinels:
    """Redis Sentinel, which knows where the master is. `endpoints`: never empty."""

    endpoints: tuple[Endpoint, ...]
    master: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """One Redis. Files are PEM, by path.

    `url`: redis://, rediss:// or unix://, with user, password and database; with `sentinels` its
    host is not called. `password`: goes before the URL's.
    """

    url: str = field(repr=False)
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    sentinels: Sentinels | None = None

    @property
    def encrypted(self) -> bool:
        return self.url.startswith("rediss:")

    def faults(self) -> list[str]:
        """What cannot be right, a line each with the setting and the fix. Empty = good."""
        found = [*_faults_of(self.url), *self._tls_faults()]
        if self.sentinels and self.url.startswith("unix:"):
            found.append(
                "SLUICE_REDIS_SENTINELS: SLUICE_REDIS_URL is a unix socket, and Sentinel names "
                "hosts; use redis:// or rediss://"
            )
        return found

    def _tls_faults(self) -> list[str]:
        files: Mapping[str, str | None] = {
            "SLUICE_REDIS_CA_FILE": self.ca_file,
            "SLUICE_REDIS_CERT_FILE": self.cert_file,
            "SLUICE_REDIS_KEY_FILE": self.key_file,
        }
        found = []
        if not self.encrypted:
            found += [
                f"{name}: SLUICE_REDIS_URL is not encrypted; write rediss:// there"
                for name, path in files.items()
                if path
            ]
        if (self.cert_file is None) != (self.key_file is None):
            missing = "CERT" if self.cert_file is None else "KEY"
            found.append(f"SLUICE_REDIS_{missing}_FILE: missing; certificate and key go together")
        return found


def endpoint(text: str, default_port: int) -> Endpoint:
    """`host`, `host:port`, `[v6]:port`. Raises ValueError."""
    parts = urlsplit(f"//{text.strip()}")
    port = parts.port  # raises ValueError for what is no port
    if not parts.hostname or parts.path or parts.username is not None:
        raise ValueError(f"{text!r} is no host:port")
    return Endpoint(parts.hostname, port or default_port)


def _faults_of(url: str) -> list[str]:
    """Never quotes the URL: it may hold a password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return ["SLUICE_REDIS_URL: cannot be read; percent-encode the password, and [ ] an IPv6"]
    odd = sorted(parse_qs(parts.query, keep_blank_values=True).keys() - _QUERY)
    if odd:
        return [f"SLUICE_REDIS_URL: takes no {', '.join(odd)} after the ?; known: db"]
    return []
