"""What a bulk replay works on: dead letter numbers, frozen, and a census of what they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

from app.core.batch import pack, unpack
from app.core.dead_letter import DeadLetterSummary

# Kinds and the like that a census names; the rest is counted as one.
_NAMED: Final = 20
# A connection has some 73 kinds; whoever makes up names shall not fill our memory.
_KINDS_MAX: Final = 1_000
OTHERS: Final = "(others)"


def pack_numbers(numbers: Sequence[int]) -> bytes:
    """Numbers in their order. A run of neighbours costs next to nothing."""
    steps = [number - before for before, number in zip((0, *numbers), numbers, strict=False)]
    return pack(steps)


def unpack_numbers(packed: bytes) -> list[int]:
    """Raises UnreadableFrame."""
    return list(accumulate(unpack(packed)))


@dataclass(slots=True)
class Census:
    """How many letters a selection has, of what, and when they died: Unix ms; None = no letter."""

    letters: int = 0
    connections: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    oldest_ms: int | None = None
    newest_ms: int | None = None

    def add(self, letter: DeadLetterSummary) -> None:
        self.letters += 1
        self.connections[letter.connection] += 1
        self.failures[letter.failure] += 1
        known = letter.kind in self.kinds or len(self.kinds) < _KINDS_MAX
        self.kinds[letter.kind if known else OTHERS] += 1
        died = letter.dead_ms
        self.oldest_ms = died if self.oldest_ms is None else min(self.oldest_ms, died)
        self.newest_ms = died if self.newest_ms is None else max(self.newest_ms, died)

    def document(self) -> dict[str, Any]:
        """As JSON knows it, the frequent first."""
        return {
            "letters": self.letters,
            "connections": _most(self.connections),
            "classes": _most(self.failures),
            "kinds": _most(self.kinds),
            "oldest_ms": self.oldest_ms,
            "newest_ms": self.newest_ms,
        }


def _most(counts: Counter[str]) -> dict[str, int]:
    named = dict(counts.most_common(_NAMED))
    named.pop(OTHERS, None)
    if rest := counts.total() - sum(named.values()):
        named[OTHERS] = rest
    return named
