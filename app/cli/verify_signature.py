"""`sluice verify-signature`: why a webhook was or was not believed."""

from __future__ import annotations

import hmac
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from app.core.signature import matching_key, sign
from app.settings import environment, load_all


def verify_signature(
    connection: Annotated[str, typer.Argument(help="The connection whose keys are tried.")],
    timestamp: Annotated[str, typer.Option(help="The X-CIO-Timestamp header.")],
    signature: Annotated[str, typer.Option(help="The X-CIO-Signature header.")],
    body: Annotated[
        Path, typer.Option(help="A file with the body's exact bytes; - is standard input.")
    ] = Path("-"),
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Check one webhook's signature with a connection's live keys, and say what is wrong."""
    _, connections = load_all(environment())
    if connection not in connections:
        known = ", ".join(connections)
        typer.echo(f"no connection {connection}; known: {known}", err=True)
        raise typer.Exit(2)
    try:
        raw = sys.stdin.buffer.read() if body == Path("-") else body.read_bytes()
    except OSError as fault:
        typer.echo(f"cannot read {body}: {fault.strerror}", err=True)
        raise typer.Exit(2) from None
    keys = connections[connection].signing_keys
    index = matching_key(keys, timestamp, signature, raw)
    why = "" if index is not None else explain(keys, timestamp, signature, raw)
    if as_json:
        answer = {"valid": index is not None, "key": index, "body_bytes": len(raw), "why": why}
        typer.echo(json.dumps(answer))
    elif index is not None:
        typer.echo(f"valid: signed with key {index + 1} of {len(keys)}")
    else:
        typer.echo(f"not valid: {why}")
    raise typer.Exit(0 if index is not None else 1)


def explain(keys: Sequence[bytes], timestamp: str, signature: str, body: bytes) -> str:
    """The likeliest reason, from the mistakes people make (customerio.md section 8)."""
    if not (timestamp.isascii() and timestamp.isdigit()):
        return "the timestamp is not Unix seconds"
    given = signature.strip().removeprefix("v0=").lower()
    if len(given) != 64 or any(c not in "0123456789abcdef" for c in given):
        return f"the signature has {len(given)} characters; HMAC-SHA256 in hex has 64"
    for meaning, changed in (
        ("without the line end after it", body.rstrip(b"\r\n")),
        ("with a line end after it", body + b"\n"),
        ("with LF for CRLF", body.replace(b"\r\n", b"\n")),
    ):
        if changed != body and _matches(keys, timestamp, given, changed):
            return f"it fits the body {meaning}: the bytes were changed on their way here"
    if any(_fits(key, timestamp, given, body) for key in map(_from_hex, keys) if key):
        return "it fits the key decoded from hex; Customer.io uses the key's text"
    stripped = [key.strip() for key in keys if key.strip() != key]
    if _matches(stripped, timestamp, given, body):
        return "it fits the key without the white space around it: store the key without it"
    return (
        f"no live key of {len(keys)} made it: compare the key with Customer.io's reporting-webhook "
        "page, and be sure that body and timestamp are of the same request"
    )


def _matches(keys: Sequence[bytes], timestamp: str, given: str, body: bytes) -> bool:
    return any(_fits(key, timestamp, given, body) for key in keys)


def _fits(key: bytes, timestamp: str, given: str, body: bytes) -> bool:
    return hmac.compare_digest(sign(key, timestamp.encode(), body), given)


def _from_hex(key: bytes) -> bytes:
    try:
        return bytes.fromhex(key.decode())
    except ValueError:
        return b""
