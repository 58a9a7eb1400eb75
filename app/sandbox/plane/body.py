"""What a call to the control plane brings: its body, or the refusal of it."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from app.core.errors import PatchInvalid
from app.core.json_patch import apply_patch
from app.sandbox.gateway.errors import api_error
from app.sandbox.gateway.view import View


async def json_of(request: web.Request, view: View, *types: str) -> Any:
    """The body's JSON. Raises Turned: no body, another Content-Type (section 0), no JSON."""
    body = await request.read()
    if not body:
        text = "The request body cannot be null or empty. Please provide a request body"
        raise api_error(view.sandbox, view.side, 400, text, "1405-400")
    wanted = types or ("application/json",)
    if request.content_type not in wanted:
        text = f"Content-Type {request.content_type} is not supported, wanted {wanted[0]}"
        raise api_error(view.sandbox, view.side, 415, text)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise refused(view, "The request body is not valid JSON") from None


async def object_of(request: web.Request, view: View) -> dict[str, Any]:
    """The body, an object that says something. Raises Turned."""
    found = await json_of(request, view)
    if not isinstance(found, dict):
        raise refused(view, "The request body must be an object")
    if not found:
        text = "The request body cannot be null or empty. Please provide a request body"
        raise api_error(view.sandbox, view.side, 400, text, "1405-400")
    return found


def patched(view: View, document: dict[str, Any], patch: Any, code: str = "") -> dict[str, Any]:
    """`document` after a JSON Patch; the old one stays as it is. Raises Turned."""
    try:
        changed = apply_patch(document, patch)
    except PatchInvalid as fault:
        text = f"An error has occurred while validating patch instructions: {fault}"
        raise refused(view, text, code) from None
    if not isinstance(changed, dict):
        raise refused(view, "The patch leaves no object", code)
    return changed


def refused(view: View, text: str, code: str = "") -> Exception:
    """400, with the API's usual code unless another is given."""
    return api_error(view.sandbox, view.side, 400, text, code)


def text_in(view: View, body: dict[str, Any], key: str) -> str:
    """A text that must be there. Raises Turned."""
    found = body.get(key)
    if not isinstance(found, str) or not found.strip():
        raise refused(view, f"{key} is required and must be a text")
    return found


def client_of(request: web.Request) -> str:
    """Who calls; the gateway let nobody in without it."""
    return request.headers["x-api-key"]
