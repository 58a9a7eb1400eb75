"""The dataflow on and off (platform.md section 1.10), and Customer.io's sending with it.

Off, the lane is held: what Customer.io sends is still taken, and waits in Redis. Events of a time
when the webhook is off are not sent later (customerio.md section 9).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from app.adobe.flow_service import Flow
from app.connect.run import Progress, Run
from app.connect.steps.connections import in_use
from app.connect.steps.webhook import find_webhook
from app.core.errors import SluiceError
from app.customerio.webhooks import Webhook

_OFF: Final = "the dataflow is disabled"
_NEW: Final = "the dataflow was just enabled: what is sent now may be lost"


async def switch(run: Run, enabled: bool, *, webhook: bool) -> None:
    """Raises SluiceError when there is nothing to switch. May be run again."""
    lane = run.lane
    if lane is None:
        raise SluiceError("the lane is held and opened in Redis")
    found: Flow | None = in_use(run, "flow", await run.ends.flows.flows_named(run.setup.flow_name))
    if found is None:
        raise SluiceError(f"there is no dataflow {run.setup.flow_name}: apply the setup first")
    # Before anything is done: there may be none, or two.
    sender = await _webhook(run) if webhook else None
    if not enabled:
        await lane.hold(None, _OFF)
    wanted = ("enabled", "enabling") if enabled else ("disabled", "disabling")
    # One that is on its way back is waited for by the client.
    if found.state.lower() not in wanted:
        if enabled:
            run.state.changed_at = run.clock()
            run.file.save()
        await run.ends.flows.set_enabled(found.id, enabled)
    run.tell(Progress("note", text=f"dataflow {found.id} is {wanted[0]}"))
    if enabled:
        left = run.state.changed_at + run.setup.platform.settle_seconds - run.clock()
        if left > 0:
            # It ends by itself: nobody has to wait for it.
            await lane.hold(left, _NEW)
        else:
            await lane.open()
    if sender is not None:
        await _switch_webhook(run, sender, enabled)


async def _webhook(run: Run) -> Webhook:
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
