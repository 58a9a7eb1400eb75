"""`sluice doctor`, `sluice check-config`: is everything as it must be? Each fault with its fix."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, NamedTuple

import orjson
import typer

from app.core.dataprep import compile_mapping_set
from app.core.errors import ConfigError, MappingSetInvalid, StoreUnavailable
from app.core.xdm import compile_schema, fill_schema
from app.settings import Connection, Settings, environment, load_all
from app.store.connect import open_store, require_safe

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


class Finding(NamedTuple):
    """One thing looked at. `level`: ok, warning or fault."""

    level: str
    subject: str
    text: str


def check_config(as_json: Json = False) -> None:
    """Are settings, connections, mapping sets and schemas right? Calls nobody."""
    _, _, found = _configuration()
    _answer(found, as_json)


def doctor(as_json: Json = False) -> None:
    """Check the configuration, and that Redis may be trusted with events."""
    settings, _, found = _configuration()
    if settings is not None:
        found += asyncio.run(_redis(settings))
    _answer(found, as_json)


def _configuration() -> tuple[Settings | None, dict[str, Connection], list[Finding]]:
    try:
        settings, connections = load_all(environment())
    except ConfigError as error:
        return None, {}, [Finding("fault", "config", fault) for fault in error.faults]
    found = [Finding("ok", "config", f"settings and {len(connections)} connection(s) are complete")]
    for connection in connections.values():
        found += _documents(connection)
    return settings, connections, found


def _documents(connection: Connection) -> list[Finding]:
    """Whether what a connection names can be used."""
    found = []
    mapping, schema = connection.mapping_path, connection.schema_path
    try:
        if mapping is not None and connection.platform.mode == "xdm":
            compiled = compile_mapping_set(
                orjson.loads(mapping.read_bytes()), connection.mapping_variables
            )
            found.append(Finding("ok", str(mapping), f"{len(compiled.rows)} rows"))
    except MappingSetInvalid as error:
        found += [Finding("fault", str(mapping), fault) for fault in error.faults]
    except (OSError, orjson.JSONDecodeError) as error:
        found.append(Finding("fault", str(mapping), f"cannot be read: {error}"))
    try:
        if schema is not None:
            document = orjson.loads(schema.read_bytes())
            compile_schema(fill_schema(document, connection.mapping_variables))
            found.append(Finding("ok", str(schema), "compiles"))
    except (OSError, ValueError) as error:
        found.append(Finding("fault", str(schema), f"is no usable JSON schema: {error}"))
    return found


async def _redis(settings: Settings) -> list[Finding]:
    redis = open_store(settings.redis_url, timeout_seconds=5)
    try:
        warnings = await require_safe(redis)
    except StoreUnavailable as error:
        return [Finding("fault", "redis", f"{error}; is it running, and SLUICE_REDIS_URL right?")]
    except ConfigError as error:
        return [Finding("fault", "redis", fault) for fault in error.faults]
    finally:
        await redis.aclose()
    return [Finding("warning", "redis", text) for text in warnings] or [
        Finding("ok", "redis", "keeps what it is given")
    ]


def _answer(found: list[Finding], as_json: bool) -> None:
    """Prints the findings and exits: 0, or 1 with a fault among them."""
    if as_json:
        typer.echo(json.dumps([each._asdict() for each in found]))
    else:
        for each in found:
            typer.echo(f"{each.level:<8} {each.subject}: {each.text}")
    raise typer.Exit(1 if any(each.level == "fault" for each in found) else 0)
