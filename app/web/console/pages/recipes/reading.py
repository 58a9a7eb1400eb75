"""Recipes that are saved, and what each says."""

from __future__ import annotations

from typing import Final, NamedTuple

from aiohttp import web

from app.core.errors import RecipeInvalid
from app.core.recipe import NAME, Recipe, made_by, read_recipe
from app.core.replay_run import ReplayRun
from app.core.replay_words import asked_for
from app.store.recipes import Recipes, SavedRecipe
from app.store.replay_runs import ReplayRuns
from app.web.console import look
from app.web.console.config import CONSOLE

# Runs that are looked through for those of one recipe.
_RUNS: Final = 200
_RUNS_SHOWN: Final = 10


class Understood(NamedTuple):
    """A recipe's text in words. `faults`: why it is none."""

    recipe: Recipe | None
    faults: tuple[str, ...] = ()

    @property
    def selection(self) -> str:
        return asked_for(self.recipe.selection) if self.recipe else ""

    @property
    def steps(self) -> list[str]:
        """A line each."""
        return [
            f"{step}{f' to {step.to}' if step.to else ''}{' (optional)' if step.optional else ''}"
            for step in (self.recipe.steps if self.recipe else ())
        ]


class Kept(NamedTuple):
    """A saved recipe, and the bulk replays that followed it lately."""

    saved: SavedRecipe
    understood: Understood
    runs: list[ReplayRun]


def understand(text: str) -> Understood:
    """Raises nothing."""
    try:
        return Understood(read_recipe(text))
    except RecipeInvalid as invalid:
        return Understood(None, invalid.faults)


async def page(request: web.Request) -> web.Response:
    """GET /recipes."""
    recipes = Recipes(request.app[CONSOLE].redis)
    panel = await request.app[CONSOLE].panels.show("recipes", recipes.all)
    told = [(each, understand(each.text)) for each in panel.data or []]
    return look.render(request, "recipes.html", {"panel": panel, "recipes": told})


async def document(request: web.Request) -> web.Response:
    """GET /api/recipes, the same as `sluice recipes list --json`."""
    found = await Recipes(request.app[CONSOLE].redis).all()
    return look.json_response([each._asdict() for each in found])


async def one_page(request: web.Request) -> web.Response:
    """GET /recipes/{name}."""
    name = name_in(request)
    panel = await request.app[CONSOLE].panels.show(("recipe", name), lambda: _kept(request, name))
    status = 404 if panel.data is None and not panel.fault else 200
    context = {"panel": panel, "name": name, "kept": panel.data}
    return look.render(request, "recipe.html", context, status=status)


async def one_document(request: web.Request) -> web.Response:
    """GET /api/recipes/{name}, the same as `sluice recipes show --json`."""
    return look.json_response((await saved(request, name_in(request)))._asdict())


def name_in(request: web.Request) -> str:
    """Raises HTTPNotFound for what is no name of a recipe."""
    name = request.match_info["name"]
    if not NAME.fullmatch(name):
        raise web.HTTPNotFound(text="There is no such recipe.")
    return name


async def saved(request: web.Request, name: str) -> SavedRecipe:
    """Raises HTTPNotFound, StoreUnavailable."""
    found = await Recipes(request.app[CONSOLE].redis).get(name)
    if found is None:
        raise web.HTTPNotFound(text="There is no such recipe.")
    return found


async def _kept(request: web.Request, name: str) -> Kept | None:
    redis = request.app[CONSOLE].redis
    found = await Recipes(redis).get(name)
    if found is None:
        return None
    newest = await ReplayRuns(redis).newest(_RUNS)
    marks = {made_by(name, version) for version in range(1, found.version + 1)}
    runs = [run for run in newest if run.recipe in marks][:_RUNS_SHOWN]
    return Kept(found, understand(found.text), runs)
