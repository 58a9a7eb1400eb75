"""`sluice sandbox`: the sandbox Platform as a process of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import uvloop
import yaml
from aiohttp import web

from app.sandbox.config import Inlet, SandboxConfig, Workspace
from app.sandbox.defaults import (
    SCHEMA_DOCUMENT,
    TENANT,
    default_config,
    default_inlet,
    default_workspace,
)
from app.sandbox.server import make_app
from app.settings import environment, load_settings

Entry = TypeVar("Entry", Inlet, Workspace)


class Entries(StrEnum):
    """The two 207 shapes that the reference names, or both in turn."""

    STATUS_CODE = "statusCode"
    STATUS = "status"
    BOTH = "both"


class Lines(StrEnum):
    """The two keys under which a failed batch's lines carry their errors, or by kind of error."""

    BY_KIND = "byKind"
    ERRORS = "_errors"
    VALIDATION_ERRORS = "_validationErrors"


class Spelling(StrEnum):
    """The guide's and the API model's, or both in turn."""

    ACTIVITIES = "activities"
    ACTIVITES = "activites"
    BOTH = "both"


# Longer than others: one parameter an option.
def sandbox(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one.")] = None,
    inlets: Annotated[
        Path | None,
        typer.Option(help="YAML list of inlets; absent keys as in the example.", exists=True),
    ] = None,
    schema: Annotated[
        Path | None,
        typer.Option(help="JSON schema of the records; default: the example's.", exists=True),
    ] = None,
    entries: Annotated[
        Entries, typer.Option(help="Shape of the entries of a 207.")
    ] = Entries.STATUS_CODE,
    requests_per_second: Annotated[float, typer.Option(min=0.0, help="0: no limit.")] = 1_000.0,
    messages_per_second: Annotated[float, typer.Option(min=0.0, help="0: no limit.")] = 10_000.0,
    validation_delay: Annotated[
        float, typer.Option(min=0.0, help="Seconds until a bad record shows as failed.")
    ] = 2.0,
    keep: Annotated[int, typer.Option(min=0, help="Records kept whole.")] = 50_000,
    sink: Annotated[bool, typer.Option("--sink", help="Parse nothing, count, answer.")] = False,
    hour_seconds: Annotated[
        float, typer.Option(min=0.1, help="Real seconds of Platform's hour: a flow run for each.")
    ] = 3600.0,
    batch_minutes: Annotated[
        float, typer.Option(min=0.1, max=60.0, help="Of Platform's time, between two batches.")
    ] = 15.0,
    failed_lines: Annotated[
        Lines, typer.Option(help="Where a failed message's line has its errors.")
    ] = Lines.BY_KIND,
    activities: Annotated[
        Spelling, typer.Option(help="How a flow run spells its activities.")
    ] = Spelling.ACTIVITIES,
    keep_batches: Annotated[
        int, typer.Option(min=1, help="Micro-batches remembered; the oldest hour goes whole.")
    ] = 2_000,
    keep_failures: Annotated[
        int, typer.Option(min=0, help="Failed lines kept over all batches.")
    ] = 100_000,
    settle_seconds: Annotated[
        float, typer.Option(min=0.0, help="How long a new or changed flow loses its data.")
    ] = 300.0,
    patch_is_operation: Annotated[
        bool, typer.Option(help="Whether a PATCH of a flow shows as its lastOperation, too.")
    ] = True,
    schema_cache_seconds: Annotated[
        float, typer.Option(min=0.0, help="How long a changed schema is checked as it was.")
    ] = 0.0,
    time_factor: Annotated[
        float,
        typer.Option(min=0.001, help="How much faster Customer.io backs off; 3600: 1 h takes 1 s."),
    ] = 1.0,
    workspaces: Annotated[
        Path | None,
        typer.Option(help="YAML list of workspaces; absent keys as by default.", exists=True),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="A file that keeps what is set up for the next start; else forgotten."),
    ] = None,
) -> None:
    """Serve the sandbox Platform and Customer.io: IMS, collection endpoints, what is said of the
    data later (flow runs, failed batches and their files, counters), the control plane that sets a
    dataflow up; App API and reporting webhooks; faults on demand, readback. GET / lists its
    paths."""
    settings = load_settings(environment())
    if schema is None:
        schema = settings.config_dir / "schemas" / f"{SCHEMA_DOCUMENT}.json"
    config = replace(
        default_config(),
        schema=_schema_in(schema) if schema.is_file() else None,
        entry_style=entries.value,
        requests_per_second=requests_per_second or None,
        messages_per_second=messages_per_second or None,
        validation_delay_s=validation_delay,
        keep_records=keep,
        sink=sink,
        hour_seconds=hour_seconds,
        batch_minutes=batch_minutes,
        line_style=failed_lines.value,
        activities=activities.value,
        keep_batches=keep_batches,
        keep_failures=keep_failures,
        settle_seconds=settle_seconds,
        patch_is_operation=patch_is_operation,
        schema_cache_seconds=schema_cache_seconds,
        time_factor=time_factor,
    )
    if inlets is not None:
        config = replace(config, inlets=_inlets_in(inlets))
    if workspaces is not None:
        config = replace(config, workspaces=_workspaces_in(workspaces))
    port = settings.sandbox_port if port is None else port
    _serve(config, host or settings.sandbox_host, port, state)


