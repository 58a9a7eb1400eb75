"""`sluice dead-letters`: list, show, replay, discard."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from itertools import islice
from typing import Annotated, Any

import typer
from rich.progress import track

from app.cli.reading import Json, age_ms, echo_json, echo_table, moment, visible, with_store
from app.core.dead_letter import DeadLetter, DeadLetterSummary
from app.store.connect import Store
from app.store.dead_letters import REPLAY_BATCH, DeadLetters, Filter

dead_letters = typer.Typer(
    help="Events that need a person.", no_args_is_help=True, pretty_exceptions_enable=False
)

Connection = Annotated[str | None, typer.Option(help="Only this connection.")]
Class = Annotated[str | None, typer.Option("--class", help="Only this class, e.g. contract.")]
Kind = Annotated[str | None, typer.Option(help="Only this kind, e.g. email.clicked.")]
Code = Annotated[str | None, typer.Option(help="Only this error code.")]
EventId = Annotated[str | None, typer.Option(help="Only this event.")]
Mapping = Annotated[
    str | None,
    typer.Option(help="Only what this mapping set made: NAME, NAME@VERSION, or a whole label."),
]
Older = Annotated[str | None, typer.Option(help="Died longer ago than: 90s, 15m, 2h, 7d.")]
Newer = Annotated[str | None, typer.Option(help="Died within the last: 90s, 15m, 2h, 7d.")]
Numbers = Annotated[list[int] | None, typer.Argument(help="Numbers, from `list`.")]
All = Annotated[bool, typer.Option("--all", help="Everything that the filters let through.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@dead_letters.command("list")
def list_(
    connection: Connection = None,
    failure: Class = None,
    kind: Kind = None,
    code: Code = None,
    event_id: EventId = None,
    mapping: Mapping = None,
    older: Older = None,
    newer: Newer = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """Dead letters, newest first."""
    wanted = _filter(connection, failure, kind, code, event_id, mapping, older, newer)
    # One more than is shown tells whether there are more.
    found = with_store(lambda redis: _find(redis, wanted, limit + 1))
    shown, more = found[:limit], len(found) > limit
    if as_json:
        echo_json([asdict(letter) for letter in shown])
        return
    echo_table(
        (">number", "died (UTC)", "connection", "class", "code", "kind", "path", "event",
         "mapping"),
        (
            (x.number, moment(x.dead_ms), x.connection, x.failure, x.code, x.kind or "-",
             x.path or "-", x.event_id or "-", x.mapping or "-")
            for x in shown
        ),
    )  # fmt: skip
    if more:
        typer.echo(f"... and more: --limit {limit * 10}, or a filter", err=True)
    elif not shown:
        typer.echo("no dead letters", err=True)


@dead_letters.command()
def show(number: int, as_json: Json = False) -> None:
    """One dead letter, whole: body, record, every attempt. It may hold personal data."""
    letters = with_store(lambda redis: DeadLetters(redis).get([number]))
    if not letters:
        typer.echo(f"there is no dead letter {number}", err=True)
        raise typer.Exit(1)
    document = _document(letters[0])
    if as_json:
        echo_json(document)
        return
    summary = letters[0].summary
    for name, value in asdict(summary).items():
        shown = f"{moment(value)} UTC" if name.endswith("_ms") else value
        typer.echo(f"{name.removesuffix('_ms'):<12} {visible(str(shown))}")
    for attempt in document["attempts"]:
        typer.echo(
            f"{'attempt':<12} {attempt['times']} x {attempt['failure'] or 'delivered'} "
            f"{attempt['status'] or ''} {attempt['code']} {visible(attempt['message'])}, last at "
            f"{moment(attempt['last_ms'])} UTC {attempt['receipt']}"
        )
    if letters[0].body or letters[0].record is None:
        typer.echo("body")
        typer.echo(_readable(letters[0].body))
    else:
        typer.echo("no body is left; a replay sends the record as it is")
    if letters[0].record is not None:
        typer.echo("record")
        typer.echo(_readable(letters[0].record))


@dead_letters.command()
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
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Put dead letters back on the queue, as if they had just been received."""
    wanted = _filter(connection, failure, kind, code, event_id, mapping, older, newer)
    chosen = _chosen(numbers, everything, wanted)
    _confirm(f"replay {len(chosen)} dead letter(s)?", yes or as_json or not chosen)
    batches: list[str] = []
    pages = [chosen[i : i + REPLAY_BATCH] for i in range(0, len(chosen), REPLAY_BATCH)]
    for page in track(pages, "replaying", disable=as_json or len(pages) < 2, transient=True):
        batches += with_store(
            lambda redis, page=page: DeadLetters(redis).replay(  # type: ignore[misc]  # bound now
                [letter.number for letter in page], int(time.time() * 1000)
            )
        )
    replayed = sum(int(batch.split(":")[2]) for batch in batches)
    _report("replayed", replayed, len(chosen), as_json)


