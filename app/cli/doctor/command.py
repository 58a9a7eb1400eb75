"""`sluice doctor` and `sluice check-config`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from app.cli.doctor import configuration
from app.cli.doctor.examining import LIMIT_SECONDS, examine
from app.cli.doctor.finding import Finding, Level
from app.cli.doctor.ground import Configured, configured, opened
from app.cli.doctor.page import document, show
from app.cli.reading import Json, echo_json
from app.core.errors import ConfigError
from app.settings import environment
from app.settings.faults import close_match


def check_config(as_json: Json = False) -> None:
    """Are settings, connections, setups, mapping sets and schemas right? Calls nobody."""
    _answer(configuration.findings(configured(environment())), as_json)


def doctor(
    connection: Annotated[
        str | None, typer.Option(help="Look at this connection only, beside what all share.")
    ] = None,
    limit: Annotated[
        float, typer.Option(min=0.1, help="Seconds that each check may take.")
    ] = LIMIT_SECONDS,
    as_json: Json = False,
) -> None:
    """Is everything as it must be? Configuration, Redis, receiver, workers, Platform, Customer.io:
    each with its fix. Exits 1 when a check failed."""
    found = configured(environment())
    if connection is not None and not _is_known(found, connection):
        known = found.connections
        raise ConfigError(
            [f"there is no connection {connection!r}{close_match(connection, known)}"]
        )
    findings = configuration.findings(found)
    if found.settings is not None:
        findings += asyncio.run(_asked(found, connection, limit))
    _answer(findings, as_json)


def _is_known(found: Configured, name: str) -> bool:
    # With faults it may be among those that cannot be read, which are said.
    return name in found.connections or bool(found.faults)


async def _asked(found: Configured, only: str | None, limit: float) -> list[Finding]:
    chosen = {n: each for n, each in found.connections.items() if only in (None, n)}
    async with opened(found, chosen) as ground:
        return await examine(ground, limit)


def _answer(found: Sequence[Finding], as_json: bool) -> None:
    """Prints the findings and exits: 0, or 1 with a failed one among them."""
    if as_json:
        echo_json(document(found))
    else:
        show(found)
    raise typer.Exit(1 if any(each.level is Level.FAILED for each in found) else 0)
