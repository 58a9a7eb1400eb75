"""Customer.io traffic for tests, bench and `sluice send`: bodies, and what is to become of them.

Deterministic: the same arguments give the same bytes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import count as counting
from typing import Final

from app.sandbox.customerio.events.fields import KINDS
from app.sandbox.customerio.events.garbage import garbage
from app.sandbox.customerio.events.mint import Mint, send_test_body

__all__ = [
    "KINDS",
    "Shares",
    "Shot",
    "ShotKind",
    "every_kind",
    "generate",
    "send_test_body",
    "shots",
]

# 2026-01-01 00:00 UTC: where made-up time begins when no clock is given.
START_MS: Final = 1_767_225_600_000
# Made-up time between two events, on average.
GAP_MS: Final = 2
# A repeat comes soon after its original, as a retry does.
_REPEATABLE: Final = 2_000


class ShotKind(StrEnum):
    EVENT = "event"
    DUPLICATE = "duplicate"
    GARBAGE = "garbage"
    BAD_SIGNATURE = "bad_signature"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Shot:
    """One webhook to send. `number` names the event; a duplicate repeats its original's."""

    kind: ShotKind
    number: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares, 0 to 1, of all webhooks; what is left are new, good events."""

    duplicates: float = 0.0
    bad_signatures: float = 0.0
    garbage: float = 0.0


def generate(
    seed: int,
    count: int,
    *,
    body_bytes: int | None = None,
    start_ms: int = START_MS,
    kinds: tuple[tuple[str, str], ...] | None = None,
) -> Iterator[bytes]:
    """`count` distinct events, kinds by realistic weight, or `kinds` in turn.

    `body_bytes`: shorter bodies are padded to that size.
    """
    rng = random.Random(seed)
    mint = Mint(rng, body_bytes)
    for number in range(count):
        kind = kinds[number % len(kinds)] if kinds else None
        yield mint.event(start_ms + number * GAP_MS, kind)


def every_kind(seed: int, *, body_bytes: int | None = None) -> list[bytes]:
    """One event of each pair of customerio.md section 4."""
    return list(generate(seed, len(KINDS), body_bytes=body_bytes, kinds=KINDS))


def shots(
    seed: int,
    count: int | None,
    shares: Shares | None = None,
    *,
    body_bytes: int | None = None,
    now_ms: Callable[[], int] | None = None,
) -> Iterator[Shot]:
    """`count` webhooks (None: without end), mixed by `shares`.

    `now_ms`: the clock that events are minted by; None: made-up time, so that a seed repeats.
    """
    rng = random.Random(seed)
    mint = Mint(rng, body_bytes)
    mix = shares or Shares()
    recent: list[Shot] = []
    for number in counting() if count is None else range(count):
        moment = now_ms() if now_ms else START_MS + number * GAP_MS
        kind = _draw(rng.random(), mix)
        if kind is ShotKind.DUPLICATE and recent:
            original = rng.choice(recent)
            yield Shot(kind, original.number, original.body)
            continue
        body = mint.event(moment)
        if kind is ShotKind.GARBAGE:
            body = garbage(rng, body, mint.ulid())
        # The first of all cannot be a duplicate: it is an event then.
        shot = Shot(ShotKind.EVENT if kind is ShotKind.DUPLICATE else kind, number, body)
        if shot.kind is ShotKind.EVENT:
            _remember(recent, shot)
        yield shot


def _draw(drawn: float, mix: Shares) -> ShotKind:
    for kind, share in (
        (ShotKind.DUPLICATE, mix.duplicates),
        (ShotKind.BAD_SIGNATURE, mix.bad_signatures),
        (ShotKind.GARBAGE, mix.garbage),
    ):
        if drawn < share:
            return kind
        drawn -= share
    return ShotKind.EVENT


def _remember(recent: list[Shot], shot: Shot) -> None:
    if len(recent) < _REPEATABLE:
        recent.append(shot)
    else:
        recent[shot.number % _REPEATABLE] = shot
