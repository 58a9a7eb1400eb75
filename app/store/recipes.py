"""Saved recipes: name -> YAML text, version, who and when. A run carries its own copy of the text.

Nothing here reads the text; who saves it has (app/core/recipe). Every method raises
StoreUnavailable.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import msgpack

from app.store import keys
from app.store.audit import Audit
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

    async def save(self, name: str, text: str, who: str) -> int:
        """Its version now: one more than the last, or as before when the text is the same."""
        await Audit(self.redis).record(who, "recipes.save", recipe=name)
        return int(await self._save([keys.RECIPES, keys.RECIPE_VERSIONS], [name, text, who]))

    async def get(self, name: str) -> SavedRecipe | None:
        with store_faults():
            packed = await cast(Awaitable[bytes | None], self.redis.hget(keys.RECIPES, name))
        return None if packed is None else _read(name, packed)

    async def all(self) -> list[SavedRecipe]:
        """By name."""
        with store_faults():
            found = await cast(Awaitable[dict[bytes, bytes]], self.redis.hgetall(keys.RECIPES))
        return sorted(_read(str(name, "utf-8"), packed) for name, packed in found.items())

    async def delete(self, name: str, who: str) -> bool:
        """False: there was none. Runs that follow it go on."""
        await Audit(self.redis).record(who, "recipes.delete", recipe=name)
        with store_faults():
            return bool(await cast(Awaitable[int], self.redis.hdel(keys.RECIPES, name)))


def _read(name: str, packed: bytes) -> SavedRecipe:
    return SavedRecipe(name, *msgpack.unpackb(packed))
