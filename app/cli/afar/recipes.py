"""Recipes of a console elsewhere, tried with the mapping sets that it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from app.cli.afar.client import Client, part
from app.core.errors import ConsoleRefused
from app.operations.wire import filter_document, recipe_of
from app.store.dead_letters import Filter
from app.store.recipes import SavedRecipe

_SAMPLE: Final = 1_000
_SHOWN: Final = 100


@dataclass(slots=True)
class AfarRecipes:
    """app.operations.face.Recipes."""

    client: Client

    async def all(self) -> list[SavedRecipe]:
        answer = await self.client.get("/recipes")
        return [recipe_of(each) for each in answer["recipes"]]

    async def get(self, name: str) -> SavedRecipe | None:
        found = await self.client.find(f"/recipes/{part(name)}")
        return None if found is None else recipe_of(found)

    async def save(self, name: str, text: str) -> int:
        body = orjson.dumps({"text": text})
        return int(
            (await self.client.document("PUT", f"/recipes/{part(name)}", body=body))["version"]
        )

    async def delete(self, name: str) -> bool:
        path = f"/recipes/{part(name)}"
        return await self.client.document("DELETE", path, missing=True) is not None

    async def try_out(
        self, text: str, wanted: Filter, sample: int, shown: int, told: Callable[[int, int], None]
    ) -> dict[str, Any]:
        if sample > _SAMPLE or shown > _SHOWN:
            raise ConsoleRefused(
                f"from afar, a dry run tries at most {_SAMPLE:,} (--sample) and shows {_SHOWN}"
            )
        asked = {"text": text, "wanted": filter_document(wanted), "sample": sample, "shown": shown}
        answer: dict[str, Any] = await self.client.post("/recipes/dry-run", asked)
        answer.pop("unfit", None)
        return answer

    async def unfit(self, text: str, connections: Sequence[str]) -> list[str]:
        asked = {"text": text, "connections": list(connections)}
        return list((await self.client.post("/recipes/unfit", asked))["unfit"])
