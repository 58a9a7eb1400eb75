"""Recipes in the Redis beside us, tried with the mapping sets on disk here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.recipe import Recipe, read_recipe
from app.operations.actor import Actor
from app.operations.trying import Surroundings, try_recipe
from app.settings.recipe_trials import misfits
from app.store.dead_letters import DeadLetters, Filter
from app.store.recipes import Recipes, SavedRecipe, selected_by
from app.store.scripting import Store


@dataclass(slots=True)
class HereRecipes:
    """app.operations.face.Recipes. What reads a text raises RecipeInvalid."""

    redis: Store
    actor: Actor
    around: Surroundings
    _recipes: Recipes = field(init=False)

    def __post_init__(self) -> None:
        self._recipes = Recipes(self.redis)

    async def all(self) -> list[SavedRecipe]:
        return await self._recipes.all()

    async def get(self, name: str) -> SavedRecipe | None:
        return await self._recipes.get(name)

    async def save(self, name: str, text: str) -> int:
        # Over whatever is there, so there is always a version.
        return await self._recipes.save(name, text, self.actor.name) or 0

    async def delete(self, name: str) -> bool:
        return await self._recipes.delete(name, self.actor.name)

    async def selected(self, recipe: Recipe) -> Filter:
        """What a recipe selects now. Raises RecipeInvalid: no group, or several, begin so."""
        return await selected_by(self.redis, recipe, time.time_ns() // 1_000_000)

    async def try_out(
        self, text: str, wanted: Filter, sample: int, shown: int, told: Callable[[int, int], None]
    ) -> dict[str, Any]:
        recipe, trials = read_recipe(text), await asyncio.to_thread(self.around.trials)
        letters = DeadLetters(self.redis)
        return await try_recipe(letters, trials, recipe, wanted, sample, shown, told)

    async def unfit(self, text: str, connections: Sequence[str]) -> list[str]:
        recipe = read_recipe(text)
        if not recipe.mapping:
            return []
        trials = await asyncio.to_thread(self.around.trials)
        return await asyncio.to_thread(misfits, recipe, trials, connections)
