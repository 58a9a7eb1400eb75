"""The test event of an apply, sent again when a person asks for it."""

from __future__ import annotations

from app.connect.plan import Action, Item
from app.connect.run import Progress, Run
from app.connect.signing_keys import kept_keys
from app.connect.steps.ending import TestCounted, TestEvent
from app.core.errors import SluiceError


async def send_again(run: Run) -> bool:
    """Through the public URL, and, where the lane is open, until a worker has counted it. Whether
    one has: a lane that is held takes no test either. Raises SluiceError."""
    if run.lane is None:
        raise SluiceError("whether a test is counted is told by Redis")
    if not kept_keys(run):
        raise SluiceError("there is no signing key yet: apply the setup first")
    step = TestEvent()
    item = Item(step.key, step.kind, run.setup.webhook_url, Action.CREATE)
    run.tell(Progress("doing", item))
    await step.act(run, item)
    run.file.save()
    gate, _ = await run.lane.said()
    is_open = gate == "open"
    if is_open:
        await TestCounted().act(run, item)
        run.file.save()
    else:
        run.note("it was answered 200; the lane is held, so a worker counts it later")
    run.tell(Progress("done", item))
    return is_open
