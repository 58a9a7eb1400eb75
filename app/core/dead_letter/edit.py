"""An edit of a dead letter: a JSON patch beside the untouched original."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgpack
import orjson

from app.core.errors import PatchInvalid, UnreadableFrame
from app.core.json_patch import apply_patch


class Edit(NamedTuple):
    """Who made it, Unix ms, and the patch (RFC 6902) in JSON."""

    who: str
    at_ms: int
    patch: bytes


def encode_edit(edit: Edit) -> bytes:
    return bytes(msgpack.packb(edit))


def decode_edit(packed: bytes) -> Edit:
    """Raises UnreadableFrame."""
    try:
        return Edit(*msgpack.unpackb(packed))
    except Exception as fault:  # msgpack raises a dozen kinds on damaged bytes
        raise UnreadableFrame(f"damaged edit: {type(fault).__name__}") from fault


def edited(body: bytes, patch: bytes) -> bytes:
    """The body with the patch. Raises PatchInvalid.

    The event id is what duplicates are known by, so it stays what it was where there was one.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise PatchInvalid("the body is not JSON, so no patch can be applied to it") from None
    try:
        operations: Any = orjson.loads(patch)
    except orjson.JSONDecodeError as fault:
        raise PatchInvalid(f"the patch is not JSON: {fault.msg}") from None
    patched = apply_patch(document, operations)
    if not isinstance(patched, dict):
        raise PatchInvalid("what comes out is no object")
    event_id = document.get("event_id") if isinstance(document, dict) else None
    if isinstance(event_id, str) and patched.get("event_id") != event_id:
        raise PatchInvalid("the event_id must stay what it is")
    try:
        return orjson.dumps(patched)
    except TypeError as fault:
        raise PatchInvalid(f"what comes out is no JSON: {fault}") from None
