"""The calls of the App API (customerio.md section 10), at the paths of both regions.

`https://api.customer.io` is the sandbox's own address, `https://api-eu.customer.io` is that and
`/eu`. Source addresses are those of section 9.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from aiohttp import web

from app.sandbox.config import Region
from app.sandbox.control.befall import Plain
from app.sandbox.customerio.appapi.entry import Shown, answer, problem, with_key, without_key
from app.sandbox.customerio.appapi.webhook import Webhook
from app.sandbox.customerio.workspace import LiveWorkspace

OfOne = Callable[[LiveWorkspace, Webhook, bytes], web.Response]

_BASES: Final[dict[Region, str]] = {"us": "", "eu": "/eu"}
_LIST: Final = "/v1/reporting_webhooks"
_ONE: Final = "/v1/reporting_webhooks/{webhook}"

_ADDRESSES: Final[dict[Region, tuple[str, ...]]] = {
    "us": (
        "35.188.196.183", "104.198.177.219", "104.154.232.87", "130.211.229.195",
        "104.198.221.24", "104.197.27.15", "35.194.9.154", "104.154.144.51", "104.197.210.12",
        "35.225.6.73", "136.111.237.157", "34.10.127.179",
    ),
    "eu": (
        "34.76.143.229", "34.78.91.47", "34.77.94.252", "35.187.188.242", "34.78.122.90",
        "35.195.137.235", "130.211.108.156", "104.199.50.18", "34.78.44.80", "35.205.31.154",
    ),
}  # fmt: skip


def app_api_routes() -> list[web.RouteDef]:
    return [route for region, base in _BASES.items() for route in _region_routes(region, base)]


def _region_routes(region: Region, base: str) -> list[web.RouteDef]:
    keyed: partial[Plain] = partial(with_key, region)
    return [
        web.get(base + _LIST, keyed(list_webhooks)),
        web.post(base + _LIST, keyed(create_webhook)),
        web.get(base + _ONE, keyed(_of_one(show_webhook))),
        web.put(base + _ONE, keyed(_of_one(update_webhook))),
        web.delete(base + _ONE, keyed(_of_one(delete_webhook))),
        web.get(base + "/v1/info/ip_addresses", without_key(partial(show_addresses, region))),
    ]


def list_webhooks(_request: web.Request, workspace: LiveWorkspace, _body: bytes) -> web.Response:
    """Without any the list is null: a caller in the field guards against it (section 10)."""
    found = [registered.webhook.as_dict() for registered in workspace.webhooks.values()]
    return answer({"reporting_webhooks": found or None})


def create_webhook(_request: web.Request, workspace: LiveWorkspace, body: bytes) -> web.Response:
    return answer(workspace.create(body).as_dict())


def show_webhook(_workspace: LiveWorkspace, webhook: Webhook, _body: bytes) -> web.Response:
    return answer(webhook.as_dict())


def update_webhook(workspace: LiveWorkspace, webhook: Webhook, body: bytes) -> web.Response:
    return answer(workspace.update(webhook, body).as_dict())


def delete_webhook(workspace: LiveWorkspace, webhook: Webhook, _body: bytes) -> web.Response:
    workspace.delete(webhook)
    return web.Response()


def show_addresses(region: Region, _request: web.Request) -> web.Response:
    return answer({"ip_addresses": list(_ADDRESSES[region])})


def _of_one(handler: OfOne) -> Shown:
    """`handler`, given the webhook of the path; another workspace's is not found either."""

    def find(request: web.Request, workspace: LiveWorkspace, body: bytes) -> web.Response:
        number = request.match_info["webhook"]
        known = number.isascii() and number.isdigit() and len(number) < 19
        registered = workspace.webhooks.get(int(number)) if known else None
        if registered is None:
            return problem(404, "not found")
        return handler(workspace, registered.webhook, body)

    return find
