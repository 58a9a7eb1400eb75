"""What became of the webhooks sent, in counts that the ledger can be held against. Pure."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from app.sandbox.traffic import Shot, ShotKind


@dataclass(slots=True)
class Tally:
    """Filled while sending.

    `answers`: attempts by status, "no answer" among them; `unclear`: attempts that may have been
    received although no answer came; `refused`: webhooks given up by their final status;
    `gave_up`: webhooks that were retried until patience ran out.
    """

    sent: Counter[ShotKind] = field(default_factory=Counter)
    acknowledged: Counter[ShotKind] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    rejected_signatures: int = 0
    gave_up: int = 0
    unclear: int = 0
    seconds: float = 0.0
    latencies: array[float] = field(default_factory=lambda: array("d"))
    _events: set[int] = field(default_factory=set)

    def attempt(self, status: int, unclear: bool) -> None:
        self.answers[str(status) if status else "no answer"] += 1
        self.unclear += unclear

    def acknowledge(self, shot: Shot, seconds: float) -> None:
        self.acknowledged[shot.kind] += 1
        self.latencies.append(seconds)
        if shot.kind in (ShotKind.EVENT, ShotKind.DUPLICATE):
            self._events.add(shot.number)

    def refuse(self, shot: Shot, status: int) -> None:
        if shot.kind is ShotKind.BAD_SIGNATURE:
            self.rejected_signatures += 1
        else:
            self.refused[str(status)] += 1

    @property
    def unique_events(self) -> int:
        return len(self._events)

    @property
    def never_acknowledged(self) -> int:
        """Webhooks with a good signature that got no 2xx, for whatever reason."""
        good = sum(self.sent.values()) - self.sent[ShotKind.BAD_SIGNATURE]
        return good - (sum(self.acknowledged.values()) - self.acknowledged[ShotKind.BAD_SIGNATURE])

    @property
    def all_well(self) -> bool:
        """Everything good was acknowledged, nothing with a bad signature was."""
        return not self.never_acknowledged and not self.acknowledged[ShotKind.BAD_SIGNATURE]

    def as_dict(self) -> dict[str, Any]:
        """`ledger`: what the connection's ledger must have grown by, when `unclear` is 0 and the
        ids were new; with unclear attempts, received and duplicates may be higher by as many."""
        total = sum(self.acknowledged.values())
        events = self.acknowledged[ShotKind.EVENT] + self.acknowledged[ShotKind.DUPLICATE]
        return {
            "sent": {"total": sum(self.sent.values()), **_by_kind(self.sent)},
            "acknowledged": {"total": total, **_by_kind(self.acknowledged)},
            "unique_events": self.unique_events,
            "never_acknowledged": self.never_acknowledged,
            "rejected_signatures": self.rejected_signatures,
            "refused": dict(self.refused),
            "gave_up": self.gave_up,
            "attempts": sum(self.answers.values()),
            "answers": dict(sorted(self.answers.items())),
            "unclear": self.unclear,
            "ledger": {
                "received": total,
                "duplicates": events - self.unique_events,
                "tests": self.acknowledged[ShotKind.TEST],
                "dead": self.acknowledged[ShotKind.GARBAGE],
                "delivered": self.unique_events,
            },
            "seconds": round(self.seconds, 3),
            "acknowledged_per_second": round(total / self.seconds, 1) if self.seconds else 0.0,
            "latency_ms": self._latency_ms(),
        }

    def _latency_ms(self) -> dict[str, float]:
        """Of the attempts that were acknowledged."""
        ordered = sorted(self.latencies)
        if not ordered:
            return {}
        last = len(ordered) - 1
        quantiles = {"p50": 0.5, "p99": 0.99, "max": 1.0}
        return {name: round(ordered[int(last * q)] * 1000, 2) for name, q in quantiles.items()}


def _by_kind(counts: Counter[ShotKind]) -> dict[str, int]:
    return {kind.value: counts[kind] for kind in ShotKind}
