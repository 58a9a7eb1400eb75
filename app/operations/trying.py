"""Dry runs: what replays and recipes would do, with the mapping sets and schemas on disk here.
They write nothing."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.dead_letter import DeadLetter
from app.core.recipe import Difference, Recipe, differences, mend
from app.core.selection import OTHERS, Census
from app.core.trial import Side
from app.settings import Connection
from app.settings.mapping_sets import Configuration
from app.settings.trials import Trial, Trials
from app.store.dead_letters import REPLAY_BATCH, DeadLetters, Filter
from app.store.dead_letters.drawing import draw


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`configuration` reads the config folder anew: slow, raises ConfigError. `tell`: a word about
    what was taken for granted, or cannot be read."""

    configuration: Callable[[], Configuration]
    tell: Callable[[str], None] = lambda _: None

    def trials(self) -> Trials:
        """Slow; raises ConfigError."""
        return Trials(self.configuration(), self.tell)

    async def connections(self, *, told: bool = False) -> dict[str, Connection]:
        """As far as they can be read: lanes and ledger must be seen in the worst of times. `told`:
        why some cannot be."""
        known = await asyncio.to_thread(self.configuration)
        for fault in known.faults if told else ():
            self.tell(f"configuration: {fault}")
        return known.connections


@dataclass(slots=True)
class Tried:
    """What a recipe would do. `changes`: number of a letter that would pass -> where it would
    differ; of at most `shown` letters."""

    census: Census
    shown: int
    trial: Trial = field(default_factory=Trial)
    left_out: Counter[str] = field(default_factory=Counter)
    changes: dict[int, list[Difference]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As JSON knows it."""
        return {
            "selection": self.census.document(),
            "trial": self.trial.document(),
            "left_out": dict(self.left_out.most_common()),
            "differences": [
                {"number": number, "changes": [change.document() for change in changes]}
                for number, changes in self.changes.items()
            ],
        }


async def try_replay(
    letters: DeadLetters, trials: Trials, wanted: Filter, sample: int
) -> tuple[Census, Trial]:
    """What a replay of `wanted` would select, and how `sample` of it, drawn by lot, would fare."""
    census, drawn = await draw(letters, wanted, sample)
    trial = Trial()
    for at in range(0, len(drawn), REPLAY_BATCH):
        part = await letters.get(drawn[at : at + REPLAY_BATCH])
        await asyncio.to_thread(_note_all, trial, trials, part)
    return census, trial


async def try_recipe(
    letters: DeadLetters,
    trials: Trials,
    recipe: Recipe,
    wanted: Filter,
    sample: int,
    shown: int,
    told: Callable[[int, int], None],
) -> Tried:
    """What a recipe would make of `sample` of what it selects, drawn by lot."""
    census, drawn = await draw(letters, wanted, sample)
    found = Tried(census, shown)
    for at in range(0, len(drawn), REPLAY_BATCH):
        part = await letters.get(drawn[at : at + REPLAY_BATCH])
        await asyncio.to_thread(_judge, found, recipe, trials, part)
        told(min(at + REPLAY_BATCH, len(drawn)), len(drawn))
    return found


def unfit(trials: Trials, recipe: Recipe, connections: Sequence[str]) -> list[str]:
    """Which connections are not mapped by the version that a recipe wants, and why; slow."""
    if not recipe.mapping:
        return []
    named = (name for name in connections if name != OTHERS)
    return [fault for name in named if (fault := _unfit(trials.side(name), recipe, name))]


def _unfit(side: Side | str | None, recipe: Recipe, name: str) -> str:
    if isinstance(side, str):
        return side
    if side is None:
        return f"{name} is mapped by its dataflow, and not here"
    label = side.mapping.label
    return "" if recipe.fits(label) else f"{name} is mapped with {label}"


def _note_all(trial: Trial, trials: Trials, letters: Sequence[DeadLetter]) -> None:
    now = time.time()
    for letter in letters:
        trial.note(trials.why_not(letter, now))


def _judge(found: Tried, recipe: Recipe, trials: Trials, letters: Sequence[DeadLetter]) -> None:
    now = time.time()
    for letter in letters:
        body, why, left_out = mend(recipe.steps, letter.outgoing)
        found.left_out.update(left_out)
        if body is not None:
            why = trials.why_not(letter.sending(body), now)
        found.trial.note(why)
        if why or body is None:
            continue
        if recipe.steps and len(found.changes) < found.shown:
            changed = differences(recipe.steps, letter.outgoing, body)
            found.changes[letter.summary.number] = changed
