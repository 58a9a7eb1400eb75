"""The calls about identity namespaces (platform.md section 5.2)."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from app.sandbox.gateway.entry import behind_gateway
from app.sandbox.gateway.errors import api_error, json_answer
from app.sandbox.gateway.view import View
from app.sandbox.plane.body import client_of, object_of, refused, text_in
from app.sandbox.plane.document import Document
from app.sandbox.state import Sandbox

_BASE: Final = "/data/core/idnamespace/identities"
_ID_TYPES: Final = (
    "Cookie",
    "Cross_device",
    "Device",
    "Email",
    "Mobile",
    "Non_people",
    "Phone",
)
# Code, id, type. The reference gives the ids of Email and ECID; the others are ours.
_STANDARD: Final = (
    ("Email", 6, "Email"),
    ("Phone", 7, "Phone"),
    ("ECID", 4, "Cookie"),
    ("AdCloud", 411, "Cookie"),
    ("CORE", 0, "Cookie"),
    ("GAID", 20914, "Device"),
    ("IDFA", 20915, "Device"),
    ("TNTID", 9, "Cookie"),
    ("WAID", 8, "Device"),
)
# Custom ones are numbered from here.
_FIRST_ID: Final = 10_000_000


def namespace_routes() -> list[web.RouteDef]:
    return [
        web.get(_BASE, behind_gateway("namespaces", list_namespaces)),
        web.post(_BASE, behind_gateway("namespaces", create_namespace)),
        web.get(f"{_BASE}/{{id}}", behind_gateway("namespaces", show_namespace)),
    ]


async def list_namespaces(_request: web.Request, view: View) -> web.StreamResponse:
    """All of them, Adobe's first."""
    found = [_shown(each) for each in view.sandbox.plane.namespaces.values()]
    return json_answer(list(view.page(found)))


async def create_namespace(request: web.Request, view: View) -> web.StreamResponse:
    """200 with the namespace; its code is for ever."""
    body = await object_of(request, view)
    name, code = text_in(view, body, "name"), text_in(view, body, "code")
    if not (code.isascii() and code.isalnum()):
        raise refused(view, "code must be letters and digits only")
    if body.get("idType") not in _ID_TYPES:
        raise refused(view, f"idType must be one of {', '.join(_ID_TYPES)}")
    sandbox = view.sandbox
    if code.casefold() in sandbox.plane.namespaces:
        text = f"A namespace with the code {code} exists already"
        conflict = "NAMESPACE_CODE_CONFLICT"
        raise api_error(sandbox, view.side, 409, text, conflict, conflict)
    number = _FIRST_ID + len(sandbox.plane.namespaces)
    kept = {"id": number, "name": name, "code": code, "idType": body["idType"], "custom": True}
    kept["description"] = body.get("description", "")
    document = Document.new(sandbox, code, kept, client_of(request))
    sandbox.plane.namespaces[code.casefold()] = document
    return json_answer(_shown(document))


async def show_namespace(request: web.Request, view: View) -> web.StreamResponse:
    """By its number, or by its code."""
    asked = request.match_info["id"]
    for each in view.sandbox.plane.namespaces.values():
        if asked in (str(each.body["id"]), each.body["code"]):
            return json_answer(_shown(each))
    raise api_error(view.sandbox, view.side, 404, f"Namespace {asked} not found")


def add_standard(sandbox: Sandbox) -> None:
    """Adobe's own."""
    for code, number, id_type in _STANDARD:
        body = {"id": number, "name": code, "code": code, "idType": id_type, "custom": False}
        document = Document.new(sandbox, code, body, "adobe", seeded=True)
        sandbox.plane.namespaces[code.casefold()] = document


def _shown(document: Document) -> dict[str, Any]:
    return {
        **document.body,
        "status": "ACTIVE",
        "namespaceType": "Custom" if document.body["custom"] else "Standard",
        "createTime": document.created_ms,
        "updateTime": document.updated_ms,
    }
