"""Whom a token's claims make here: name and role."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from app.store.users import Role
from app.web.console.oidc.config import OidcConfig, OidcRefused


class Person(NamedTuple):
    """`sso`: tells apart whom the provider tells apart, whatever they are called; `role` None:
    nobody here."""

    name: str
    sso: str
    role: Role | None


def person_of(claims: Mapping[str, Any], config: OidcConfig) -> Person:
    """Raises OidcRefused when the claims name nobody."""
    name = _at(claims, config.name_claim)
    if not isinstance(name, str) or not name:
        raise OidcRefused(f"the provider gives no claim {config.name_claim}")
    if config.name_claim == "email" and claims.get("email_verified") is False:
        raise OidcRefused("the provider has not verified the e-mail address")
    said = f"{config.issuer}\0{claims['sub']}".encode()
    return Person(name.lower(), hashlib.sha256(said).hexdigest()[:32], _role(claims, config))


def _role(claims: Mapping[str, Any], config: OidcConfig) -> Role | None:
    """The highest of those that the claim's values stand for."""
    found = _at(claims, config.role_claim)
    values = found if isinstance(found, list) else [found]
    roles = [role for group, role in config.roles if group in values]
    return max(roles, key=list(Role).index) if roles else None


def _at(claims: Mapping[str, Any], path: str) -> Any:
    # A claim may have a dot in its own name, as namespaced ones have.
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
