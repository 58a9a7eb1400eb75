"""What a bell is: an arq job that names batches, and holds nothing (design.md section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.core.batch_id import BatchId

# The function that the worker registers with arq.
JOB: Final = "work"

# With this many bells in the queue more would only lie about: the sweep rings when there is room.
BELLS_MAX: Final = 1_000

# The sweep has rung again long before.
BELL_LIFE_SECONDS: Final = 86_400

# What one bell may name: worth the price of an arq job, and few enough to share out.
EVENTS_PER_BELL: Final = 2_000
BATCHES_PER_BELL: Final = 64


def share_out(batch_ids: Sequence[str]) -> list[list[str]]:
    """Batches grouped into bells: small ones share, so that a job is worth its price."""
    bells: list[list[str]] = []
    room = 0
    for batch_id in batch_ids:
        events = BatchId.parse(batch_id).events
        if not bells or events > room or len(bells[-1]) == BATCHES_PER_BELL:
            bells.append([])
            room = EVENTS_PER_BELL
        bells[-1].append(batch_id)
        room -= events
    return bells
