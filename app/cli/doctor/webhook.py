"""Customer.io's end: the reporting webhook, and where its calls come from."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

from app.cli.doctor.finding import Said, failed, ok, warning
from app.cli.doctor.ground import Ground
from app.connect.state import StateFile
from app.customerio.app_api import AppApi, Workspace
from app.customerio.events import events_of
from app.customerio.webhooks import Webhook, Webhooks
from app.settings import Connection
from app.settings.setups import Setup

_NAMED: Final = 5


async def webhook(ground: Ground, connection: Connection) -> list[Said]:
    """Enabled, at our address, with the events of the setup. Raises CustomerIoFault."""
    setup = ground.setup(connection)
    everything = await _webhooks(ground, setup).all()
    ours = [each for each in everything if each.endpoint.rstrip("/") == setup.webhook_url]
    found = _chosen(ground, setup, everything)
    if found is None:
        named = f"{setup.webhook_name}, nor one to {setup.webhook_url}"
        text = f"Customer.io has no reporting webhook {named}"
        return [failed(text, f"sluice connection apply {connection.name}")]
    said = _judged(setup, found)
    if len(ours) > 1:
        names = ", ".join(f"{each.name} ({each.id})" for each in ours)
        text = f"{len(ours)} reporting webhooks send to the same address: {names}"
        said.append(warning(text, "delete all but one in Customer.io: each has a key of its own"))
    return said or [ok(f"{found.name} is on, with {len(found.events)} events")]


async def sources(ground: Ground, connection: Connection) -> list[Said]:
    """Whether all of Customer.io's addresses are let in, where only some are."""
    if not connection.allowed_sources:
        return []
    addresses = await _webhooks(ground, ground.setup(connection)).addresses()
    shut = [
        each
        for each in addresses
        if not any(ip_address(each) in network for network in connection.allowed_sources)
    ]
    if shut:
        text = f"Customer.io also calls from {_some(shut)}, which allowed_sources does not let in"
        return [failed(text, "add them to config/allowed_sources.yaml: they are answered 503")]
    return [ok(f"Customer.io's {len(addresses)} addresses are let in")]


def _judged(setup: Setup, found: Webhook) -> list[Said]:
    name = setup.name
    said: list[Said] = []
    if found.disabled:
        text = f"the webhook {found.name} is switched off: what happens meanwhile is never sent"
        said.append(
            failed(text, f"sluice connection enable {name}, or switch it on in Customer.io")
        )
    if found.endpoint.rstrip("/") != setup.webhook_url:
        text = f"the webhook {found.name} calls {found.endpoint}, and not {setup.webhook_url}"
        said.append(
            failed(text, f"sluice connection update {name}, or put the address right there")
        )
    wanted = events_of(setup.customerio.families)
    if missing := [each for each in wanted if each not in found.events]:
        text = f"the webhook {found.name} does not send {_some(missing)}"
        said.append(failed(text, f"sluice connection update {name}, or tick them in Customer.io"))
    if extra := [each for each in found.events if each not in wanted]:
        text = f"the webhook {found.name} also sends {_some(extra)}, which the setup does not name"
        said.append(warning(text, f"sluice connection update {name}, or add the family there"))
    if found.with_content and not setup.customerio.with_content:
        text = f"the webhook {found.name} sends message bodies: events over 10 KB miss Profile"
        said.append(warning(text, "untick Body Content in Customer.io"))
    if found.full_resolution != setup.customerio.full_resolution:
        text = f"the webhook {found.name} sends {_which(found)}, unlike the setup"
        said.append(warning(text, f"sluice connection update {name}"))
    return said


def _which(found: Webhook) -> str:
    return "every open and click" if found.full_resolution else "only first opens and clicks"


def _chosen(ground: Ground, setup: Setup, everything: Sequence[Webhook]) -> Webhook | None:
    """The one of the last apply; else of the name; else with our address."""
    kept = StateFile(ground.settings.data_dir, setup.name).state.ids.get("webhook", "")
    for wanted in (
        lambda each: str(each.id) == kept,
        lambda each: each.name == setup.webhook_name,
        lambda each: each.endpoint.rstrip("/") == setup.webhook_url,
    ):
        if found := next((each for each in everything if wanted(each)), None):
            return found
    return None


def _webhooks(ground: Ground, setup: Setup) -> Webhooks:
    workspace = Workspace(setup.customerio.url, setup.customerio.api_key.decode())
    return Webhooks(AppApi(ground.session, workspace))


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
