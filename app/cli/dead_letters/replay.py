"""`sluice dead-letters replay`: single letters at once, a selection as a bulk replay."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.progress import track

from app.cli.acting import operator
from app.cli.dead_letters.bulk import bulk_replay
from app.cli.dead_letters.choosing import (
    All,
    Campaign,
    Class,
    Code,
    Connection,
    EventId,
    Fingerprint,
    Kind,
    Mapping,
    Newer,
    Numbers,
    Older,
    Person,
    Run,
    Since,
    Text,
    Until,
    Yes,
    chosen,
    confirm,
    filter_,
    report,
)
from app.cli.dead_letters.trying import SAMPLE, dry_run
from app.cli.reading import Json, with_store
from app.core.replay_run import DEFAULT_RATE, DEFAULT_STOP_AT, DEFAULT_STOP_LEAST, Orders
from app.store.audit import Audit
from app.store.connect import Store
from app.store.dead_letters import REPLAY_BATCH, DeadLetters, Filter

Rate = Annotated[float, typer.Option(min=0.1, max=100_000, help="At most so many events/s.")]
StopAt = Annotated[
    float,
    typer.Option(min=0, max=1, help="Stop when a larger share of those settled lately dies again."),
]
StopLeast = Annotated[int, typer.Option(min=1, help="Judge that share over at least so many.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Replay nothing; tell what would pass.")]
Sample = Annotated[int, typer.Option(min=1, help="How many of them a dry run tries.")]
Detach = Annotated[bool, typer.Option("--detach", help="Start it, and do not wait for it.")]


def replay(
    numbers: Numbers = None,
    everything: All = False,
    connection: Connection = None,
    failure: Class = None,
    kind: Kind = None,
    code: Code = None,
    event_id: EventId = None,
    mapping: Mapping = None,
    older: Older = None,
    newer: Newer = None,
    since: Since = None,
    until: Until = None,
    group: Fingerprint = None,
    campaign: Campaign = None,
    person: Person = None,
    text: Text = None,
    run: Run = None,
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
    wanted = filter_(
        connection, failure, kind, code, event_id, mapping, older, newer,
        group=group, campaign=campaign, person=person, text=text, run=run,
        since=since, until=until,
    )  # fmt: skip
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
    with_store(lambda redis: _record(redis, numbers))
    batches: list[str] = []
    pages = [letters[i : i + REPLAY_BATCH] for i in range(0, len(letters), REPLAY_BATCH)]
    for page in track(pages, "replaying", disable=as_json or len(pages) < 2, transient=True):
        batches += with_store(
            lambda redis, page=page: DeadLetters(redis).replay(  # type: ignore[misc]  # bound now
                [letter.number for letter in page], int(time.time() * 1000)
            )
        )
    replayed = sum(int(batch.split(":")[2]) for batch in batches)
    report("replayed", replayed, len(letters), as_json)


async def _record(redis: Store, numbers: list[int]) -> None:
    # The trail first, as with every act on dead letters.
    await Audit(redis).record(
        operator(), "dead-letters.replay", letters=len(numbers), numbers=numbers[:20]
    )
