"""A bulk replay that follows a recipe: frozen here, looked at, tried and started as any other."""

from __future__ import annotations

from aiohttp import web

from app.core.recipe import made_by
from app.web.console.pages.recipes.reading import name_in, saved
from app.web.console.pages.recipes.trying import followed
from app.web.console.pages.replay import freeze_run


async def freeze(request: web.Request) -> web.StreamResponse:
    """POST /recipes/{name}/freeze. Nothing is replayed before it is started."""
    found = await saved(request, name_in(request))
    recipe, wanted = await followed(request, found.text)
    mark = (made_by(found.name, found.version), found.text)
    return await freeze_run(request, wanted, recipe.orders, mark)
