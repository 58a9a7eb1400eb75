"""The lane while the dataflow may be dropping what is sent. The stage itself looks, at every call
and every second, whether anything would be lost (`Stage.loss`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.connect.engine import NotPossible
from app.connect.holding import StillUnderWay
from app.core.errors import PlatformRefused, PlatformUnavailable, SluiceError
from tests.connect.stage import Stage, staged
from tests.connect.test_apply import KINDS, TINY, actions, states

FLOWS = "/data/foundation/flowservice/flows/"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Set up, with the source of Customer.io's: a change of the mapping is one of the dataflow."""
    async with staged(tmp_path, **KINDS["customerio"], **TINY) as found:
        await found.apply()
        found.now += 600
        found.lane.history.clear()
        await found.forget()
        yield found


def another_mapping(stage: Stage) -> None:
    path = stage.config / "mappings" / "tiny.json"
    path.write_text(path.read_text().replace("data.identifiers.id", "data.identifiers.email"))


async def fault(stage: Stage, method: str, **rule: Any) -> None:
    await stage.ask("/faults", "POST", {"scope": "flows", "method": method, "path": FLOWS, **rule})


async def switch(stage: Stage, enabled: bool) -> None:
    async with stage.wiring() as wiring:
        await wiring.set_enabled(enabled, webhook=False)


async def changed_at(stage: Stage) -> float:
    async with stage.wiring() as wiring:
        return (await wiring.status()).changed_at


# --- changed ---


@pytest.mark.parametrize(
    "rule",
    [
        {"status": 500, "acted": True},
        {"status": 503, "acted": True},
        {"cut": "after"},
        {"garbage": True},
        {"status": 500, "acted": True, "times": 1},
    ],
)
async def test_a_change_that_was_made_though_its_answer_says_otherwise_is_waited_for(
    stage: Stage, rule: dict[str, Any]
) -> None:
    another_mapping(stage)
    await fault(stage, "PATCH", **rule)
    began = stage.now
    await stage.apply()
    assert stage.now - began >= 300
    assert not stage.lane.shut
    assert await changed_at(stage) > began
    assert (await stage.plan()).work == ()


async def test_a_refusal_says_nothing_of_the_try_before_it(stage: Stage) -> None:
    another_mapping(stage)
    await fault(stage, "PATCH", status=500, acted=True, times=1)
    await fault(stage, "PATCH", skip=1, error_code="2118-403")
    began = stage.now
    await stage.apply()
    assert stage.now - began >= 300
    assert (await stage.plan()).work == ()


async def test_a_change_that_fails_on_every_try_leaves_the_lane_held_until_it_must_be_safe(
    stage: Stage,
) -> None:
    another_mapping(stage)
    await fault(stage, "PATCH", status=500)
    with pytest.raises(PlatformUnavailable):
        await stage.apply()
    # It may yet be carried out; and then it settles.
    assert stage.lane.shut_at(stage.now + 600)
    assert not stage.lane.shut_at(stage.now + 661)
    async with stage.wiring() as wiring:
        assert (await wiring.status()).under_way == "flow"
    await stage.ask("/faults", "DELETE")
    await stage.apply()
    assert (await stage.plan()).work == ()


async def test_a_refused_change_leaves_the_lane_as_it_was(stage: Stage) -> None:
    another_mapping(stage)
    before = await changed_at(stage)
    await fault(stage, "PATCH", error_code="2118-403")
    with pytest.raises(PlatformRefused):
        await stage.apply()
    assert not stage.lane.shut
    assert await changed_at(stage) == before
    # Neither is a hold that was there cut short.
    await stage.lane.hold(40, "another's")
    with pytest.raises(PlatformRefused):
        await stage.apply()
    assert 0 < (await stage.lane.held_for() or 0) <= 40


async def test_nothing_is_changed_before_nothing_is_under_way(stage: Stage) -> None:
    another_mapping(stage)
    stage.lane.busy = [3, 2, 2, 1]
    left: list[int] = []

    def note(method: str, _path: str) -> None:
        if method == "PATCH":
            left.append(len(stage.lane.busy))

    stage.watch = note
    await stage.apply()
    assert left == [0]
    notes = [event.text for event in stage.events if event.word == "note"]
    assert notes.count("waits for what is under way to Platform") == 1


async def test_what_never_ends_is_not_waited_for_for_ever_and_nothing_is_changed(
    stage: Stage,
) -> None:
    another_mapping(stage)
    before = await changed_at(stage)
    stage.lane.busy = [1] * 10_000
    began = stage.now
    with pytest.raises(StillUnderWay, match="1 event batches of acme are still under way"):
        await stage.apply()
    assert 92 <= stage.now - began < 93
    assert not [call for call in await stage.writes() if call.startswith("PATCH")]
    assert not stage.lane.shut
    assert await changed_at(stage) == before
    with pytest.raises(StillUnderWay):
        await switch(stage, False)
    assert await states(stage) == ["enabled"]
    assert not stage.lane.shut


