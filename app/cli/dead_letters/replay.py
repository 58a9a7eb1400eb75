"""`sluice dead-letters replay`: single letters at once, a selection as a bulk replay."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.dead_letters.bulk import bulk_replay
from app.cli.dead_letters.choosing import All, Numbers, Yes, chosen, confirm, progress, report
from app.cli.dead_letters.filters import takes_filters
from app.cli.dead_letters.trying import SAMPLE, dry_run
from app.cli.facing import with_face
from app.cli.reading import Json
from app.core.dead_letter import DeadLetterSummary
from app.core.replay_run import DEFAULT_RATE, DEFAULT_STOP_AT, DEFAULT_STOP_LEAST, Orders
from app.operations.face import Face
from app.store.dead_letters import Filter

Rate = Annotated[float, typer.Option(min=0.1, max=100_000, help="At most so many events/s.")]
StopAt = Annotated[
    float,
    typer.Option(min=0, max=1, help="Stop when a larger share of those settled lately dies again."),
]
StopLeast = Annotated[int, typer.Option(min=1, help="Judge that share over at least so many.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Replay nothing; tell what would pass.")]
Sample = Annotated[int, typer.Option(min=1, help="How many of them a dry run tries.")]
Detach = Annotated[bool, typer.Option("--detach", help="Start it, and do not wait for it.")]


@takes_filters()
def replay(
    numbers: Numbers = None,
    everything: All = False,
    *,
    wanted: Filter,
    rate: Rate = DEFAULT_RATE,
    stop_at: StopAt = DEFAULT_STOP_AT,
    stop_least: StopLeast = DEFAULT_STOP_LEAST,
    dry: DryRun = False,
    sample: Sample = SAMPLE,
    detach: Detach = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Put dead letters back on the queue, as if they had just been received.

    Numbers go at once. Filters make a bulk replay: what they find now is frozen, shown, and put on
    the queue by a worker, at a rate, until too many die again; `sluice replays` steers it.
    """
    if numbers and not dry:
        _at_once(numbers, everything, wanted, yes=yes, as_json=as_json)
    elif numbers:
        raise typer.BadParameter("--dry-run is for filters; `show` tells of a single letter")
    elif not everything and wanted == Filter():
        raise typer.BadParameter("say which: numbers, filters, or --all")
    elif dry:
        dry_run(wanted, sample, as_json=as_json)
    else:
        orders = Orders(rate, stop_at, stop_least)
        bulk_replay(wanted, orders, sure=yes, detach=detach, as_json=as_json)


def _at_once(
    numbers: list[int], everything: bool, wanted: Filter, *, yes: bool, as_json: bool
) -> None:
    letters = chosen(numbers, everything, wanted)
    confirm(f"replay {len(letters)} dead letter(s)?", yes or as_json or not letters)
    replayed = with_face(lambda face: _replay(face, letters, quiet=as_json))
    report("replayed", replayed, len(letters), as_json)


async def _replay(face: Face, letters: list[DeadLetterSummary], *, quiet: bool) -> int:
    done = 0
    with progress("replaying", len(letters), quiet=quiet) as bar:
        async for put in face.letters.replay([letter.number for letter in letters]):
            done += put
            bar(done)
    return done
