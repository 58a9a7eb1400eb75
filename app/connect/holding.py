"""The lane is held while the dataflow may be dropping what is sent: new, changed, or disabled.

Such events are answered 200 and gone (platform.md section 1.7), so nothing may be under way when
the dataflow is changed, and nothing may be sent before it is ready. How that is known:

* The hold lies in Redis, beside whatever pause there is; neither ends the other. Every worker looks
  once a second, and again before a request that had to wait (worker/lane/gate.py).
* What was sent before has a batch, and the batch a lease until its outcome is booked; only who has
  the lease can book "delivered". So once the workers must have looked and no lease is left,
  whatever is sent still counts for nothing, and is sent again when the lane opens. A lease whose
  worker is gone is over within seconds, and is taken from it.
* A killed command holds nobody up, and opens nothing too early: its hold ends by itself, but not
  before a call that was under way must have ended and the dataflow has settled. While the dataflow
  is off, or is being switched, the hold has no end: `enable` or `apply` ends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from app.adobe.flow_service import Flow
from app.connect.run import Lane, Progress, Run
from app.core.errors import PlatformUnavailable, SluiceError
from app.settings.connections import Limits

# A look a second, and time for Redis to answer it.
_SEEN_SECONDS: Final = 2.0
_AGAIN_SECONDS: Final = 0.2
# Beside the longest request: what a killed worker had in work is over with its lease.
_LEASE_SECONDS: Final = 30.0
# For all tries of one call; what was cut off then may still be carried out for a while.
CALL_SECONDS: Final = 300.0
_LATE_SECONDS: Final = 60.0

_BEFORE: Final = "hold_before"


class StillUnderWay(SluiceError):
    """Requests to the dataflow do not come to an end: it must not be touched now."""


def is_off(flow: Flow) -> bool:
    """Whether it drops what is sent to it, and goes on doing so."""
    return flow.state.lower() in ("disabled", "disabling")


def lane_of(run: Run) -> Lane:
    """Raises SluiceError when there is only looking to be done."""
    if run.lane is None:
        raise SluiceError("the lane is held and opened in Redis")
    return run.lane


def change_seconds(run: Run) -> float:
    """How long it is held for a change that may never be told of."""
    return CALL_SECONDS + _LATE_SECONDS + run.setup.platform.settle_seconds


async def before_new(run: Run, why: str) -> None:
    """Before a dataflow is made: nobody sends to it yet."""
    lane = lane_of(run)
    if _BEFORE not in run.facts:
        run.facts[_BEFORE] = await lane.held_for()
    await lane.hold(change_seconds(run), why)


async def before_change(run: Run, why: str) -> None:
    """When this returns nothing is under way to the dataflow, and nothing will be for as long as a
    change may take. Raises StillUnderWay; then, and after a refusal, `as_before` is due."""
    await before_new(run, why)
    await _until_quiet(run)
    await lane_of(run).hold(change_seconds(run), why)


async def before_disabling(run: Run, why: str) -> None:
    """As `before_change`, but held without an end: killed from here on it stays held."""
    lane = lane_of(run)
    run.facts[_BEFORE] = await lane.held_for()
    await lane.hold(None, why)
    await _until_quiet(run)


async def settling(run: Run, why: str) -> None:
    """The dataflow is new or changed as of now: its five minutes begin."""
    run.state.changed_at = run.clock()
    run.file.save()
    run.facts.pop(_BEFORE, None)
    await lane_of(run).hold(run.setup.platform.settle_seconds, why)


async def as_before(run: Run, why: str = "the dataflow is new or changed") -> None:
    """Nothing was done after all: held as long as before, at least until the dataflow is ready."""
    if _BEFORE not in run.facts:
        return
    before: float | None = run.facts.pop(_BEFORE)
    lane = lane_of(run)
    if before is None:
        await lane.hold(None, why)
    elif (seconds := max(before, left(run))) > 0:
        await lane.hold(seconds, why)
    else:
        await lane.open()


def left(run: Run) -> float:
    """Seconds until the dataflow may be sent to; a clock that was set back makes them no more than
    they can be."""
    settle = run.setup.platform.settle_seconds
    return min(settle, run.state.changed_at + settle - run.clock())


@asynccontextmanager
async def in_time(call: str) -> AsyncIterator[None]:
    """For a call that makes or changes a dataflow: the hold is as long as it may take. Raises
    PlatformUnavailable, `maybe_done`, when it takes longer."""
    try:
        async with asyncio.timeout(CALL_SECONDS):
            yield
    except TimeoutError:
        why = f"no answer in {CALL_SECONDS:.0f} s, with all its tries; run it again"
        fault = PlatformUnavailable(call, why, code="no_answer")
        fault.maybe_done = True
        raise fault from None


async def _until_quiet(run: Run) -> None:
    """Until nothing that was sent can be booked any more. Raises StillUnderWay."""
    lane = lane_of(run)
    await run.sleep(_SEEN_SECONDS)
    # A request whose token was refused is sent once more.
    longest = 2 * (run.setup.limits or Limits()).request_timeout_seconds
    patience = longest + _LEASE_SECONDS
    told = False
    while batches := await lane.under_way():
        if patience <= 0:
            raise StillUnderWay(
                f"{batches} event batches of {run.setup.name} are still under way to Platform, so "
                "nothing was changed: look at `sluice lanes`, then run it again"
            )
        if not told:
            run.tell(Progress("note", text="waits for what is under way to Platform"))
            told = True
        await run.sleep(_AGAIN_SECONDS)
        patience -= _AGAIN_SECONDS
