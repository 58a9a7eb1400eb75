"""The end of an apply: a signed test through the public URL, and the lane opens."""

from __future__ import annotations

import hashlib
from typing import Final

from app.connect.plan import Action, Item
from app.connect.run import Progress, Run
from app.connect.trial import counted, send_test
from app.core.errors import SluiceError
from app.settings.secrets import read_secret

TEST: Final = "test"
LANE: Final = "lane"

_TICK_SECONDS: Final = 1.0


class TestEvent:
    """A test by the way that Customer.io's events will come; again when key or way changed."""

    key, kind = TEST, "test event"

    async def look(self, run: Run) -> list[Item]:
        url = run.setup.webhook_url
        done = run.state.tested_at and run.state.tested_with == _fingerprint(run)
        return [Item(self.key, self.kind, url, Action.EXISTS if done else Action.CREATE)]

    async def act(self, run: Run, item: Item) -> None:
        if run.lane is None:
            raise SluiceError("the test event needs Redis")
        before = await run.lane.tests()
        key = read_secret(run.places.signing_key)
        await send_test(run.ends.session, item.name, key)
        await counted(run.lane.tests, before)
        run.state.tested_at, run.state.tested_with = run.clock(), _fingerprint(run)


class Opening:
    """The lane opens five minutes after the flow was made or changed."""

    key, kind = LANE, "lane"

    async def look(self, run: Run) -> list[Item]:
        name = run.setup.name
        new = run.facts.get("flow_work") or not run.state.changed_at or _left(run) > 0
        if not new and not (run.lane is not None and await run.lane.held()):
            return [Item(self.key, self.kind, name, Action.EXISTS)]
        minutes = run.setup.platform.settle_seconds / 60
        why = f"events wait in Redis until the dataflow is {minutes:g} minutes old"
        return [Item(self.key, self.kind, name, Action.CHANGE, why=why)]

    async def act(self, run: Run, item: Item) -> None:
        if run.lane is None:
            raise SluiceError("the lane is opened in Redis")
        while (left := _left(run)) > 0:
            run.tell(Progress("waiting", item, "the dataflow is new: nothing is sent yet", left))
            await run.sleep(min(_TICK_SECONDS, left))
        await run.lane.open()


def _left(run: Run) -> float:
    """Seconds until the flow may be sent to."""
    return run.state.changed_at + run.setup.platform.settle_seconds - run.clock()


def _fingerprint(run: Run) -> str:
    """Of what a test proves: this key, by this way."""
    try:
        key = read_secret(run.places.signing_key)
    except OSError:
        return ""
    return hashlib.blake2b(run.setup.webhook_url.encode() + b"\0" + key, digest_size=8).hexdigest()
