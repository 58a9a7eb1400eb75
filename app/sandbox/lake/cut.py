"""One micro-batch of one flow: how many messages had which end, and the lines that failed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from app.sandbox.customerio.ulid import ulid
from app.sandbox.lake.calendar import Span

# The Platform batches that one micro-batch can come to.
#   landed      what was promoted; `success`, also with rows that a mapper or converter dropped
#   refused     what streaming validation refused; `failed`, with the messages in files
#   unpromoted  what was lost on the way in; `failed`, and no file says which messages
Kind = Literal["landed", "refused", "unpromoted"]
KINDS: Final[tuple[Kind, ...]] = ("landed", "refused", "unpromoted")
Rows = Literal["conversion_errors", "parsing_errors"]


@dataclass(slots=True)
class Pile:
    """Messages that failed. `lines`: JSON, those kept; `by_code` and `count`: all of them."""

    count: int = 0
    size: int = 0
    by_code: Counter[str] = field(default_factory=Counter)
    lines: list[bytes] = field(default_factory=list)

    def files(self, lines_per_file: int) -> Iterator[list[bytes]]:
        for first in range(0, len(self.lines), lines_per_file):
            yield self.lines[first : first + lines_per_file]


@dataclass(slots=True)
class Cut:
    """`size` and the sizes of the piles: bytes, as the requests' lengths shared out."""

    flow_id: str
    dataset_id: str
    org_id: str
    hour: Span
    span: Span
    landed: int = 0
    size: int = 0
    unpromoted: int = 0
    unpromoted_size: int = 0
    refused: Pile = field(default_factory=Pile)
    rows: dict[Rows, Pile] = field(default_factory=dict)

    @property
    def row_errors(self) -> int:
        return sum(pile.count for pile in self.rows.values())

    @property
    def failed(self) -> int:
        return self.refused.count + self.row_errors + self.unpromoted

    @property
    def kept_lines(self) -> int:
        return len(self.refused.lines) + sum(len(pile.lines) for pile in self.rows.values())

    def kinds(self) -> tuple[Kind, ...]:
        """The Platform batches there are."""
        there = {
            "landed": self.landed or self.rows,
            "refused": self.refused.count,
            "unpromoted": self.unpromoted,
        }
        return tuple(kind for kind in KINDS if there[kind])

    def batch_id(self, kind: Kind) -> str:
        """A ULID, as the documentation's samples are; the same whenever it is asked for."""
        start_ms = int(self.span.start * 1000)
        seed = f"{self.flow_id} {start_ms} {kind}".encode()
        return ulid(start_ms, int.from_bytes(hashlib.sha256(seed).digest()[:10], "big"))

    def drop_lines(self) -> int:
        """Forget the lines, not the counts; how many they were."""
        dropped = self.kept_lines
        for pile in (self.refused, *self.rows.values()):
            pile.lines.clear()
        return dropped
