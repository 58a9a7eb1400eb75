"""`sluice dead-letters show`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import typer

from app.cli.dead_letters.tables import plain, plain_lines
from app.cli.facing import with_face
from app.cli.reading import Json, echo_json, moment
from app.core.dead_letter import DeadLetter


def show(number: int, as_json: Json = False) -> None:
    """One dead letter, whole: body, record, every attempt. It may hold personal data."""
    letter = with_face(lambda face: face.letters.whole(number))
    if letter is None:
        typer.echo(f"there is no dead letter {number}", err=True)
        raise typer.Exit(1)
    document = document_of(letter)
    if as_json:
        echo_json(document)
    else:
        _say(letter, document)
    if letter.missing:
        typer.echo(f"its body cannot be read here: {letter.missing}", err=True)
        raise typer.Exit(1)


def _say(letter: DeadLetter, document: dict[str, Any]) -> None:
    for name, value in asdict(letter.summary).items():
        shown = f"{moment(value)} UTC" if name.endswith("_ms") else plain(value, 1_000)
        typer.echo(f"{name.removesuffix('_ms'):<12} {shown}")
    for attempt in document["attempts"]:
        said = (
            f"{attempt['times']} x {attempt['failure'] or 'delivered'} "
            f"{attempt['status'] or ''} {attempt['code']} {attempt['message']}, last at "
            f"{moment(attempt['last_ms'])} UTC {attempt['receipt']}"
        )
        typer.echo(f"{'attempt':<12} {plain(said, 2_000)}")
    if letter.edit is not None:
        at, who = moment(letter.edit.at_ms), plain(letter.edit.who)
        typer.echo(f"{'edited':<12} {at} UTC by {who}; a replay sends it so")
        typer.echo(plain_lines(_readable(letter.edit.patch)))
    if letter.ready:
        typer.echo("no body is left; a replay sends the record as it is")
    else:
        typer.echo("body")
        typer.echo(plain_lines(_readable(letter.body)))
    if letter.record is not None:
        typer.echo("record")
        typer.echo(plain_lines(_readable(letter.record)))


def document_of(letter: DeadLetter) -> dict[str, Any]:
    """The letter in JSON."""
    return {
        **asdict(letter.summary),
        "attempts": [run._asdict() for run in letter.history],
        "body": letter.body.decode("utf-8", "backslashreplace"),
        "edit": _edit_of(letter),
        "record": json.loads(letter.record) if letter.record else None,
    }


def _edit_of(letter: DeadLetter) -> dict[str, Any] | None:
    edit = letter.edit
    if edit is None:
        return None
    return {"who": edit.who, "at_ms": edit.at_ms, "patch": json.loads(edit.patch)}


def _readable(content: bytes) -> str:
    try:
        return json.dumps(json.loads(content), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return content.decode("utf-8", "backslashreplace")
