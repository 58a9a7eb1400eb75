"""The inlet, to which events are sent. It has no call of its own: it comes with the base connection
of the HTTP API source, or with the dataflow of Customer.io's (platform.md sections 1.7, 1.9)."""

from __future__ import annotations

from typing import Final

from app.connect.inlet_address import shortened
from app.connect.plan import Action, Item, fresh
from app.connect.run import LATER, Run

INLET: Final = "inlet"


class Inlet:
    """Shown, so that a plan says what there will be; looked at when the dataflow is there."""

    key, kind = INLET, "inlet"

    async def look(self, run: Run) -> list[Item]:
        name, address = run.setup.flow_name, run.facts.get("inlet")
        if run.id("flow") and address:
            why = f"{shortened(address)} takes {_takes(run)}; {_token(run)}"
            return [Item(self.key, self.kind, name, Action.EXISTS, why=why)]
        made_of = fresh(("address", LATER), ("takes", _takes(run)), ("token", _token(run)))
        return [Item(self.key, self.kind, name, Action.CREATE, differences=made_of)]

    async def act(self, run: Run, item: Item) -> None:
        """There is nothing to do: what comes before it makes it."""


def _takes(run: Run) -> str:
    return "XDM records" if run.setup.mode == "xdm" else "Customer.io's events as they are"


def _token(run: Run) -> str:
    wanted = run.setup.platform.source.wants_token
    return "a token is needed" if wanted else "open: whoever has its address can post to it"
