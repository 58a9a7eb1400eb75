"""`sluice dead-letters edit`: what a replay is to send instead; the original stays as it came."""

from __future__ import annotations

import difflib
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from app.cli.acting import operator
from app.cli.dead_letters.show import document_of
from app.cli.dead_letters.tables import plain_lines
from app.cli.facing import with_face
from app.cli.reading import Json, echo_json
from app.core.dead_letter import DeadLetter, Edit, edited
from app.core.errors import EventFault, PatchInvalid
from app.core.event import parse_event


def edit(
    number: int,
    patch: Annotated[str, typer.Option(help="A JSON patch (RFC 6902), or @FILE.")] = "",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="/data/a=VALUE, in JSON or as plain text.")
    ] = None,
    remove: Annotated[list[str] | None, typer.Option(help="A path to take out: /data/a.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the edit away again.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only show what would be sent.")] = False,
    as_json: Json = False,
) -> None:
    """Say what a replay is to send in place of a letter's body. It replaces an edit before.

    The body stays as it came, and so does the event id.
    """
    operations = _operations(patch, set_ or [], remove or [])
    if undo == bool(operations):
        raise typer.BadParameter("say what to change: --patch, --set, --remove; or --undo")
    letter = with_face(lambda face: face.letters.whole(number))
    if letter is None or letter.missing:
        typer.echo(f"there is no dead letter {number} that can be read", err=True)
        raise typer.Exit(1)
    try:
        made = None if undo else Edit(operator(), int(time.time() * 1000), orjson.dumps(operations))
        if not as_json:
            _tell(letter, made)
        elif made is not None:
            edited(letter.original, made.patch)
        kept = made and made.patch
        if not dry and not with_face(lambda face: face.letters.edit(number, kept)):
            typer.echo(f"dead letter {number} is gone", err=True)
            raise typer.Exit(1)
    except PatchInvalid as fault:
        raise typer.BadParameter(str(fault)) from fault
    if as_json:
        echo_json(document_of(replace(letter, edit=made)))


def _operations(patch: str, set_: list[str], remove: list[str]) -> list[Any]:
    operations = _patch(patch) if patch else []
    for each in set_:
        path, equals, value = each.partition("=")
        if not equals:
            raise typer.BadParameter("write /path=VALUE", param_hint="--set")
        operations.append({"op": "add", "path": path, "value": _value(value)})
    return operations + [{"op": "remove", "path": path} for path in remove]


def _patch(text: str) -> list[Any]:
    try:
        content = Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()
        found = orjson.loads(content)
    except (OSError, orjson.JSONDecodeError) as fault:
        raise typer.BadParameter(f"it cannot be read: {fault}", param_hint="--patch") from fault
    if not isinstance(found, list):
        raise typer.BadParameter("a JSON patch is a list of operations", param_hint="--patch")
    return found


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _tell(letter: DeadLetter, edit: Edit | None) -> None:
    """The difference, and whether what comes out is an event. Raises PatchInvalid."""
    if edit is None:
        return
    after = edited(letter.original, edit.patch)
    before = json.dumps(json.loads(letter.original), indent=2, ensure_ascii=False).splitlines()
    now = json.dumps(json.loads(after), indent=2, ensure_ascii=False).splitlines()
    for line in difflib.unified_diff(before, now, "as it came", "as it is sent", lineterm="", n=1):
        typer.echo(plain_lines(line))
    if letter.ready:
        return
    try:
        parse_event(after)
    except EventFault as fault:
        typer.echo(f"that is no event yet: {fault}", err=True)
