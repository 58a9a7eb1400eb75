"""`sluice doctor`, `sluice check-config`: is everything as it must be? Each fault with its fix."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from textwrap import indent
from typing import Annotated, NamedTuple

import typer

from app.cli.reading import moment
from app.core.errors import ConfigError, StoreUnavailable
from app.settings import Connection, Settings, environment, load_all
from app.settings.mapping_files import MappingFiles, check_files, read_mapping_files
from app.store.connect import Store, open_store, require_safe
from app.store.standing import told

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


class Finding(NamedTuple):
    """One thing looked at. `level`: ok, warning or fault; `pointed`: the text at fault and, under
    it, a caret."""

    level: str
    subject: str
    text: str
    pointed: str = ""


def check_config(as_json: Json = False) -> None:
    """Are settings, connections, mapping sets and schemas right? Calls nobody."""
    _, _, found = _configuration()
    _answer(found, as_json)


def doctor(as_json: Json = False) -> None:
    """Check the configuration, and that Redis may be trusted with events."""
    settings, connections, found = _configuration()
    if settings is not None:
        found += _archive(settings)
        found += asyncio.run(_redis(settings, connections))
    _answer(found, as_json)


def _configuration() -> tuple[Settings | None, dict[str, Connection], list[Finding]]:
    try:
        settings, connections = load_all(environment())
    except ConfigError as error:
        return None, {}, [Finding("fault", "config", fault) for fault in error.faults]
    found = [Finding("ok", "config", f"settings and {len(connections)} connection(s) are complete")]
    for connection in connections.values():
        found += _documents(connection)
    # Connections that share a set and its variables have the same to say.
    return settings, connections, list(dict.fromkeys(found))


def _documents(connection: Connection) -> list[Finding]:
    """Whether a worker would start with what a connection names; it checks the same."""
    path = connection.mapping_path
    if path is None or connection.platform.mode == "raw":
        return []
    try:
        files = read_mapping_files(path, connection.schema_path)
    except OSError as error:
        fault = f"{error.filename}: cannot be read: {error.strerror}"
        return [Finding("fault", str(path), fault)]
    report = check_files(files, connection.mapping_variables)
    if report.problems or report.mapping_set is None:
        return [
            Finding("fault", str(path), str(problem), problem.pointed())
            for problem in report.problems
        ]
    text = f"{report.mapping_set.label}: {len(report.mapping_set.rows)} rows"
    return [Finding("ok", str(path), f"{text}, {_checks(files)}")]


def _checks(files: MappingFiles) -> str:
    schema = "fits its schema" if files.schema else "no schema to check records against"
    return f"{schema}, {'examples pass' if files.examples else 'no examples'}"


def _archive(settings: Settings) -> list[Finding]:
    """Personal data on a disk is never kept in silence."""
    if not settings.archive_days:
        return []
    text = (
        f"delivered bodies, with personal data in them, are kept for {settings.archive_days:g} "
        f"days and {settings.archive_max_bytes:,} bytes in {settings.data_dir / 'archive'}"
    )
    return [Finding("ok", "archive", text)]


async def _redis(settings: Settings, connections: Mapping[str, Connection]) -> list[Finding]:
    redis = open_store(settings.redis, timeout_seconds=5)
    try:
        warnings = await require_safe(redis, settings.redis_wait_replicas)
        lake = await _lake(redis, connections)
    except StoreUnavailable as error:
        hint = "; is it running, and SLUICE_REDIS_URL right?" if error.reason == "away" else ""
        return [Finding("fault", "redis", f"{error}{hint}")]
    except ConfigError as error:
        return [Finding("fault", "redis", fault) for fault in error.faults]
    finally:
        await redis.aclose()
    return [
        *[Finding("warning", "redis", text) for text in warnings],
        *([] if warnings else [Finding("ok", "redis", "keeps what it is given")]),
        *lake,
    ]


async def _lake(redis: Store, connections: Mapping[str, Connection]) -> list[Finding]:
    """Whether Platform can be asked what landed, as the workers found."""
    found = []
    for name, each in (await told(redis, list(connections), connections)).items():
        seen_ms = each.standing.seen_ms
        text = f"Platform was asked what landed, last at {moment(seen_ms)} UTC"
        # Without credentials, or before the first look, nothing is wrong.
        troubled = connections[name].reconciles and each.standing.looked and each.remarks
        remarks = [remark.removeprefix(f"{name}: ") for remark in each.remarks]
        level = "warning" if troubled else "ok"
        found += [Finding(level, f"connection {name}", remark) for remark in remarks or [text]]
    return found


def _answer(found: list[Finding], as_json: bool) -> None:
    """Prints the findings and exits: 0, or 1 with a fault among them."""
    if as_json:
        typer.echo(json.dumps([each._asdict() for each in found]))
    else:
        for each in found:
            typer.echo(f"{each.level:<8} {each.subject}: {each.text}")
            if each.pointed:
                typer.echo(indent(each.pointed, " " * 9))
    raise typer.Exit(1 if any(each.level == "fault" for each in found) else 0)
