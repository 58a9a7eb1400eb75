"""Taking away what `doomed` shows, in its order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from app.connect.belongings import webhooks_of
from app.connect.destroying import DATA, Doomed, Why, calls_us
from app.connect.plan import Item
from app.connect.run import Progress, Run
from app.core.errors import SluiceError


async def destroy(run: Run, what: Doomed) -> None:
    """Takes it away; what is gone already is no fault. Raises SluiceError."""
    if what.refusal:
        raise SluiceError(what.refusal)
    if any(stay.why is Why.SWITCHED_OFF for stay in what.stays):
        await _switch_off(run)
    for item in what.items:
        run.tell(Progress("doing", item))
        await _removers(run)[item.step.partition(":")[0]](item.id)
        _forget(run, item)
        run.tell(Progress("done", item))
        if item.step == "webhook":
            await _nothing_left(run)
    if what.closes:
        # The lock stays: whoever unlinks one that is held lets a second command in.
        for path in what.files:
            path.unlink(missing_ok=True)
        _close(run)
        if run.lane is not None:
            await run.lane.open()
    # Last: without them nothing of this can be done again.
    for path in what.secrets:
        path.unlink(missing_ok=True)


async def _switch_off(run: Run) -> None:
    """What was there before us, and calls us."""
    for found, ours in await webhooks_of(run):
        if not ours and calls_us(run, found):
            await run.ends.webhooks.update(replace(found, disabled=True))
            run.note(f"webhook {found.name} is off")
    await _nothing_left(run)


async def _nothing_left(run: Run) -> None:
    """Raises SluiceError while events are on their way, after the last that will come."""
    if run.lane is not None and (left := await run.lane.in_flight()):
        raise SluiceError(
            f"the webhook sends no more, and {left} events are still on their way: destroy again "
            "when they are delivered"
        )


def _close(run: Run) -> None:
    """Of what stays it is remembered that we made it: it may be destroyed later."""
    state = run.state
    left = [each for each in state.made if each[0].partition(":")[0] in DATA]
    like_tutorial = state.like_tutorial
    run.file.remove()
    if left:
        run.state.made, run.state.like_tutorial = left, like_tutorial
        run.file.save()


def _forget(run: Run, item: Item) -> None:
    state = run.state
    pair = (item.step, item.id)
    state.retired = [each for each in state.retired if tuple(each) != pair]
    state.made = [each for each in state.made if tuple(each) != pair]
    if state.ids.get(item.step) == item.id:
        del state.ids[item.step]
    run.file.save()


def _removers(run: Run) -> dict[str, Callable[[str], Awaitable[bool]]]:
    ends = run.ends
    return {
        "webhook": lambda found: ends.webhooks.delete(int(found)),
        "flow": ends.flows.delete_flow,
        "source": ends.flows.delete_source_connection,
        "target": ends.flows.delete_target_connection,
        "base": ends.flows.delete_base_connection,
        "dataset": ends.catalog.delete_dataset,
        "descriptor": ends.registry.delete_descriptor,
        "schema": lambda found: ends.registry.delete("schemas", found),
        "field_group": lambda found: ends.registry.delete("fieldgroups", found),
    }
