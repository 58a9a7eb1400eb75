"""What is said of an OpenID provider, and how it says no."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.store.users import Role


@dataclass(frozen=True, slots=True)
class OidcConfig:
    """`issuer`: as the provider calls itself; `back_url`: where it sends browsers back;
    `role_claim`: `a.b` is b in a; `roles`: which value of it makes which role."""

    issuer: str
    client_id: str
    back_url: str
    roles: tuple[tuple[str, Role], ...]
    client_secret: str | None = field(default=None, repr=False)
    scopes: str = "openid profile email"
    name_claim: str = "email"
    role_claim: str = "groups"


class OidcRefused(Exception):
    """A log-in that cannot be; why, for the page and the log: it holds no token, and nothing of
    the person."""


class ProviderUnavailable(OidcRefused):
    """The provider cannot be asked now."""
