"""Writing a recipe: what is typed is read at once, and kept as the next version of its name."""

from __future__ import annotations

import time
from typing import Final, NamedTuple

import orjson
from aiohttp import web

from app.core.errors import RecipeInvalid
from app.core.recipe import NAME
from app.store.recipes import Recipes, selected_by
from app.web.console import look
from app.web.console.config import CONSOLE
from app.web.console.door import WHO
from app.web.console.forms import read_form
from app.web.console.pages.recipes.reading import Understood, name_in, saved, understand
from app.web.console.pages.recipes.trying import Tried, try_text

# A recipe has at most 65,536 characters (core/recipe/document.py), of three bytes each in a form.
FORM_BYTES: Final = 400_000

_BEGINNING: Final = """\
about: What it repairs, in a line
selection: {selection}
steps:
  - rename: /data/old_name
    to: /data/new_name
rate: 100
stop: {{at: 0.1, least: 50}}
"""


class Written(NamedTuple):
    """What is in the form. `seen`: the version that it is to replace, 0 = none."""

    name: str
    text: str
    seen: int


async def new_page(request: web.Request) -> web.Response:
    """GET /recipes/_new?group=: a recipe to begin with."""
    group = request.query.get("group", "")
    # JSON is YAML, and what stood in the address stays a text.
    selection = orjson.dumps({"group": group} if group else {"class": "mapping"}).decode()
    text = _BEGINNING.format(selection=selection)
    return _form(request, Written("", text, 0), None)


async def edit_page(request: web.Request) -> web.Response:
    """GET /recipes/{name}/edit."""
    found = await saved(request, name_in(request))
    written = Written(found.name, found.text, found.version)
    return _form(request, written, understand(found.text))


async def check(request: web.Request) -> web.Response:
    """POST /recipes/_check: text. What is said of it, for the page's part."""
    understood = await _read(request, (await _written(request)).text)
    return look.render(request, "parts/recipe_verdict.html", {"understood": understood})


async def save(request: web.Request) -> web.StreamResponse:
    """POST /recipes/_save: name, text, seen, act (save, check or try)."""
    written, act = await _written(request), (await read_form(request)).get("act", "")
    understood = await _read(request, written.text)
    if understood.faults or act == "check":
        return _form(request, written, understood, status=422 if understood.faults else 200)
    if act == "try":
        return _form(request, written, understood, tried=await try_text(request, written.text))
    if not NAME.fullmatch(written.name):
        fault = "The name: lower case letters, digits and dashes, at most 64."
        return _form(request, written, understood, fault, status=422)
    who = request[WHO]
    version = await Recipes(request.app[CONSOLE].redis).save(
        written.name, written.text, who.name, over=written.seen, origin=who.origin
    )
    if version is None:
        fault = "Another one was saved under this name meanwhile: look at it, or take another name."
        return _form(request, written, understood, fault, status=409)
    return look.after(request, f"/recipes/{written.name}", f"Saved as {written.name}@{version}.")


async def delete(request: web.Request) -> web.StreamResponse:
    """POST /recipes/{name}/delete: runs that follow it go on."""
    name, who = (await saved(request, name_in(request))).name, request[WHO]
    await Recipes(request.app[CONSOLE].redis).delete(name, who.name, origin=who.origin)
    return look.after(request, "/recipes", f"{name} is deleted.")


async def _read(request: web.Request, text: str) -> Understood:
    """With the one fault that only Redis knows: a group that is not there."""
    understood = understand(text)
    if understood.recipe is not None:
        try:
            now_ms = time.time_ns() // 1_000_000
            await selected_by(request.app[CONSOLE].redis, understood.recipe, now_ms)
        except RecipeInvalid as invalid:
            return Understood(None, invalid.faults)
    return understood


def _form(
    request: web.Request,
    written: Written,
    understood: Understood | None,
    fault: str = "",
    *,
    tried: Tried | None = None,
    status: int = 200,
) -> web.Response:
    context = {"written": written, "understood": understood, "fault": fault, "tried": tried}
    return look.render(request, "recipe_edit.html", context, status=status)


async def _written(request: web.Request) -> Written:
    """Browsers send their own line ends."""
    given = await read_form(request)
    seen = given.get("seen", "")
    number = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0
    text = given.get("text", "").replace("\r\n", "\n")
    return Written(given.get("name", "").strip(), text, number)
