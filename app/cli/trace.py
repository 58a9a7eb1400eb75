"""`sluice trace EVENT_ID`: what is known about one event, from receipt to Platform's answer."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.cli.facing import with_face
from app.cli.reading import Json, echo_json, moment
from app.core.event import SEND_TEST_EVENT_ID
from app.core.outcome import Verdict


def trace(
    event_id: Annotated[str, typer.Argument(help="The event's `event_id` (in Platform: `_id`).")],
    connection: Annotated[str | None, typer.Option(help="Only this connection.")] = None,
    timestamp: Annotated[
        int, typer.Option(help="The event's timestamp; needed for ids that are no ULIDs.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """What is known about one event. Exit 1 when nothing is."""
    found = with_face(lambda face: face.books.trace(event_id, connection, timestamp))
    if as_json:
        echo_json(found)
    else:
        for each in found:
            _tell(each)
    if not found:
        typer.echo(_nothing(event_id), err=True)
        raise typer.Exit(1)


def _nothing(event_id: str) -> str:
    if event_id == SEND_TEST_EVENT_ID:
        return (
            "This is the id of Customer.io's Send Test. Tests are counted, never delivered and "
            "not traced: `sluice ledger` says when the last one came."
        )
    return f"Nothing is known of {event_id}: not received, or longer ago than the claim window."


def _tell(trace: dict[str, Any]) -> None:
    claimed = trace["claimed_by_batch"] or "-"
    typer.echo(f"connection {trace['connection']}, claimed by batch {claimed}")
    for batch in trace["batches"]:
        _tell_batch(batch)
    if waiting := trace["waiting"]:
        who = f"worked on by {waiting['owner']}" if waiting["owner"] else "waiting"
        typer.echo(
            f"  {who} in batch {waiting['batch_id']}, tried {waiting['tries']} times so far, "
            f"due {moment(waiting['due_ms'])} UTC"
        )
    if not trace["complete"]:
        typer.echo(
            "  settled longer ago than traces are kept (SLUICE_TRACE_DAYS): delivered, or what is "
            "said below"
        )
    for letter in trace["dead_letters"]:
        said = " ".join(letter[name] for name in ("failure", "code", "path", "detail"))
        since = moment(letter["dead_ms"])
        typer.echo(f"  dead letter {letter['number']} since {since} UTC: {said}".rstrip())


def _tell_batch(batch: dict[str, Any]) -> None:
    typer.echo(
        f"  batch {batch['number']}: received {moment(batch['received_ms'])} UTC, settled "
        f"{moment(batch['settled_ms'])} UTC; of its {batch['events']} events {batch['delivered']} "
        f"were delivered, {batch['duplicates']} duplicates, {batch['tests']} tests, "
        f"{batch['dead']} dead"
    )
    if batch["mapping"]:
        typer.echo(f"    mapped by {batch['mapping']}")
    for request in batch["requests"]:
        receipt = f", Platform's receipt {request['receipt']}" if request["receipt"] else ""
        typer.echo(
            f"    {moment(request['at_ms'])} UTC: {request['events']} sent, "
            f"{Verdict(request['verdict']).words}; "
            f"status {request['status']}{receipt}"
        )
    if batch["successors"]:
        typer.echo(f"    the rest went on in batch {', '.join(map(str, batch['successors']))}")
