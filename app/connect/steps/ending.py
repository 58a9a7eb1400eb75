"""The end of an apply: a signed test through the public URL, and the lane opens."""

from __future__ import annotations

import hashlib
from typing import Final

from app.adobe.flow_service import Flow
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
        off = flow is not None and flow.state.lower() in ("disabled", "disabling")
        if flow is not None and off and not run.facts.get("flow_work"):
            why = f"the dataflow is {flow.state}; `sluice connection enable {name}` opens it"
            return [Item(self.key, self.kind, name, Action.LEAVE, why=why)]
        new = run.facts.get("flow_work") or not run.state.changed_at or _left(run) > 0
        if not new and not (run.lane is not None and await run.lane.held()):
            return [Item(self.key, self.kind, name, Action.EXISTS)]
        settle = run.setup.platform.settle_seconds
        old = f"{settle / 60:g} minutes" if settle >= 60 else f"{settle:g} seconds"
        why = f"events wait in Redis until the dataflow is {old} old"
        return [Item(self.key, self.kind, name, Action.CHANGE, why=why)]

    async def act(self, run: Run, item: Item) -> None:
        if run.lane is None:
            raise SluiceError("the lane is opened in Redis")
        while (left := _left(run)) > 0:
            run.tell(Progress("waiting", item, "the dataflow is new: nothing is sent yet", left))
            await run.sleep(min(_TICK_SECONDS, left))
        if not await run.lane.open():
            # A person's word goes before ours, and so does Platform's trouble.
            run.facts["lane_shut"] = True
            run.note("the lane is held back, and not by us: `sluice lanes` says why")


class TestCounted:
    """The test went all the way to a worker, and stayed out of the data."""

    key, kind = COUNTED, "test in the ledger"

    async def look(self, run: Run) -> list[Item]:
        name = run.setup.name
        if run.state.tests_before < 0 and not run.facts.get("test_work"):
            return [Item(self.key, self.kind, name, Action.EXISTS)]
        if run.facts.get("lane_shut"):
            why = "it waits with the rest until the lane is opened"
            return [Item(self.key, self.kind, name, Action.LEAVE, why=why)]
        why = "a worker counts it as soon as the lane is open"
        return [Item(self.key, self.kind, name, Action.CHANGE, why=why)]

    async def act(self, run: Run, item: Item) -> None:
        if run.lane is None:
            raise SluiceError("the ledger is in Redis")
        await counted(run.lane.tests, run.state.tests_before, run)
        run.state.tests_before = -1


def _left(run: Run) -> float:
    """Seconds until the flow may be sent to."""
    return run.state.changed_at + run.setup.platform.settle_seconds - run.clock()


def _fingerprint(run: Run) -> str:
    """Of what a test proves: this key, by this way; "" while there is no key."""
    try:
        key = key_to_be(run)
    except SluiceError:
        return ""
    proven = run.setup.webhook_url.encode() + b"\0" + key
    return hashlib.blake2b(proven, digest_size=8).hexdigest() if key else ""
