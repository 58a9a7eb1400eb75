"""How much is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts and seconds of one run. `say`: shows a line of progress."""

    rounds: int
    say: Callable[[str], None]
    flood_seconds: float = 3
    paced_seconds: float = 3
    serial_requests: int = 1_500
    backlog_events: int = 200_000
    arq_events: int = 6_000
    claim_ids: int = 1_000_000
    queued_events: int = 100_000
    cost_events: int = 80_000
    dead_letters: int = 1_000_000


def full(rounds: int | None, say: Callable[[str], None]) -> Plan:
    return Plan(rounds or 5, say)


def quick(rounds: int | None, say: Callable[[str], None]) -> Plan:
    """About a minute; less exact. A quarter of the ids fills hash tables as far as all would."""
    return Plan(
        rounds or 1,
        say,
        flood_seconds=2,
        paced_seconds=1,
        serial_requests=500,
        backlog_events=40_000,
        arq_events=4_000,
        claim_ids=250_000,
        queued_events=20_000,
        cost_events=30_000,
        dead_letters=50_000,
    )
