"""What a replay run with a recipe does to a letter before it is put: its steps, then the mapping
and the schema of now. What cannot be mended, or would die again here, stays dead as it is.

Only Platform's answer is missing from what the delivery itself would say; nothing is written.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import structlog

from app.core.dead_letter import DeadLetter
from app.core.errors import EventFault, RecipeInvalid
from app.core.event import parse_event
from app.core.recipe import Recipe, mend, read_recipe
from app.core.replay_run import ReplayRun
from app.store.replay_steps import Sorted, Sorter
from worker.route import Remarks, Route

log = structlog.get_logger()

# Letters until others get their turn of the event loop: some ten milliseconds.
_TURN: Final = 20


class VersionMoved(Exception):
    """The mapping set's version is not, or no more, the one that a recipe wants."""


class Mender:
    """Follows recipes over the routes as they are now."""

    def __init__(self, routes: Mapping[str, Route], clock: Callable[[], float] = time.time) -> None:
        self._routes = routes
        self._clock = clock

    def held(self, run: ReplayRun, connection: str) -> str:
        """What a run waits for before it may put letters of a connection; "" = nothing."""
        if not run.recipe_text:
            return ""
        try:
            recipe = _read(run.recipe_text)
        except RecipeInvalid:
            return ""  # the step itself fails of it, and a person looks
        return self._unfit(recipe, connection)

    def sorter(self, run: ReplayRun) -> Sorter | None:
        """What is done to the letters of a step; None without a recipe. Raises RecipeInvalid."""
        if not run.recipe_text:
            return None
        recipe = _read(run.recipe_text)

        async def sort(letters: Sequence[DeadLetter]) -> Sorted:
            return await self._sort(recipe, letters)

        return sort

    async def _sort(self, recipe: Recipe, letters: Sequence[DeadLetter]) -> Sorted:
        """Raises VersionMoved."""
        mended: list[DeadLetter] = []
        kept: Counter[str] = Counter()
        for at, letter in enumerate(letters):
            if at and at % _TURN == 0:
                await asyncio.sleep(0)
            if unfit := self._unfit(recipe, letter.summary.connection):
                raise VersionMoved(unfit)
            better, why = self._mend(recipe, letter)
            if why:
                kept[why] += 1
            else:
                mended.append(better)
        return Sorted(mended, kept)

    def _unfit(self, recipe: Recipe, connection: str) -> str:
        if connection not in self._routes:
            return f"this worker has no connection {connection}"
        label = self._routes[connection].version.label
        if recipe.fits(label):
            return ""
        return f"waits for {recipe.mapping}: {connection} is mapped with {label or 'no set'}"

    def _mend(self, recipe: Recipe, letter: DeadLetter) -> tuple[DeadLetter, str]:
        """The letter with what is to be sent, and why it must not be."""
        body, why, _ = mend(recipe.steps, letter.outgoing)
        if body is None:
            return letter, why
        better = letter.sending(body)
        return better, self._why_not(better)

    def _why_not(self, letter: DeadLetter) -> str:
        """Stage and code of which it would die again; "" when it would be sent."""
        route, received_ms = self._routes[letter.summary.connection], letter.summary.received_ms
        # As in the pipeline: what was received is not from the future.
        now = max(self._clock(), received_ms / 1000)
        try:
            if letter.ready:
                route.ready(letter.outgoing, now)
                return ""
            event = parse_event(letter.outgoing)
            route.message(event, letter.outgoing, received_ms, now, Remarks())
        except EventFault as fault:
            return f"{fault.stage} {fault.code}"
        except Exception as fault:  # a bug of ours: its texts may hold values of the event
            log.exception("recipe.bug", letter=letter.summary.number)
            return f"transform {type(fault).__name__}"
        return ""


# A run's text is read for each step.
_read = lru_cache(maxsize=16)(read_recipe)
