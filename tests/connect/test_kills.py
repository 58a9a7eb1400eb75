"""Killed after any call, and run again: the same result, and nothing is there twice. Nor is
anything lost, whether it is run again or not: the stage looks for that at every call.

The process is gone where `Killed` is raised: it is no Exception, and everything that outlives a
process is in files and at the vendors. `tests/e2e` does the same with SIGKILL.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from app.adobe.flow_service import Flow
from app.connect.plan import Action, Item
from tests.connect.stage import Killed, Stage, _key, staged

# All that an apply calls for with the source of Customer.io's; and with the HTTP API's.
KINDS: dict[str, dict[str, Any]] = {
    "customerio": {
        "platform__source": {"kind": "customerio"},
        "platform__dataset": {"name": "events", "profile": True, "row_expiry": "P3Y"},
        "platform__descriptors": [{"path": "/_{TENANT}/customerio/id", "namespace": "customerId"}],
    },
    "http_api": {},
}
TINY: dict[str, Any] = {"mapping_set": "tiny", "platform__schema": {"document": "tiny"}}


async def whole(stage: Stage) -> dict[str, Any]:
    """What is there in the end, ids left out."""
    state = json.loads((stage.folder / "var" / "connect" / "acme.json").read_text())
    connection = (stage.config / "connections" / "acme.yaml").read_text()
    return {
        "counts": await stage.counts(),
        "disabled": (await stage.webhook())["disabled"],
        "mode": [line for line in connection.splitlines() if "mode:" in line],
        "shut": stage.lane.shut,
        # What may go when all is destroyed.
        "made": sorted(step for step, _ in state["made"]),
        "under_way": state["under_way"],
    }


@pytest.fixture(autouse=True)
def _no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are killed here, not machines."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


def left_alone(stage: Stage, *, off: bool = False) -> None:
    """Nobody runs it again: nothing is lost, ever, and nobody is held up for good but by what is
    off, or half so."""
    for seconds in (0, 1, 10, *range(30, 1000, 30)):
        assert not stage.loss(seconds), (seconds, stage.lane.history)
    assert stage.lane.until is not None or off
    assert off or not stage.lane.shut_at(stage.now + 661)


async def undisturbed(folder: Path, kind: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """(what there is in the end, the calls of an apply that nobody kills)."""
    calls: list[tuple[str, str]] = []
    async with staged(folder, **KINDS[kind], **TINY) as stage:
        stage.before = lambda _number, method, path: calls.append((method, path))
        await stage.apply()
        return await whole(stage), calls


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_killed_at_any_call_and_run_again_it_comes_out_the_same(
    tmp_path: Path, kind: str, when: str
) -> None:
    wanted, calls = await undisturbed(tmp_path / "whole", kind)
    for number, (method, _) in enumerate(calls, 1):
        if method == "GET" and when == "before":
            # Before a look it is as after the call before.
            continue
        async with staged(tmp_path / str(number), **KINDS[kind], **TINY) as stage:
            setattr(stage, when, dies_at(number))
            with pytest.raises(Killed):
                await stage.apply()
            left_alone(stage)
            await stage.apply()

            assert await whole(stage) == wanted, (number, calls[number - 1])
            again = await stage.plan()
            assert again.work == (), (number, calls[number - 1])


async def changed(stage: Stage, what: str) -> None:
    """Set up, and then the files say something else: another mapping; or another dataset, too."""
    await stage.apply()
    path = stage.config / "mappings" / "tiny.json"
    path.write_text(path.read_text().replace("data.identifiers.id", "data.identifiers.email"))
    if what == "dataset":
        stage.changes["platform__dataset"] = {"name": "others"}
        stage.changes["customerio__families"] = ["email"]
    stage.requests = 0


@pytest.mark.parametrize(
    ("kind", "what"),
    [("customerio", "dataset"), ("customerio", "mapping"), ("http_api", "dataset")],
)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_update_that_is_killed_at_any_call_comes_out_the_same(
    tmp_path: Path, kind: str, what: str, when: str
) -> None:
    calls: list[tuple[str, str]] = []
    async with staged(tmp_path / "whole", **KINDS[kind], **TINY) as stage:
        await changed(stage, what)
        stage.before = lambda _number, method, path: calls.append((method, path))
        await stage.apply()
        wanted = await whole(stage)
    assert wanted["counts"]["flows"] == (2 if what == "dataset" else 1)
    for number, (method, path) in enumerate(calls, 1):
        if method == "GET":
            continue
        async with staged(tmp_path / str(number), **KINDS[kind], **TINY) as stage:
            await changed(stage, what)
            made_at = flow_times(stage)
            setattr(stage, when, dies_at(number))
            with pytest.raises(Killed):
                await stage.apply()
            left_alone(stage)
            # Sometimes at once, sometimes when the hold is long over.
            stage.now += 700 * (number % 2)
            await stage.apply()

            assert await whole(stage) == wanted, (number, method, path)
            assert (await stage.plan()).work == (), (number, method, path)
            assert stage.now - made_at[-1] >= 300


def flow_times(stage: Stage) -> list[float]:
    """When flows were made or changed from now on."""
    found: list[float] = []

    def note(method: str, path: str) -> None:
        acts = method in ("POST", "PATCH") and not path.endswith("/action")
        if acts and "/flowservice/flows" in path:
            found.append(stage.now)

    stage.watch = note
    return found


async def switched(stage: Stage, enabled: bool) -> None:
    async with stage.wiring() as wiring:
        await wiring.set_enabled(enabled, webhook=True)


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_switch_that_is_killed_at_any_call_loses_nothing_and_can_be_done_again(
    tmp_path: Path, enabled: bool, when: str
) -> None:
    calls: list[str] = []
    async with staged(tmp_path / "whole", **TINY) as stage:
        await stage.apply()
        if enabled:
            await switched(stage, False)
            stage.now += 60
        stage.requests = 0
        stage.before = lambda _number, method, _path: calls.append(method)
        await switched(stage, enabled)
    for number in range(1, len(calls) + 1):
        async with staged(tmp_path / str(number), **TINY) as stage:
            await stage.apply()
            if enabled:
                await switched(stage, False)
                stage.now += 60
            stage.requests = 0
            setattr(stage, when, dies_at(number))
            with pytest.raises(Killed):
                await switched(stage, enabled)
            # What was off, or is to be so, stays held until somebody says so again.
            left_alone(stage, off=True)
            stage.now += 700 * (number % 2)
            await switched(stage, enabled)

            left_alone(stage, off=not enabled)
            assert (await stage.webhook())["disabled"] != enabled
            assert stage.lane.shut_at(stage.now + 700) != enabled
            # Whoever applies afterwards does not undo it.
            await stage.apply()
            left_alone(stage, off=not enabled)
            assert (await stage.plan()).work == ()


def dies_at(number: int) -> Any:
    def dies(at: int, _method: str, _path: str) -> None:
        if at == number:
            raise Killed

    return dies


async def torn_down(stage: Stage) -> None:
    async with stage.wiring() as wiring:
        await wiring.destroy(await wiring.doomed(dataset=True))


async def test_destroy_that_is_killed_at_any_call_ends_with_nothing(tmp_path: Path) -> None:
    calls: list[str] = []
    async with staged(tmp_path / "whole", **TINY) as stage:
        await stage.apply()
        stage.requests = 0
        stage.before = lambda _number, method, _path: calls.append(method)
        await torn_down(stage)
    assert calls.count("DELETE") == 8
    for number, method in enumerate(calls, 1):
        if method == "GET":
            continue
        async with staged(tmp_path / str(number), **TINY) as stage:
            await stage.apply()
            stage.requests = 0
            stage.after = dies_at(number)
            with pytest.raises(Killed):
                await torn_down(stage)
            await torn_down(stage)
            assert await stage.counts() == {"namespaces": 2, "webhooks": 0}, number
            assert not list((stage.config / "connections").iterdir())


@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_that_is_lost_after_the_act_doubles_nothing(
    tmp_path: Path, kind: str
) -> None:
    wanted, calls = await undisturbed(tmp_path / "whole", kind)
    for number, (method, path) in enumerate(calls, 1):
        if method == "GET" or path.startswith("/ims/"):
            continue
        async with staged(tmp_path / str(number), **KINDS[kind], **TINY) as stage:

            def lost(at: int, _method: str, _path: str, number: int = number) -> None:
                if at == number:
                    raise aiohttp.ClientOSError("the answer is lost")

            stage.after = lost
            await stage.apply()

            assert await whole(stage) == wanted, (number, method, path)
            assert (await stage.plan()).work == (), (number, method, path)


@pytest.mark.parametrize("killed", [True, False])
async def test_what_no_list_shows_yet_is_not_made_again(tmp_path: Path, killed: bool) -> None:
    def lost(_number: int, method: str, path: str) -> None:
        if method == "POST" and path.endswith("/flows"):
            raise Killed if killed else aiohttp.ClientOSError("the answer is lost")

    async with staged(tmp_path, **TINY) as stage:
        stage.after = lost
        if killed:
            with pytest.raises(Killed):
                await stage.apply()
            stage.after = lambda *_call: None
        async with stage.wiring() as wiring:
            plan = await wiring.plan()
            flows_named, looks = wiring.ends.flows.flows_named, []

            async def late(name: str) -> list[Flow]:
                looks.append(name)
                # The look of an apply itself, and one more.
                return [] if len(looks) <= 2 else await flows_named(name)

            wiring.ends.flows.flows_named = late  # type: ignore[method-assign]
            if killed:
                # As the plan of a command that came a moment earlier had it.
                plan = replace(plan, items=tuple(replace(e, action=to_make(e)) for e in plan.items))
            await wiring.apply(plan, ask_key=_key)
        assert (await stage.counts())["flows"] == 1
        assert (await stage.plan()).work == ()


def to_make(item: Item) -> Action:
    return Action.CREATE if item.step == "flow" else item.action
