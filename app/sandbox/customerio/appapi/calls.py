"""The newest calls to the App API, for whoever judges the caller. Keys are not kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

_KEPT: Final = 1_000
# Characters of a body; all that is well-formed has fewer.
_BODY_KEPT: Final = 20_000


@dataclass(slots=True)
class Call:
    """`status` None: under way, or cut off. `body`: as it came, a very long one cut off."""

    number: int
    at: float
    method: str
    path: str
    body: str
    workspace: str | None = None
    status: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "at_ms": int(self.at * 1000),
            "method": self.method,
            "path": self.path,
            "workspace": self.workspace,
            "body": self.body,
            "status": self.status,
        }


class Calls:
    def __init__(self) -> None:
        self._numbers = count(1)
        self._kept: deque[Call] = deque(maxlen=_KEPT)

    def begin(self, at: float, method: str, path: str, body: bytes) -> Call:
        call = Call(
            next(self._numbers), at, method, path, body.decode(errors="replace")[:_BODY_KEPT]
        )
        self._kept.append(call)
        return call

    def after(self, number: int) -> Iterator[Call]:
        return (call for call in self._kept if call.number > number)

    def clear(self) -> int:
        """How many were forgotten; numbers go on."""
        kept = len(self._kept)
        self._kept.clear()
        return kept
