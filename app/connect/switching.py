"""The dataflow on and off (platform.md section 1.10), and Customer.io's sending with it.

Off, the lane is held without an end: what Customer.io sends is still taken, and waits in Redis. It
is held before the dataflow is disabled, and until it is known to be enabled; killed in between, it
stays held, and either command may be run again. Events of a time when the webhook is off are not
sent later (customerio.md section 9).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from app.adobe.flow_service import Flow
from app.connect import holding
from app.connect.run import Progress, Run
from app.connect.steps.connections import in_use
from app.connect.steps.webhook import find_webhook
from app.core.errors import ApiFault, SluiceError
from app.customerio.webhooks import Webhook

_OFF: Final = "the dataflow is disabled"
_NEW: Final = "the dataflow was just enabled: what is sent now may be lost"


async def switch(run: Run, enabled: bool, *, webhook: bool) -> None:
    """Raises SluiceError when there is nothing to switch. May be run again."""
    holding.lane_of(run)
    found: Flow | None = in_use(run, "flow", await run.ends.flows.flows_named(run.setup.flow_name))
    if found is None:
        raise SluiceError(f"there is no dataflow {run.setup.flow_name}: apply the setup first")
    # Before anything is done: there may be none, or two.
    sender = await _the_webhook(run) if webhook else None
    await (_enable if enabled else _disable)(run, found)
    word = "enabled" if enabled else "disabled"
    run.tell(Progress("note", text=f"dataflow {found.id} is {word}"))
    if sender is not None:
        await _switch_webhook(run, sender, enabled)


async def _disable(run: Run, found: Flow) -> None:
    if holding.is_off(found):
        await holding.lane_of(run).hold(None, _OFF)
        return
    try:
        await holding.before_disabling(run, _OFF)
        await _turn(run, found, False)
    except holding.StillUnderWay:
        await holding.as_before(run)
        raise
    except ApiFault as fault:
        # Else it may be off by now: the lane stays held.
        if not fault.maybe_done:
            await holding.as_before(run)
        raise


async def _enable(run: Run, found: Flow) -> None:
    lane = holding.lane_of(run)
    # One that is on its way is waited for by the client.
    if found.state.lower() not in ("enabled", "enabling"):
        await lane.hold(None, _OFF)
        await _turn(run, found, True)
    elif await lane.held_for() is not None:
        # Open, or it opens by itself.
        return
    # Without an end, though it is on: a command was killed, or somebody enabled it in Platform, and
    # nobody wrote down when.
    await holding.settling(run, _NEW)


async def _turn(run: Run, found: Flow, enabled: bool) -> None:
    """Raises ApiFault when that failed, as far as the dataflow shows."""
    try:
        async with holding.in_time("enable the dataflow" if enabled else "disable the dataflow"):
            await run.ends.flows.set_enabled(found.id, enabled)
    except ApiFault as fault:
        now = await run.ends.flows.flow(found.id) if fault.maybe_done else None
        if now is None or holding.is_off(now) == enabled:
            raise


async def _the_webhook(run: Run) -> Webhook:
    found = await find_webhook(run)
    if found is None:
        raise SluiceError(f"there is no webhook {run.setup.webhook_name}: apply the setup first")
    return found


async def _switch_webhook(run: Run, found: Webhook, enabled: bool) -> None:
    # Written first: an apply in between must not undo it.
    run.state.webhook_off = not enabled
    run.file.save()
    if found.disabled == enabled:
        await run.ends.webhooks.update(replace(found, disabled=not enabled))
    run.tell(Progress("note", text=f"webhook {found.name} is {'on' if enabled else 'off'}"))
