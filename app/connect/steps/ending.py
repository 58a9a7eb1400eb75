"""The end of an apply: a signed test through the public URL, and the lane opens."""

from __future__ import annotations

import hashlib
from typing import Final

from app.adobe.flow_service import Flow
from app.connect import holding
from app.connect.plan import Action, Item
from app.connect.run import Progress, Run
from app.connect.signing_keys import key_to_be
from app.connect.trial import counted, send_test
from app.core.errors import SluiceError

TEST: Final = "test"
LANE: Final = "lane"
COUNTED: Final = "test_counted"

_TICK_SECONDS: Final = 1.0


class TestEvent:
    """A test by the way that Customer.io's events will come; again when key or way changed."""

    key, kind = TEST, "test event"

    async def look(self, run: Run) -> list[Item]:
        url = run.setup.webhook_url
        done = run.state.tested_at and run.state.tested_with == _fingerprint(run)
        run.facts["test_work"] = run.facts.get("test_work") or not done
        return [Item(self.key, self.kind, url, Action.EXISTS if done else Action.CREATE)]

    async def act(self, run: Run, item: Item) -> None:
        if run.lane is None:
            raise SluiceError("the test event needs Redis")
        before = await run.lane.tests()
        await send_test(run.ends.session, item.name, key_to_be(run), run, run.ends.show)
        state = run.state
        state.tested_at, state.tested_with = run.clock(), _fingerprint(run)
        # A lane that is held takes nothing, no test either: it is counted at the end.
        state.tests_before = before


class Opening:
    """The lane opens five minutes after the flow was made or changed."""

    key, kind = LANE, "lane"

    async def look(self, run: Run) -> list[Item]:
        name = run.setup.name
        flow: Flow | None = run.facts.get("flow")
        if flow is not None and holding.is_off(flow):
            why = f"the dataflow is {flow.state}; `sluice connection enable {name}` opens it"
            held = run.lane is None or await run.lane.held_for() is None
            action = Action.LEAVE if held else Action.CHANGE
            return [Item(self.key, self.kind, name, action, why=why)]
        new = run.facts.get("flow_work") or not run.state.changed_at or holding.left(run) > 0
        if not new and not (run.lane is not None and await run.lane.held()):
            return [Item(self.key, self.kind, name, Action.EXISTS)]
        settle = run.setup.platform.settle_seconds
        old = f"{settle / 60:g} minutes" if settle >= 60 else f"{settle:g} seconds"
        why = f"events wait in Redis until the dataflow is {old} old"
        return [Item(self.key, self.kind, name, Action.CHANGE, why=why)]

    async def act(self, run: Run, item: Item) -> None:
        lane, flow = holding.lane_of(run), run.facts.get("flow")
        if flow is not None and holding.is_off(flow):
            # Somebody disabled it in Platform.
            await lane.hold(None, "the dataflow is disabled")
            run.facts["lane_shut"] = True
            return
        left = await self._left(run)
        while left > 0:
            run.tell(Progress("waiting", item, "the dataflow is new: nothing is sent yet", left))
            # Counted, not read off a clock: that may be set in between.
            await run.sleep(tick := min(_TICK_SECONDS, left))
            left -= tick
        if not await lane.open():
            # A person's word goes before ours, and so does Platform's trouble.
            run.facts["lane_shut"] = True
            run.note("the lane is held back, and not by us: `sluice lanes` says why")

    async def _left(self, run: Run) -> float:
        """By our clock and by Redis', whichever says more."""
        held, settle = await holding.lane_of(run).held_for(), run.setup.platform.settle_seconds
        if held is None:
            # The flow was off, or about to be; since when it is on, nobody wrote down.
            await holding.settling(run, "the dataflow was off")
            return settle
        return max(holding.left(run), min(held, settle))


class TestCounted:
    """The test went all the way to a worker, and stayed out of the data."""

    key, kind = COUNTED, "test in the ledger"

    async def look(self, run: Run) -> list[Item]:
        name = run.setup.name
        if run.state.tests_before < 0 and not run.facts.get("test_work"):
            return [Item(self.key, self.kind, name, Action.EXISTS)]
        flow: Flow | None = run.facts.get("flow")
        if run.facts.get("lane_shut") or (flow is not None and holding.is_off(flow)):
            why = "it waits with the rest until the lane is opened"
            return [Item(self.key, self.kind, name, Action.LEAVE, why=why)]
        why = "a worker counts it as soon as the lane is open"
        return [Item(self.key, self.kind, name, Action.CHANGE, why=why)]

    async def act(self, run: Run, item: Item) -> None:
        if run.lane is None:
            raise SluiceError("the ledger is in Redis")
        await counted(run.lane.tests, run.state.tests_before, run)
        run.state.tests_before = -1


def _fingerprint(run: Run) -> str:
    """Of what a test proves: this key, by this way; "" while there is no key."""
    try:
        key = key_to_be(run)
    except SluiceError:
        return ""
    proven = run.setup.webhook_url.encode() + b"\0" + key
    return hashlib.blake2b(proven, digest_size=8).hexdigest() if key else ""
