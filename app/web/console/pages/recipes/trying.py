"""What a recipe would do: a sample of what it selects, mended and checked. Sends nothing.

It shows values of events, so it is for operators, and written down.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from aiohttp import web

from app.core.errors import RecipeInvalid
from app.core.recipe import Recipe, read_recipe
from app.core.selection import Census
from app.settings.recipe_trials import RecipeTrial, misfits
from app.settings.trials import Trials
from app.store.dead_letters import REPLAY_BATCH, DeadLetters, Filter
from app.store.dead_letters.drawing import draw
from app.store.recipes import selected_by
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.pages.recipes.reading import name_in, saved
from app.web.console.trail import note

# Letters that a dry run tries, drawn by lot: each is read, mended, mapped and checked.
SAMPLE: Final = 200


class Tried(NamedTuple):
    """`misfits`: connections where it cannot be followed, and why; `census`: what it selects,
    None when that was frozen before."""

    found: RecipeTrial
    misfits: list[str]
    census: Census | None = None


async def page(request: web.Request) -> web.Response:
    """GET /recipes/{name}/trial."""
    console, name = request.app[CONSOLE], name_in(request)
    text = (await saved(request, name)).text
    panel = await console.panels.show("recipe trial", lambda: try_text(request, text), keep=False)
    context = {"panel": panel, "tried": panel.data, "name": name}
    return look.render(request, "recipe_trial.html", context)


async def try_text(request: web.Request, text: str) -> Tried:
    """A sample of what the recipe selects now. Raises HTTPConflict, StoreUnavailable,
    ConfigError."""
    recipe, wanted = await followed(request, text)
    census, drawn = await draw(DeadLetters(request.app[CONSOLE].redis), wanted, SAMPLE)
    tried = await try_numbers(request, recipe, drawn, list(census.connections))
    return tried._replace(census=census)


async def try_numbers(
    request: web.Request, recipe: Recipe, numbers: Sequence[int], connections: Sequence[str]
) -> Tried:
    """These letters. Raises StoreUnavailable, ConfigError."""
    console, found, now = request.app[CONSOLE], RecipeTrial(recipe), time.time()
    letters = DeadLetters(console.redis)
    trials = Trials(await asyncio.to_thread(console.configuration))
    await note(request, "recipes.dry-run")
    for at in range(0, len(numbers), REPLAY_BATCH):
        some = await letters.get(numbers[at : at + REPLAY_BATCH])
        await asyncio.to_thread(found.judge, trials, some, now)
    return Tried(found, await asyncio.to_thread(misfits, recipe, trials, connections))


async def followed(request: web.Request, text: str) -> tuple[Recipe, Filter]:
    """A recipe that is to be followed now, and what it selects. Raises HTTPConflict when it cannot
    be, and StoreUnavailable."""
    try:
        recipe = read_recipe(text)
        now_ms = time.time_ns() // 1_000_000
        return recipe, await selected_by(request.app[CONSOLE].redis, recipe, now_ms)
    except RecipeInvalid as invalid:
        raise web.HTTPConflict(text="; ".join(invalid.faults)) from None
