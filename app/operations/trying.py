"""Dry runs: what replays and recipes would do, with the mapping sets and schemas on disk here.
They write nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.dead_letter import DeadLetter
from app.core.recipe import Recipe
from app.core.selection import Census
from app.settings import Connection
from app.settings.mapping_sets import Configuration
from app.settings.recipe_trials import RecipeTrial
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
) -> dict[str, Any]:
    """What a recipe would make of `sample` of what it selects, drawn by lot: as JSON knows it."""
    census, drawn = await draw(letters, wanted, sample)
    found = RecipeTrial(recipe, shown)
    for at in range(0, len(drawn), REPLAY_BATCH):
        part = await letters.get(drawn[at : at + REPLAY_BATCH])
        await asyncio.to_thread(found.judge, trials, part, time.time())
        told(min(at + REPLAY_BATCH, len(drawn)), len(drawn))
    return {"selection": census.document(), **found.document()}


def _note_all(trial: Trial, trials: Trials, letters: Sequence[DeadLetter]) -> None:
    now = time.time()
    for letter in letters:
        trial.note(trials.why_not(letter, now))
