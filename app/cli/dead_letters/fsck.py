"""`sluice dead-letters fsck`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from app.cli.acting import operator
from app.cli.dead_letters.tables import plain
from app.cli.reading import Json, echo_json, with_store
from app.cli.spinning import spinner
from app.store.audit import Audit
from app.store.connect import Store
from app.store.dead_letters.fsck import Finding, Fsck

# More lines than this say no more.
_LINES: Final = 1_000


def fsck(
    mend: Annotated[bool, typer.Option("--mend", help="Put right what is found.")] = False,
    as_json: Json = False,
) -> None:
    """Is the dead letter store whole? Exit 1 when something is wrong and was not mended."""
    found = with_store(lambda redis: _look(redis, mend, quiet=as_json))
    if as_json:
        echo_json([finding._asdict() for finding in found])
    else:
        for finding in found[:_LINES]:
            mended = "mended: " if finding.mended else ""
            said = f"{mended}{finding.what} {finding.where}: {finding.detail}"
            typer.echo(plain(said, 1_000))
        if len(found) > _LINES:
            typer.echo(f"... and {len(found) - _LINES} more; --json has them", err=True)
        typer.echo(_verdict(found), err=bool(found))
    if any(not finding.mended for finding in found):
        raise typer.Exit(1)


async def _look(redis: Store, mend: bool, *, quiet: bool) -> list[Finding]:
    with spinner("{task.description} {task.completed:,}", quiet=quiet) as bar:
        task = bar.add_task("", total=None)

        def tell(what: str, done: int) -> None:
            bar.update(task, description=what, completed=done)

        found = [finding async for finding in Fsck(redis, mend, tell).run()]
    if mended := sum(finding.mended for finding in found):
        await Audit(redis).record(operator(), "dead-letters.mended", findings=mended)
    return found


def _verdict(found: list[Finding]) -> str:
    if not found:
        return "the dead letter store is whole"
    left = sum(not finding.mended for finding in found)
    return f"{len(found)} found, {len(found) - left} mended"
