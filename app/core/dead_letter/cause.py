"""What makes two deaths the same: stage, class, code, mapping row, and path and text made alike.

A cause is kept once for all its letters, so it must hold nothing that is one event's.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from app.core.platform.problem import normalise

FINGERPRINT_BYTES: Final = 8

# A path or a text longer than this says nothing more about the cause.
_PATH_MAX: Final = 200
_DETAIL_MAX: Final = 500
# Below an object or an array may be keys and positions out of the event.
_POSITION: Final = re.compile(r"(?<=[/\[.])\d+(?=[/\].]|$)")
# Texts repeat, but those that quote an event do not: what is remembered is bounded.
_REMEMBERED: Final = 4_096


class Cause(NamedTuple):
    """Why events died, without a value of any of them. `detail` and `path` are made alike."""

    stage: str
    failure: str
    code: str
    path: str
    detail: str
    row: str


@lru_cache(_REMEMBERED)
def cause_of(stage: str, failure: str, code: str, path: str, detail: str, row: str) -> Cause:
    """The cause that a death belongs to."""
    alike = _POSITION.sub("<n>", path[:_PATH_MAX])
    return Cause(stage, failure, code, alike, normalise(detail[:_DETAIL_MAX]), row)


@lru_cache(_REMEMBERED)
def fingerprint_of(cause: Cause) -> bytes:
    """8 bytes that stand for a cause, the same in every release and process."""
    text = "\x1f".join(cause).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=FINGERPRINT_BYTES, person=b"dead letter").digest()
