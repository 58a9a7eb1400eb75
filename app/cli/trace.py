"""`sluice trace EVENT_ID`: what is known about one event, from receipt to Platform's answer."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.reading import Json, echo_json, moment, with_store
from app.core.event import SEND_TEST_EVENT_ID
from app.core.outcome import Verdict
from app.store.documents import trace_document
from app.store.traces import BatchTrace, EventTrace, find_event


def trace(
    event_id: Annotated[str, typer.Argument(help="The event's `event_id` (in Platform: `_id`).")],
    connection: Annotated[str | None, typer.Option(help="Only this connection.")] = None,
    timestamp: Annotated[
        int, typer.Option(help="The event's timestamp; needed for ids that are no ULIDs.")
    ] = 0,
    as_json: Json = False,
) -> None:
    """What is known about one event. Exit 1 when nothing is."""

    found = with_store(lambda redis: find_event(redis, event_id, connection, timestamp))
    if as_json:
        echo_json([trace_document(each) for each in found])
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


def _tell(trace: EventTrace) -> None:
    typer.echo(f"connection {trace.connection}, claimed by batch {trace.claimed_by or '-'}")
    for batch in trace.settled:
        _tell_batch(batch)
    if waiting := trace.waiting:
        who = f"worked on by {waiting.owner}" if waiting.owner else "waiting"
        typer.echo(
            f"  {who} in batch {waiting.batch_id}, tried {waiting.tries} times so far, "
            f"due {moment(waiting.due_ms)} UTC"
        )
    if not trace.complete:
        typer.echo(
            "  settled longer ago than traces are kept (SLUICE_TRACE_DAYS): delivered, or what is "
            "said below"
        )
    for letter in trace.letters:
        typer.echo(
            f"  dead letter {letter.number} since {moment(letter.dead_ms)} UTC: "
            f"{letter.failure} {letter.code} {letter.path} {letter.detail}".rstrip()
        )


def _tell_batch(batch: BatchTrace) -> None:
    typer.echo(
        f"  batch {batch.number}: received {moment(batch.received_ms)} UTC, settled "
        f"{moment(batch.settled_ms)} UTC; of its {batch.events} events {batch.delivered} were "
        f"delivered, {batch.duplicates} duplicates, {batch.tests} tests, {batch.dead} dead"
    )
    if batch.mapping:
        typer.echo(f"    mapped by {batch.mapping}")
    for request in batch.requests:
        receipt = f", Platform's receipt {request.receipt}" if request.receipt else ""
        typer.echo(
            f"    {moment(request.at_ms)} UTC: {request.events} sent, "
            f"{Verdict(request.verdict).words}; "
            f"status {request.status}{receipt}"
        )
    if batch.successors:
        typer.echo(f"    the rest went on in batch {', '.join(map(str, batch.successors))}")
