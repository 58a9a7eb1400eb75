"""`sluice dead-letters discard`: for good, with a reason, and not by a slip of the finger."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.dead_letters.choosing import All, Numbers, Yes, chosen, progress, report
from app.cli.dead_letters.filters import takes_filters
from app.cli.facing import with_face
from app.cli.reading import Json
from app.core.dead_letter import DeadLetterSummary
from app.operations.face import Face
from app.store.dead_letters import Filter


@takes_filters()
def discard(
    numbers: Numbers = None,
    everything: All = False,
    *,
    wanted: Filter,
    reason: Annotated[str, typer.Option(help="Why; the audit trail keeps it.")] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Take dead letters away for good. The ledger books them as discarded.

    Without --yes, their number has to be typed.
    """
    letters = chosen(numbers, everything, wanted)
    if letters and not yes:
        _typed(len(letters))
    found = with_face(lambda face: _discard(face, letters, reason, quiet=as_json))
    report("discarded", found, len(letters), as_json)


def _typed(count: int) -> None:
    """Ends the command unless the count is typed. Raises typer.Abort."""
    answer = typer.prompt(f"type {count} to discard {count:,} dead letter(s) for good")
    if str(answer).replace(",", "").strip() != str(count):
        typer.echo("that is another number: nothing was discarded", err=True)
        raise typer.Abort


async def _discard(
    face: Face, letters: list[DeadLetterSummary], reason: str, *, quiet: bool
) -> int:
    found = 0
    with progress("discarding", len(letters), quiet=quiet) as bar:
        async for gone in face.letters.discard(letters, reason):
            found += gone
            bar(found)
    return found