def _serve(config: SandboxConfig, host: str, port: int, state: Path | None) -> None:
    try:
        # A hanging request must not hold up the end of the process for long.
        web.run_app(
            make_app(config, state=state),
            host=host,
            port=port,
            access_log=None,
            shutdown_timeout=2.0,
            loop=uvloop.new_event_loop(),
            print=lambda *_: typer.echo(_announcement(config, host, port), err=True),
        )
    except OSError as fault:
        raise typer.BadParameter(f"cannot listen at {host}:{port}: {fault.strerror}") from None


def _announcement(config: SandboxConfig, host: str, port: int) -> str:
    """Where it is, how long its hour lasts, and how much it remembers."""
    return (
        f"sandbox Platform at http://{host}:{port}: an hour lasts {config.hour_seconds:g} s; it "
        f"remembers {config.keep_batches} micro-batches and {config.keep_failures} failed lines"
    )


def _inlets_in(path: Path) -> tuple[Inlet, ...]:
    found = _listed_in(path, "inlets", default_inlet())
    if wrong := [inlet.mode for inlet in found if inlet.mode not in ("xdm", "raw")]:
        raise typer.BadParameter(f"{path}: mode is {wrong[0]}, wanted xdm or raw")
    return found


def _workspaces_in(path: Path) -> tuple[Workspace, ...]:
    listed = _listed_in(path, "workspaces", default_workspace())
    if any(not isinstance(workspace.app_keys, (list, tuple)) for workspace in listed):
        raise typer.BadParameter(f"{path}: app_keys is a list of keys")
    found = [replace(workspace, app_keys=tuple(workspace.app_keys)) for workspace in listed]
    if wrong := [workspace.region for workspace in found if workspace.region not in ("us", "eu")]:
        raise typer.BadParameter(f"{path}: region is {wrong[0]}, wanted us or eu")
    if len({workspace.name for workspace in found}) < len(found):
        raise typer.BadParameter(f"{path}: two workspaces have the same name")
    keys = [key for workspace in found for key in workspace.app_keys]
    if len(set(keys)) < len(keys):
        raise typer.BadParameter(f"{path}: an App API key opens one workspace; two have the same")
    return tuple(found)


def _listed_in(path: Path, what: str, default: Entry) -> tuple[Entry, ...]:
    """The YAML list in `path`; what an entry does not say is as in `default`."""
    listed: Any = yaml.safe_load(path.read_text("utf-8"))
    if not isinstance(listed, list) or not listed:
        raise typer.BadParameter(f"{path}: wanted a list of {what}, each a mapping")
    try:
        return tuple(replace(default, **given) for given in listed)
    except TypeError as fault:
        raise typer.BadParameter(f"{path}: {fault}") from None


def _schema_in(path: Path) -> dict[str, Any]:
    """The schema in `path`, with the sandbox's tenant in the place of `{TENANT}`."""
    try:
        schema = json.loads(path.read_text("utf-8").replace("{TENANT}", TENANT))
    except ValueError as fault:
        raise typer.BadParameter(f"{path} is no JSON: {fault}") from None
    if not isinstance(schema, dict):
        raise typer.BadParameter(f"{path}: wanted a JSON schema, an object")
    return schema
