"""`sluice dead-letters discard`: for good, with a reason, and not by a slip of the finger."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli.acting import operator
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
    filter_,
    report,
)
from app.cli.reading import Json, with_store
from app.core.dead_letter import DeadLetterSummary
from app.store.audit import Audit
from app.store.connect import Store
from app.store.dead_letters import DeadLetters
from app.store.dead_letters.discarding import PAGE, discard_all


def discard(
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
    reason: Annotated[str, typer.Option(help="Why; the audit trail keeps it.")] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Take dead letters away for good. The ledger books them as discarded.

    Without --yes, their number has to be typed.
    """
    wanted = filter_(
        connection, failure, kind, code, event_id, mapping, older, newer,
        group=group, campaign=campaign, person=person, text=text, run=run,
        since=since, until=until,
    )  # fmt: skip
    letters = chosen(numbers, everything, wanted)
    if letters and not yes:
        _typed(len(letters))
    found = with_store(lambda redis: _discard(redis, letters, reason, quiet=as_json))
    report("discarded", found, len(letters), as_json)


def _typed(count: int) -> None:
    """Ends the command unless the count is typed. Raises typer.Abort."""
    answer = typer.prompt(f"type {count} to discard {count:,} dead letter(s) for good")
    if str(answer).replace(",", "").strip() != str(count):
        typer.echo("that is another number: nothing was discarded", err=True)
        raise typer.Abort


async def _discard(
    redis: Store, letters: list[DeadLetterSummary], reason: str, *, quiet: bool
) -> int:
    console = Console(stderr=True)
    silent = quiet or len(letters) <= PAGE or not console.is_terminal
    with Progress(console=console, transient=True, disable=silent) as bar:
        task = bar.add_task("discarding", total=len(letters))
        return await discard_all(
            DeadLetters(redis),
            letters,
            reason,
            partial(Audit(redis).record, operator()),
            lambda done: bar.update(task, completed=done),
        )
