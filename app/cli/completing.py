"""Names that a shell may complete. Whatever is wrong, there are none: a Tab must not scold."""

from __future__ import annotations

import asyncio
from typing import Final

from app.cli.afar.choice import elsewhere
from app.core.errors import SluiceError
from app.settings import environment, load_connections, load_settings
from app.store.connect import open_store
from app.store.recipes import Recipes

# Whoever presses Tab does not wait for a Redis that is away.
_SECONDS: Final = 1.0


def connection_names(incomplete: str) -> list[str]:
    """Of the configuration."""
    try:
        settings = load_settings(environment())
        found = load_connections(settings.folders, environment(), secrets=False)
    except (SluiceError, OSError):
        return []
    return [name for name in found if name.startswith(incomplete)]


def recipe_names(incomplete: str) -> list[str]:
    """Of those that are saved."""
    try:
        found = asyncio.run(asyncio.wait_for(_saved(), _SECONDS))
    except (SluiceError, OSError, TimeoutError):
        return []
    return [name for name in found if name.startswith(incomplete)]


async def _saved() -> list[str]:
    if elsewhere() is not None:
        return []  # a console is too far away for a Tab
    redis = open_store(load_settings(environment()).redis, timeout_seconds=_SECONDS, retries=0)
    try:
        return [each.name for each in await Recipes(redis).all()]
    finally:
        await redis.aclose(close_connection_pool=True)
