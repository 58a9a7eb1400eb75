"""Recipes: looked at, kept, tried."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from app.core.errors import ConfigError, RecipeInvalid
from app.core.recipe import NAME, Recipe, read_recipe
from app.web.console import look
from app.web.console.api.acts import TRY_SECONDS, too_long
from app.web.console.api.asked import (
    MOST,
    body_of,
    config_fault,
    here,
    number_in,
    text_in,
    wanted_in,
    wrong,
)
from app.web.console.api.runs import named

_TEXT_MAX: Final = 65_536
RECIPE_BYTES: Final = 6 * _TEXT_MAX
_SHOWN: Final = 100


async def listed(request: web.Request) -> web.Response:
    """GET recipes."""
    found = await here(request).recipes.all()
    return look.json_response({"recipes": [each._asdict() for each in found]})


async def one(request: web.Request) -> web.Response:
    """GET recipes/{name}."""
    found = await here(request).recipes.get(request.match_info["name"])
    if found is None:
        raise wrong("There is no such recipe.", 404)
    return look.json_response(found._asdict())


async def save(request: web.Request) -> web.Response:
    """PUT recipes/{name}: {"text": YAML}; a change is its next version."""
    name, text = request.match_info["name"], text_in(await body_of(request), "text", _TEXT_MAX)
    if not NAME.fullmatch(name):
        raise wrong("A recipe's name: lower case letters, digits and dashes, at most 64.")
    _read(text)
    version = await here(request).recipes.save(name, text)
    return look.json_response({"name": name, "version": version})


async def delete(request: web.Request) -> web.Response:
    """DELETE recipes/{name}. Runs that follow it go on."""
    name = request.match_info["name"]
    if not await here(request).recipes.delete(name):
        raise wrong("There is no such recipe.", 404)
    return look.json_response({"name": name, "deleted": True})


async def try_out(request: web.Request) -> web.Response:
    """POST recipes/dry-run: {"text": YAML} or {"recipe": NAME}, "sample", "shown", and "wanted" to
    try it on others. Writes nothing."""
    given, recipes = await body_of(request), here(request).recipes
    text = text_in(given, "text", _TEXT_MAX)
    if not text:
        _, text = await named(recipes, text_in(given, "recipe"))
    recipe = _read(text)
    sample, shown = number_in(given, "sample", 200, MOST), number_in(given, "shown", 5, _SHOWN)
    try:
        wanted = wanted_in(given) if "wanted" in given else await recipes.selected(recipe)
        async with asyncio.timeout(TRY_SECONDS):
            document = await recipes.try_out(text, wanted, sample, shown, lambda *_: None)
            unfit = await recipes.unfit(text, list(document["selection"]["connections"]))
    except ConfigError as fault:
        raise config_fault(fault) from None
    except TimeoutError:
        raise too_long() from None
    except RecipeInvalid as fault:
        raise wrong(f"{fault}.", 422) from None
    return look.json_response({**document, "unfit": unfit})


async def unfit(request: web.Request) -> web.Response:
    """POST recipes/unfit: {"text": YAML, "connections": [...]}: which are not mapped by the version
    that it wants."""
    given = await body_of(request)
    text, names = text_in(given, "text", _TEXT_MAX), given.get("connections")
    _read(text)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise wrong("connections: a list of names.")
    try:
        return look.json_response({"unfit": await here(request).recipes.unfit(text, names[:MOST])})
    except ConfigError as fault:
        raise config_fault(fault) from None


def _read(text: str) -> Recipe:
    try:
        return read_recipe(text)
    except RecipeInvalid as invalid:
        raise wrong("\n".join(invalid.faults), 422) from None
