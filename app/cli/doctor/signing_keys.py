"""Signing keys: are they the right sort of thing, and each connection's own? Never shown."""

from __future__ import annotations

from collections import defaultdict

from app.cli.doctor.finding import Said, ok, warning
from app.cli.doctor.ground import Ground
from app.settings import Connection

# Customer.io's are 64 characters long; anybody may choose less in a test.
_SHORT = 16


async def shared(ground: Ground) -> list[Said]:
    """Customer.io gives every reporting webhook a key of its own."""
    users = defaultdict(set)
    for connection in ground.configured.connections.values():
        for key in connection.signing_keys:
            users[key].add(connection.name)
    found = [
        warning(
            f"{' and '.join(sorted(names))} have the same signing key: what is signed for one is "
            "believed for the other",
            "copy each key from its own reporting webhook's page in Customer.io",
        )
        for names in users.values()
        if len(names) > 1
    ]
    if len(ground.configured.connections) < 2:
        return []
    return found or [ok("no two connections have the same signing key")]


async def sound(_ground: Ground, connection: Connection) -> list[Said]:
    """Whether the keys look like what Customer.io shows."""
    keys = connection.signing_keys
    fix = "copy it again from the reporting webhook's page in Customer.io"
    found = []
    for at, key in enumerate(keys):
        if key != key.strip():
            found.append(warning(f"signing_keys[{at}] begins or ends with a blank", fix))
        elif len(key) < _SHORT:
            found.append(warning(f"signing_keys[{at}] has only {len(key)} characters", fix))
    if len(set(keys)) < len(keys):
        found.append(warning("one signing key is listed twice", "take one of them away"))
    return found or [ok(f"{len(keys)} signing key(s)")]
