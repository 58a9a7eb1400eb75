"""Connections as bytes, from a process that read and judged them to its children: all of them run
on the same, and one that is started again runs on it even while the files are being mended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgpack
from pydantic import ValidationError

from app.core.errors import ConfigError
from app.settings.connections import Connection


def pack(connections: Mapping[str, Connection]) -> bytes:
    """All there is to know of them, secrets too: for a descriptor that only a child has."""
    documents = [each.model_dump(by_alias=True) for each in connections.values()]
    packed: bytes = msgpack.packb(documents, default=str)
    return packed


def unpack(packed: bytes) -> dict[str, Connection]:
    """What `pack` packed, checked anew: a parent of another release may have packed it. Raises
    ConfigError."""
    try:
        documents: list[dict[str, Any]] = msgpack.unpackb(packed)
        found = [Connection(**document) for document in documents]
    except (ValueError, TypeError, ValidationError) as fault:
        # Its text would hold secrets.
        raise ConfigError([f"the parent's connections: {type(fault).__name__}"]) from None
    return {each.name: each for each in found}
