"""Reporting webhooks by the App API (customerio.md section 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.core.errors import CustomerIoMissing, CustomerIoUnreadable
from app.customerio.app_api import AppApi

PATH: Final = "/v1/reporting_webhooks"
ADDRESSES: Final = "/v1/info/ip_addresses"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A reporting webhook. `events`: names of app.customerio.events.

    `full_resolution`: every open and click, not only a person's first. `with_content`: message
    bodies in sent events, which makes them large. `type`: `webhook` or `js`.
    """

    id: int
    name: str
    endpoint: str
    events: tuple[str, ...]
    disabled: bool = False
    full_resolution: bool = False
    with_content: bool = False
    type: str = "webhook"


class Webhooks:
    """Raises what AppApi raises. Names are not sure to be unique: whoever makes a webhook looks
    for its name first, and again after a fault that says `maybe_done`."""

    def __init__(self, api: AppApi) -> None:
        self._api = api

    async def check_key(self) -> None:
        """Raises CustomerIoRefused when the App API key is not good, or of the other region."""
        await self.all()

    async def all(self) -> list[Webhook]:
        """Every reporting webhook of the workspace."""
        document = await self._api.call("GET", PATH)
        found = document.get("reporting_webhooks", ()) if isinstance(document, dict) else ()
        # n8n guards against null.
        if found is not None and not isinstance(found, list):
            raise CustomerIoUnreadable(f"GET {PATH}", "the answer has no list of webhooks")
        return [_webhook(f"GET {PATH}", each) for each in found or []]

    async def named(self, name: str) -> list[Webhook]:
        """Every webhook of this name, the oldest first."""
        found = [each for each in await self.all() if each.name == name]
        return sorted(found, key=lambda each: each.id)

    async def get(self, webhook_id: int) -> Webhook | None:
        """None = there is none."""
        path = f"{PATH}/{webhook_id}"
        try:
            return _webhook(f"GET {path}", await self._api.call("GET", path))
        except CustomerIoMissing:
            return None

    async def create(
        self,
        name: str,
        endpoint: str,
        events: Sequence[str],
        *,
        disabled: bool = True,
        full_resolution: bool = True,
        with_content: bool = False,
    ) -> Webhook:
        """Disabled, unless told otherwise: its signing key must be known here first."""
        wanted = Webhook(0, name, endpoint, tuple(events), disabled, full_resolution, with_content)
        return _webhook(f"POST {PATH}", await self._api.call("POST", PATH, _body(wanted)))

    async def update(self, webhook: Webhook) -> Webhook:
        """Makes the webhook of this id such as it is said here."""
        path = f"{PATH}/{webhook.id}"
        return _webhook(f"PUT {path}", await self._api.call("PUT", path, _body(webhook)))

    async def delete(self, webhook_id: int) -> bool:
        """False = it was not there any more."""
        try:
            await self._api.call("DELETE", f"{PATH}/{webhook_id}")
        except CustomerIoMissing:
            return False
        return True

    async def addresses(self) -> tuple[str, ...]:
        """Where webhooks come from, for allow lists; asked without the key."""
        document = await self._api.call("GET", ADDRESSES, key=False)
        found = document.get("ip_addresses") if isinstance(document, dict) else None
        if not isinstance(found, list):
            raise CustomerIoUnreadable(f"GET {ADDRESSES}", "the answer has no list of addresses")
        return tuple(each for each in found if isinstance(each, str))


def _body(webhook: Webhook) -> dict[str, Any]:
    """Without id and type, which are read-only."""
    return {
        "name": webhook.name,
        "endpoint": webhook.endpoint,
        "disabled": webhook.disabled,
        "full_resolution": webhook.full_resolution,
        "with_content": webhook.with_content,
        "events": list(webhook.events),
    }


def _webhook(call: str, document: Any) -> Webhook:
    """Raises CustomerIoUnreadable."""
    found = document if isinstance(document, dict) else {}
    webhook_id, events = found.get("id"), found.get("events")
    if type(webhook_id) is not int:
        fault = CustomerIoUnreadable(call, "the answer names no id; look for it by its name")
        fault.maybe_done = call.startswith("POST")
        raise fault
    return Webhook(
        webhook_id,
        str(found.get("name") or ""),
        str(found.get("endpoint") or ""),
        tuple(each for each in (events or []) if isinstance(each, str)),
        found.get("disabled") is True,
        found.get("full_resolution") is True,
        found.get("with_content") is True,
        str(found.get("type") or "webhook"),
    )
