"""`sluice healthy`: for a container's health check. Exit 0 when the role here does its work."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from app.cli.up.role import Role, roles
from app.settings import environment, load_settings


def healthy(
    role: Annotated[
        str | None,
        typer.Argument(help="receiver, worker, console, sandbox; default: whichever is here."),
    ] = None,
) -> None:
    """Is the receiver, worker, console or sandbox of this machine or container well?"""
    settings = load_settings(environment())
    # A role without a port cannot be asked, so it is nobody's proof.
    known = [each for each in roles(settings, own_redis=False) if each.port]
    asked = [each for each in known if role in (None, each.name)]
    if not asked:
        typer.echo(f"no role {role}; known: {', '.join(each.name for each in known)}", err=True)
        raise typer.Exit(2)
    well = asyncio.run(_well(asked))
    typer.echo(f"{', '.join(well)}: well" if well else "nobody answers as it should")
    raise typer.Exit(0 if well else 1)


async def _well(asked: list[Role]) -> list[str]:
    answers = await asyncio.gather(*(each.is_ready() for each in asked))
    return [each.name for each, ready in zip(asked, answers, strict=True) if ready]
