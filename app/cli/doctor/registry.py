"""All checks, in the order of the page. A new one is a function and a line here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from app.cli.doctor import (
    backlog,
    console,
    credentials,
    dead_letters,
    flow,
    inlet,
    lake,
    lane,
    mapping,
    objects,
    processes,
    receiver,
    schema_parts,
    server,
    signatures,
    signing_keys,
    storage,
    webhook,
)
from app.cli.doctor.finding import Said
from app.cli.doctor.ground import Ground
from app.settings import Connection

General = Callable[[Ground], Awaitable[list[Said]]]
OfConnection = Callable[[Ground, Connection], Awaitable[list[Said]]]


class Check(NamedTuple):
    """`redis`: it asks Redis, and says nothing while that is away."""

    name: str
    subject: str
    look: General
    redis: bool = True


class ConnectionCheck(NamedTuple):
    """The same, for each connection."""

    name: str
    look: OfConnection
    redis: bool = False


GENERAL: Final = (
    Check("safety", "redis", server.safety),
    Check("memory", "redis", server.memory),
    Check("volume", "redis", server.volume),
    Check("writes", "redis", server.writes),
    Check("clock", "redis", server.clock),
    Check("secret files", "files", storage.secret_files, redis=False),
    Check("disk", "files", storage.disk, redis=False),
    Check("archive", "files", storage.archive, redis=False),
    Check("same key", "files", signing_keys.shared, redis=False),
    Check("receiver", "processes", processes.receivers),
    Check("worker", "processes", processes.workers),
    Check("console users", "console", console.users),
    Check("unknown connections", "queue", backlog.unknown),
    Check("overdue", "queue", backlog.overdue),
)

OF_CONNECTION: Final = (
    ConnectionCheck("signing key", signing_keys.sound),
    ConnectionCheck("signatures", signatures.refused, redis=True),
    ConnectionCheck("public address", receiver.public),
    ConnectionCheck("lane", lane.state, redis=True),
    ConnectionCheck("backlog", backlog.age, redis=True),
    ConnectionCheck("dead letters", dead_letters.growing, redis=True),
    ConnectionCheck("lake", lake.landed, redis=True),
    ConnectionCheck("inlet", inlet.answers),
    ConnectionCheck("token", credentials.token),
    ConnectionCheck("role", credentials.role),
    ConnectionCheck("tenant", objects.tenant),
    ConnectionCheck("schema", objects.schema),
    ConnectionCheck("field groups", schema_parts.field_groups),
    ConnectionCheck("descriptors", schema_parts.descriptors),
    ConnectionCheck("dataset", objects.dataset),
    ConnectionCheck("source connection", objects.source),
    ConnectionCheck("target connection", objects.target),
    ConnectionCheck("mapping set", mapping.mapping),
    ConnectionCheck("identity namespaces", objects.namespaces),
    ConnectionCheck("flow", flow.state),
    ConnectionCheck("flow's inlet", flow.inlet),
    ConnectionCheck("apply", flow.applied),
    ConnectionCheck("webhook", webhook.webhook),
    ConnectionCheck("sources", webhook.sources),
)
