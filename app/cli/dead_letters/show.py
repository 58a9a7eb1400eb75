"""`sluice dead-letters show`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import typer

from app.cli.reading import Json, echo_json, moment, with_store
from app.core.dead_letter import DeadLetter
from app.store.dead_letters import DeadLetters


def show(number: int, as_json: Json = False) -> None:
    """One dead letter, whole: body, record, every attempt. It may hold personal data."""
    letters = with_store(lambda redis: DeadLetters(redis).get([number]))
    if not letters:
        typer.echo(f"there is no dead letter {number}", err=True)
        raise typer.Exit(1)
    document = document_of(letters[0])
    if as_json:
        echo_json(document)
        return
    summary = letters[0].summary
    for name, value in asdict(summary).items():
        shown = f"{moment(value)} UTC" if name.endswith("_ms") else value
        typer.echo(f"{name.removesuffix('_ms'):<12} {shown}")
    for attempt in document["attempts"]:
        typer.echo(
            f"{'attempt':<12} {attempt['times']} x {attempt['failure'] or 'delivered'} "
            f"{attempt['status'] or ''} {attempt['code']} {attempt['message']}, last at "
            f"{moment(attempt['last_ms'])} UTC {attempt['receipt']}"
        )
    typer.echo("body")
    typer.echo(_readable(letters[0].body))
    if letters[0].record is not None:
        typer.echo("record")
        typer.echo(_readable(letters[0].record))


def document_of(letter: DeadLetter) -> dict[str, Any]:
    return {
        **asdict(letter.summary),
        "attempts": [run._asdict() for run in letter.history],
        "body": letter.body.decode("utf-8", "backslashreplace"),
        "record": json.loads(letter.record) if letter.record else None,
    }


def _readable(content: bytes) -> str:
    try:
        return json.dumps(json.loads(content), indent=2, ensure_ascii=False)
    except ValueError:
        return content.decode("utf-8", "backslashreplace")
