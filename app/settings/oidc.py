"""What is said of an OpenID provider in the environment: read, and held against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from app.settings.parts.console import ConsoleSettings

ROLES: Final = ("viewer", "operator", "admin")
LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def roles_in(value: Any) -> Any:
    """`group=role; group=role`: a group may have a comma or `=` in it, as LDAP's do."""
    if not isinstance(value, str):
        return value
    found: list[tuple[str, str]] = []
    for part in filter(None, (each.strip() for each in value.split(";"))):
        group, _, role = part.rpartition("=")
        if not group.strip() or role.strip() not in ROLES:
            raise ValueError(f"write GROUP=ROLE; GROUP=ROLE, a role is one of {', '.join(ROLES)}")
        found.append((group.strip(), role.strip()))
    return tuple(found)


def oidc_faults(settings: ConsoleSettings) -> list[str]:
    """What does not go together, each naming a variable."""
    if settings.oidc_issuer is None:
        return []
    found = [
        f"SLUICE_{name}: missing; log-ins through SLUICE_OIDC_ISSUER need it"
        for name, value in (
            ("OIDC_CLIENT_ID", settings.oidc_client_id),
            ("OIDC_ROLES", settings.oidc_roles),
            ("CONSOLE_URL", settings.console_url),
        )
        if not value
    ]
    issuer = urlsplit(settings.oidc_issuer)
    if issuer.scheme == "http" and issuer.hostname not in LOOPBACK:
        found.append("SLUICE_OIDC_ISSUER: use https://: who can change its answers can be anybody")
    return found
