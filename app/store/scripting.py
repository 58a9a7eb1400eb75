"""Loads the Lua scripts that lie beside this package."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from app.store.faults import store_faults


class Script:
    """One script, sent whole once and by its digest afterwards. Contract: see the .lua file."""

    def __init__(self, redis: Redis, name: str) -> None:
        source = (files("app.store") / "scripts" / f"{name}.lua").read_text()
        self._script: AsyncScript = redis.register_script(source)

    async def __call__(self, keys: list[str], args: list[Any]) -> Any:
        """Runs it. Raises StoreUnavailable."""
        with store_faults():
            return await self._script(keys=keys, args=args)
