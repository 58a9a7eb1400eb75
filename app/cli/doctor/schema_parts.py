"""What the schema is made of: field groups with the file's fields, identity descriptors."""

from __future__ import annotations

from typing import Any, Final

import orjson

from app.adobe.schema_registry import Descriptor, Resource, SchemaRegistry
from app.cli.doctor.credentials import platform_of
from app.cli.doctor.finding import NotAsked, Said, failed, ok, warning
from app.cli.doctor.ground import Ground
from app.cli.doctor.objects import schema_of, tutorial_of
from app.connect.schema_bodies import clashing_fields, missing_fields, tenant_fields
from app.connect.tutorial import tutorial_fields
from app.settings import Connection

_SHOWN: Final = 5


async def field_groups(ground: Ground, connection: Connection) -> list[Said]:
    """Whether the tenant's own are there, and the schema has every field that records may have:
    one that it lacks refuses the whole record (platform.md section 7, point 6)."""
    schema, registry = await _schema(ground, connection)
    titles = []
    # Adobe's own are not looked at: nobody can take them away.
    for group_id in [ref for ref in schema.refs if f"/{connection.tenant}/" in ref]:
        group = await registry.resource("fieldgroups", group_id)
        if group is None:
            text = f"the schema {schema.title} names the field group {group_id}, which is not there"
            return [failed(text, f"sluice connection apply {connection.name}")]
        titles.append(group.title)
    full = await registry.full_schema(schema.id) or {}
    said = _fields(ground, connection, full.get("properties") or {})
    return said or [ok(f"{', '.join(titles) or 'none of the tenant'}, with every field")]


async def descriptors(ground: Ground, connection: Connection) -> list[Said]:
    """Whether the setup's are there, and no primary one beside them."""
    schema, registry = await _schema(ground, connection)
    there = {each.path: each for each in await registry.descriptors(schema.id)}
    setup = ground.configured.setups.get(connection.name)
    said: list[Said] = []
    wanted = {}
    for each in setup.platform.descriptors if setup else ():
        path = each.path.replace("{TENANT}", connection.tenant)
        wanted[path] = Descriptor("", schema.id, path, each.namespace, each.primary)
        said += _descriptor(connection, wanted[path], there.get(path))
    for path, found in there.items():
        if found.primary and path not in wanted:
            text = f"{path} is a primary identity: events without it are refused"
            said.append(warning(text, "delete the descriptor in Platform, identityMap does it"))
    return said or [ok(f"all {len(wanted)} that are wanted" if wanted else "none is wanted")]


def _descriptor(connection: Connection, wanted: Descriptor, found: Descriptor | None) -> list[Said]:
    if found is None:
        text = f"{wanted.path} has no identity descriptor of {wanted.namespace}"
        return [failed(text, f"sluice connection apply {connection.name}")]
    if (found.namespace, found.primary) == (wanted.namespace, wanted.primary):
        return []
    text = f"{wanted.path} is {_told(found)}, and the setup says {_told(wanted)}"
    return [warning(text, "change the setup, or the descriptor in Platform")]


def _told(descriptor: Descriptor) -> str:
    return f"{'primary, ' if descriptor.primary else ''}{descriptor.namespace}"


def _fields(ground: Ground, connection: Connection, have: dict[str, Any]) -> list[Said]:
    """Fields that Platform's schema lacks, or has as another type."""
    try:
        wanted = _wanted_fields(ground, connection)
    except (OSError, orjson.JSONDecodeError) as fault:
        return [failed(f"{connection.schema_path}: {fault}", "mend it, or put it back")]
    lacking = [
        pointer.replace("/properties", "").strip("/").replace("/", ".")
        for pointer, _ in missing_fields(wanted, have)
    ]
    if lacking:
        by_us = connection.name in ground.configured.setups
        add = f"sluice connection update {connection.name}" if by_us else "add them in Platform"
        fix = f"{add}, or take them out of config/schemas"
        text = f"Platform's schema lacks {_some(lacking)}: records with it are refused"
        return [failed(text, fix)]
    other = [f"{path} is {is_}, not {said}" for path, is_, said in clashing_fields(wanted, have)]
    if other:
        return [failed(f"in Platform's schema {_some(other)}", "make the file say the same")]
    return []


def _wanted_fields(ground: Ground, connection: Connection) -> dict[str, Any]:
    """The tenant's, as the file has them; {} when nobody says. Raises OSError, JSONDecodeError."""
    if tutorial := tutorial_of(ground, connection):
        return tutorial_fields(tutorial, connection.tenant)
    if connection.schema_path is None or _maps_elsewhere(ground, connection):
        return {}
    document = orjson.loads(connection.schema_path.read_bytes())
    return tenant_fields(document, connection.tenant)


def _maps_elsewhere(ground: Ground, connection: Connection) -> bool:
    """A dataflow that a person made, and that maps, writes what that person's set says."""
    return connection.platform.mode == "raw" and connection.name not in ground.configured.setups


async def _schema(ground: Ground, connection: Connection) -> tuple[Resource, SchemaRegistry]:
    client, found = await platform_of(ground, connection), await schema_of(ground, connection)
    if found is None:
        raise NotAsked("there is no such schema, see `schema`")
    return found, SchemaRegistry(client)


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more
