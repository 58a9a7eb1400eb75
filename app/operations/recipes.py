"""Recipes in the Redis beside us, tried with the mapping sets on disk here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.moments import span_ms
from app.core.recipe import Recipe, read_recipe
from app.operations.actor import Actor
from app.operations.trying import Surroundings, try_recipe, unfit
from app.store.dead_letters import DeadLetters, Filter
from app.store.dead_letters.groups import Groups
from app.store.recipes import Recipes, SavedRecipe
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
        return await self._recipes.save(name, text, self.actor.name)

    async def delete(self, name: str) -> bool:
        return await self._recipes.delete(name, self.actor.name)

    async def selected(self, recipe: Recipe) -> Filter:
        """What a recipe selects now. Raises ValueError: no group, or several, begin so."""
        words, now_ms = recipe.selection, time.time_ns() // 1_000_000
        same = ("connection", "kind", "code", "event_id", "mapping", "campaign", "text", "run")
        asked: dict[str, Any] = {name: words.get(name) for name in same}
        if "older" in words:
            asked["died_before_ms"] = now_ms - span_ms(words["older"])
        if "newer" in words:
            asked["died_after_ms"] = now_ms - span_ms(words["newer"])
        if "group" in words:
            found = await Groups(self.redis).resolve_prefix(words["group"].lower())
            if len(found) != 1:
                raise ValueError(f"{len(found)} groups begin with {words['group']!r}")
            [asked["fingerprint"]] = found
        return Filter(failure=words.get("class"), **asked)

    async def try_out(
        self, text: str, wanted: Filter, sample: int, shown: int, told: Callable[[int, int], None]
    ) -> dict[str, Any]:
        recipe, trials = read_recipe(text), await asyncio.to_thread(self.around.trials)
        letters = DeadLetters(self.redis)
        found = await try_recipe(letters, trials, recipe, wanted, sample, shown, told)
        return found.document()

    async def unfit(self, text: str, connections: Sequence[str]) -> list[str]:
        recipe = read_recipe(text)
        if not recipe.mapping:
            return []
        trials = await asyncio.to_thread(self.around.trials)
        return await asyncio.to_thread(unfit, trials, recipe, connections)
