"""What the dataflow in use took over from: disabled, once nobody sends to it any more.

Until then it goes on: a worker that has not taken up the new connection file still sends there, and
what a disabled dataflow does with that is not documented (platform.md section 8): the worst is that
it is lost.
"""

from __future__ import annotations

from typing import Final

from app.connect import holding
from app.connect.plan import Action, Difference, Item
from app.connect.run import Run
from app.connect.steps.connections import FLOW
from app.connect.steps.flow import REPLACED
from app.core.errors import SluiceError

OLD_FLOW: Final = "old_flow"

_WHY: Final = "the dataflow before this one is disabled"
# Workers look at their files every few seconds.
_PATIENCE_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.5


class OldFlow:
    """Each that was replaced and is still there; `destroy --retired` takes it away."""

    key, kind = OLD_FLOW, "dataflow before it"

    async def look(self, run: Run) -> list[Item]:
        items = []
        for old in dict.fromkeys([*_retired(run), run.facts.get(REPLACED, "")]):
            found = await run.ends.flows.flow(old) if old else None
            if found is None:
                continue
            if holding.is_off(found):
                items.append(Item(self.key, self.kind, old, Action.EXISTS, why="it is disabled"))
                continue
            change = (Difference("state", found.state, "disabled"),)
            why = "nothing is sent to it any more"
            items.append(Item(self.key, self.kind, old, Action.CHANGE, "", change, why))
        return items

    async def act(self, run: Run, item: Item) -> None:
        await _taken_up(run)
        await holding.before_change(run, _WHY)
        async with holding.in_time("disable the dataflow"):
            await run.ends.flows.set_enabled(item.name, False)
        await holding.as_before(run)


def _retired(run: Run) -> list[str]:
    return [found for step, found in run.state.retired if step == FLOW]


async def _taken_up(run: Run) -> None:
    """Until no worker sends to another inlet than the one in use. Raises SluiceError."""
    lane, patience = holding.lane_of(run), _PATIENCE_SECONDS
    fine = ("", str(run.facts["inlet"]).rpartition("/")[2])
    while not (told := await lane.inlets()) or any(each not in fine for each in told):
        if patience <= 0:
            raise SluiceError(
                "the new dataflow is ready, and the old one goes on: "
                + ("a worker still sends to it. Does it read the same config folder, and is all of "
                   "that valid (`sluice check-config`)?" if told else "no worker runs.")
                + f" Then: `sluice connection apply {run.setup.name}`"
            )  # fmt: skip
        await run.sleep(_PAUSE_SECONDS)
        patience -= _PAUSE_SECONDS