@dead_letters.command()
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
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Take dead letters away for good. The ledger books them as discarded."""
    wanted = _filter(connection, failure, kind, code, event_id, mapping, older, newer)
    chosen = _chosen(numbers, everything, wanted)
    _confirm(f"discard {len(chosen)} dead letter(s) for good?", yes or not chosen)
    found = with_store(lambda redis: DeadLetters(redis).discard(chosen)) if chosen else 0
    _report("discarded", found, len(chosen), as_json)


def _filter(
    connection: str | None,
    failure: str | None,
    kind: str | None,
    code: str | None,
    event_id: str | None,
    mapping: str | None,
    older: str | None,
    newer: str | None,
) -> Filter:
    now_ms = int(time.time() * 1000)
    before, after = age_ms(older, "--older"), age_ms(newer, "--newer")
    return Filter(
        connection=connection,
        failure=failure,
        kind=kind,
        code=code,
        event_id=event_id,
        mapping=mapping,
        died_before_ms=None if before is None else now_ms - before,
        died_after_ms=None if after is None else now_ms - after,
    )


async def _find(redis: Store, wanted: Filter, limit: int | None) -> list[DeadLetterSummary]:
    found: list[DeadLetterSummary] = []
    async for letter in DeadLetters(redis).find(wanted):
        found.append(letter)
        if limit is not None and len(found) >= limit:
            break
    return found


def _chosen(numbers: list[int] | None, everything: bool, wanted: Filter) -> list[DeadLetterSummary]:
    """The letters meant by numbers, or by filters. Raises typer.BadParameter when neither is."""
    if numbers:
        if everything or wanted != Filter():
            raise typer.BadParameter("give either numbers or filters, not both")
        letters = with_store(lambda redis: DeadLetters(redis).get(numbers))
        missing = sorted(set(numbers) - {letter.summary.number for letter in letters})
        if missing:
            some = ", ".join(map(str, islice(missing, 10)))
            typer.echo(f"there is no dead letter {some}", err=True)
            raise typer.Exit(1)
        return [letter.summary for letter in letters]
    if not everything and wanted == Filter():
        raise typer.BadParameter("say which: numbers, filters, or --all")
    return with_store(lambda redis: _find(redis, wanted, None))


def _confirm(question: str, sure: bool) -> None:
    if not sure:
        typer.confirm(question, abort=True)


def _report(done: str, found: int, wanted: int, as_json: bool) -> None:
    if as_json:
        echo_json({done: found, "chosen": wanted})
    else:
        typer.echo(f"{done} {found} of {wanted}")


def _document(letter: DeadLetter) -> dict[str, Any]:
    return {
        **asdict(letter.summary),
        "attempts": [run._asdict() for run in letter.history],
        "body": letter.body.decode("utf-8", "backslashreplace"),
        "record": json.loads(letter.record) if letter.record else None,
    }


def _readable(content: bytes) -> str:
    try:
        text = json.dumps(json.loads(content), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):  # no JSON, or a hundred thousand brackets
        text = content.decode("utf-8", "backslashreplace")
    return visible(text, keep="\n\t")