@pytest.mark.parametrize("jump", [-5_000, 5_000])
async def test_a_clock_that_is_set_shortens_no_wait_and_lengthens_none(
    stage: Stage, jump: float
) -> None:
    another_mapping(stage)
    ticks: list[float] = []

    async def sleep(seconds: float) -> None:
        stage.now += seconds
        if stage.lane.history[-1:] == [("hold", 300.0)]:
            ticks.append(seconds)
            stage.now += jump if len(ticks) == 100 else 0

    stage.sleep = sleep  # type: ignore[method-assign]
    await stage.apply()
    assert 300 <= sum(ticks) <= 301
    assert stage.lane.history[-1] == ("open", None)


# --- off ---


async def test_a_change_of_a_dataflow_that_is_off_opens_nothing(stage: Stage) -> None:
    await switch(stage, False)
    another_mapping(stage)
    await fault(stage, "PATCH", error_code="2118-403", times=1)
    with pytest.raises(PlatformRefused):
        await stage.apply()
    assert stage.lane.until is None

    plan = await stage.apply()

    assert (actions(plan)["flow"], actions(plan)["lane"]) == ("change", "leave")
    assert stage.lane.until is None
    assert await states(stage) == ["disabled"]
    assert ("open", None) not in stage.lane.history
    await switch(stage, True)
    assert stage.lane.until == stage.now + 300


async def test_off_there_is_no_new_dataflow_for_that_would_be_on(stage: Stage) -> None:
    await switch(stage, False)
    made = await stage.counts()
    stage.changes["platform__dataset"] = {"name": "Other events"}
    with pytest.raises(NotPossible, match="`sluice connection enable acme` first"):
        await stage.apply()
    assert await stage.counts() == made


async def test_what_somebody_disabled_in_platform_is_held_by_the_next_apply(stage: Stage) -> None:
    async with stage.wiring() as wiring:
        [flow] = await wiring.ends.flows.flows_named("Sluice acme")
        # Until then nobody here can know.
        stage.guards = False
        await wiring.ends.flows.set_enabled(flow.id, False)
    plan = await stage.apply()
    assert [item.step for item in plan.work] == ["lane"]
    assert stage.lane.until is None
    assert (await stage.plan()).work == ()


async def test_what_somebody_enabled_in_platform_settles_before_it_is_sent_to(
    stage: Stage,
) -> None:
    await switch(stage, False)
    stage.now += 60
    async with stage.wiring() as wiring:
        [flow] = await wiring.ends.flows.flows_named("Sluice acme")
        await wiring.ends.flows.set_enabled(flow.id, True)
    began = stage.now
    await stage.apply()
    assert stage.now - began >= 300
    assert not stage.lane.shut


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_switch_that_was_made_though_its_answer_says_otherwise_is_done(
    stage: Stage, enabled: bool
) -> None:
    if enabled:
        await switch(stage, False)
        stage.now += 60
    await fault(stage, "POST", status=500, acted=True)
    await switch(stage, enabled)
    assert stage.lane.until == (stage.now + 300 if enabled else None)


@pytest.mark.parametrize("status", [403, 500])
async def test_a_switch_that_fails_keeps_the_lane_as_safe_as_it_was(
    stage: Stage, status: int
) -> None:
    await fault(stage, "POST", status=status)
    with pytest.raises(SluiceError):
        await switch(stage, False)
    # Refused, it is on as before; else it may be off by now.
    assert stage.lane.shut == (status == 500)
    await stage.ask("/faults", "DELETE")
    await switch(stage, False)
    await fault(stage, "POST", status=status)
    with pytest.raises(SluiceError):
        await switch(stage, True)
    assert stage.lane.until is None


# --- replaced ---


@pytest.mark.parametrize(
    ("told", "why"), [(["another"], "a worker still sends to it"), ([None], "a worker still"),
                      ([], "no worker runs")],
)  # fmt: skip
async def test_the_old_dataflow_goes_on_while_a_worker_may_send_to_it(
    stage: Stage, told: list[str | None], why: str
) -> None:
    stage.changes["platform__dataset"] = {"name": "Other events"}
    stage.lane.told = told
    with pytest.raises(SluiceError, match=why):
        await stage.apply()
    assert await states(stage) == ["enabled", "enabled"]
    # It opens by itself.
    assert stage.lane.until is not None
    stage.lane.told = None
    stage.now += 700
    plan = await stage.apply()
    assert [item.step for item in plan.work] == ["old_flow"]
    stage.now += 60
    assert await states(stage) == ["disabled", "enabled"]
    assert not stage.lane.shut


# --- status ---


async def test_events_cannot_flow_while_the_lane_is_held_or_nobody_knows(stage: Stage) -> None:
    async with stage.wiring() as wiring:
        assert (await wiring.status()).in_order
        await stage.lane.hold(60, "new")
        assert not (await wiring.status()).in_order
        await stage.lane.open()
        stage.lane.held_by_others = True
        assert not (await wiring.status()).in_order
        wiring._lane = None
        assert not (await wiring.status()).in_order
