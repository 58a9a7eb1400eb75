"""Saved recipes: name -> YAML text, version, who and when. A run carries its own copy of the text.

Nothing here reads the text; who saves it has (app/core/recipe). Everything raises StoreUnavailable.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import msgpack

from app.core.errors import RecipeInvalid
from app.core.moments import moment_ms, span_ms
from app.core.recipe import Recipe
from app.store import keys
from app.store.audit import Audit
from app.store.dead_letters.filter import Filter
from app.store.dead_letters.groups import Groups
from app.store.faults import store_faults
from app.store.scripting import Script, Store


class SavedRecipe(NamedTuple):
    """`saved_ms`: Unix ms of Redis' clock."""

    name: str
    version: int
    who: str
    saved_ms: int
    text: str


@dataclass(slots=True)
class Recipes:
    """All of them."""

    redis: Store
    _save: Script = field(init=False)

    def __post_init__(self) -> None:
        self._save = Script(self.redis, "recipe_save")

    async def save(
        self, name: str, text: str, who: str, *, over: int | None = None, origin: str = ""
    ) -> int | None:
        """Its version now: one more than the last, or as before when the text is the same.

        `over`: the version that it is to replace, 0 = none, None = any; when another is there,
        nothing is saved and the answer is None. `origin`: whence, for the trail.
        """
        await Audit(self.redis).record(who, "recipes.save", **_about(name, origin))
        args = [name, text, who, "" if over is None else over]
        version = int(await self._save([keys.RECIPES, keys.RECIPE_VERSIONS], args))
        return version or None

    async def get(self, name: str) -> SavedRecipe | None:
        with store_faults():
            packed = await cast(Awaitable[bytes | None], self.redis.hget(keys.RECIPES, name))
        return None if packed is None else _read(name, packed)

    async def all(self) -> list[SavedRecipe]:
        """By name."""
        with store_faults():
            found = await cast(Awaitable[dict[bytes, bytes]], self.redis.hgetall(keys.RECIPES))
        return sorted(_read(str(name, "utf-8"), packed) for name, packed in found.items())

    async def delete(self, name: str, who: str, *, origin: str = "") -> bool:
        """False: there was none. Runs that follow it go on."""
        await Audit(self.redis).record(who, "recipes.delete", **_about(name, origin))
        with store_faults():
            return bool(await cast(Awaitable[int], self.redis.hdel(keys.RECIPES, name)))


async def selected_by(redis: Store, recipe: Recipe, now_ms: int) -> Filter:
    """The letters that a recipe is for. Raises RecipeInvalid: a group that is not there."""
    words = recipe.selection
    after = [now_ms - span_ms(words["newer"])] if "newer" in words else []
    before = [now_ms - span_ms(words["older"])] if "older" in words else []
    after += [moment_ms(words["from"])] if "from" in words else []
    before += [moment_ms(words["to"])] if "to" in words else []
    return Filter(
        connection=words.get("connection"),
        failure=words.get("class"),
        kind=words.get("kind"),
        event_id=words.get("event_id"),
        code=words.get("code"),
        mapping=words.get("mapping"),
        died_after_ms=max(after, default=None),
        died_before_ms=min(before, default=None),
        fingerprint=await _fingerprint(redis, words.get("group")),
        campaign=words.get("campaign"),
        text=words.get("text"),
        run=words.get("run"),
    )


async def _fingerprint(redis: Store, beginning: str | None) -> str | None:
    if beginning is None:
        return None
    found = await Groups(redis).resolve_prefix(beginning.lower())
    if len(found) != 1:
        words = f"{len(found)} groups begin" if found else "no group begins"
        raise RecipeInvalid([f"selection.group: {words} with {beginning!r}"])
    return found[0]


def _about(name: str, origin: str) -> dict[str, str]:
    return {"recipe": name, "origin": origin} if origin else {"recipe": name}


def _read(name: str, packed: bytes) -> SavedRecipe:
    return SavedRecipe(name, *msgpack.unpackb(packed))
