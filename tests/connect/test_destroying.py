"""What goes and what stays: only what we made goes, and nothing that others need."""

from __future__ import annotations

import fcntl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.connect.destroying import Doomed, Stay, Why
from app.connect.wiring import Wiring
from app.core.errors import SluiceError
from app.customerio.webhooks import Webhook
from app.sandbox.defaults import WORKSPACE
from tests.connect.stage import Killed, Stage, staged

TINY: dict[str, Any] = {"mapping_set": "tiny", "platform__schema": {"document": "tiny"}}
ELSEWHERE = "https://elsewhere.example"
BEFORE = Stay("reporting webhook", Why.BEFORE)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, **TINY) as found:
        yield found


async def destroyed(stage: Stage, **options: Any) -> Doomed:
    """As one command does it."""
    async with stage.wiring() as wiring:
        what = await wiring.doomed(**options)
        await wiring.destroy(what)
        return what


async def foreign(stage: Stage, *, endpoint: str = ELSEWHERE, disabled: bool = False) -> Webhook:
    """A webhook of our name, that a person made."""
    async with stage.wiring() as wiring:
        return await wiring.ends.webhooks.create(
            "Sluice acme", endpoint, ("email_sent",), disabled=disabled
        )


async def webhooks(stage: Stage) -> list[dict[str, Any]]:
    return list((await stage.ask(f"/customerio/workspaces/{WORKSPACE}"))["webhooks"])


async def a_second_flow(wiring: Wiring) -> str:
    flows = wiring.ends.flows
    [flow] = await flows.flows_named("Sluice acme")
    source, target = flow.source_connection_ids[0], flow.target_connection_ids[0]
    made = await flows.create_flow(
        "Sluice acme", source, target, flow.mapping, flow_spec_id=flow.spec_id
    )
    return made.id


def other(stage: Stage, name: str = "other", **platform: Any) -> None:
    """One more setup, as this one but for what is given."""
    document = yaml.safe_load((stage.config / "setups" / "acme.yaml").read_text())
    document["platform"] |= platform
    (stage.config / "setups" / f"{name}.yaml").write_text(yaml.safe_dump(document))


# --- what was there before ---


async def test_a_webhook_that_only_has_the_name_is_left_alone(stage: Stage) -> None:
    await foreign(stage)
    [before] = await webhooks(stage)
    what = await destroyed(stage)
    assert what.items == () and BEFORE in what.stays and what.nothing
    assert await webhooks(stage) == [before]


async def test_what_an_apply_found_there_stays_and_no_longer_calls_us(stage: Stage) -> None:
    await foreign(stage)
    await stage.apply()
    async with stage.wiring() as wiring:
        what = await wiring.doomed()
    assert {item.step for item in what.items} == {"flow", "source", "target", "base"}
    assert Stay("reporting webhook", Why.SWITCHED_OFF) in what.stays

    await destroyed(stage)
    [webhook] = await webhooks(stage)
    assert webhook["disabled"]
    counts = await stage.counts()
    assert not {"flows", "sourceConnections", "targetConnections", "connections"} & counts.keys()
    again = await destroyed(stage)
    assert again.nothing and BEFORE in again.stays


async def test_connections_and_dataflow_of_before_stay(stage: Stage) -> None:
    await stage.apply()
    # As on a machine that did not make them.
    (stage.folder / "var" / "connect" / "acme.json").unlink()
    made = await stage.counts()
    what = await destroyed(stage)
    assert what.items == ()
    assert {stay.kind for stay in what.stays if stay.why is Why.BEFORE} == {
        "dataflow", "source connection", "target connection", "base connection",
    }  # fmt: skip
    assert await stage.counts() == made
    assert (await stage.webhook())["disabled"]


async def test_of_two_dataflows_of_one_name_ours_goes(stage: Stage) -> None:
    await stage.apply()
    async with stage.wiring() as wiring:
        second = await a_second_flow(wiring)
        what = await wiring.doomed()
    assert second not in {item.id for item in what.items}
    assert Stay("dataflow", Why.BEFORE) in what.stays


async def test_what_has_another_name_by_now_goes_too(stage: Stage) -> None:
    await stage.apply()
    stage.changes["platform__flow"] = "Customer.io for all"
    await stage.apply()
    await destroyed(stage)
    counts = await stage.counts()
    assert not {"flows", "sourceConnections", "targetConnections", "connections"} & counts.keys()


async def test_what_was_replaced_and_was_there_before_goes_only_when_told(stage: Stage) -> None:
    await stage.apply()
    (stage.folder / "var" / "connect" / "acme.json").unlink()
    stage.changes["platform__dataset__name"] = "another"
    await stage.apply()
    async with stage.wiring() as wiring:
        replaced = {item.id for item in (await wiring.doomed(retired_only=True)).items}
        assert replaced and not replaced & {item.id for item in (await wiring.doomed()).items}


@pytest.mark.parametrize("step", ["create", "change"])
async def test_killed_in_the_middle_it_is_known_whose_the_webhook_is(
    stage: Stage, step: str
) -> None:
    if step == "change":
        await foreign(stage)

    def die(_number: int, method: str, path: str) -> None:
        if method in ("POST", "PUT") and "reporting_webhooks" in path:
            raise Killed

    stage.after = die
    with pytest.raises(Killed):
        await stage.apply()
    stage.after = lambda *_call: None
    async with stage.wiring() as wiring:
        at_once = {item.step for item in (await wiring.doomed()).items}
    await stage.apply()
    async with stage.wiring() as wiring:
        later = {item.step for item in (await wiring.doomed()).items}
    for found in (at_once, later):
        assert ("webhook" in found) == (step == "create")


# --- two of one name ---


async def test_two_webhooks_of_one_name_are_said_before_anything_is_switched(stage: Stage) -> None:
    await stage.apply()
    await foreign(stage)
    (stage.folder / "var" / "connect" / "acme.json").unlink()
    await stage.forget()
    async with stage.wiring() as wiring:
        with pytest.raises(SluiceError, match=r"there are 2 of this name \(webhook \d+, \d+\)"):
            await wiring.set_enabled(False, webhook=True)
    assert await stage.writes() == []


async def test_two_dataflows_of_one_name_are_said_when_it_is_switched(stage: Stage) -> None:
    await stage.apply()
    (stage.folder / "var" / "connect" / "acme.json").unlink()
    async with stage.wiring() as wiring:
        await a_second_flow(wiring)
        for enabled in (False, True):
            with pytest.raises(SluiceError, match="delete all but one, or choose another name"):
                await wiring.set_enabled(enabled, webhook=False)


# --- data that others need ---


async def test_a_dataset_of_its_own_goes_though_its_schema_is_shared(stage: Stage) -> None:
    await stage.apply()
    other(stage, dataset={"name": "others"})
    what = await destroyed(stage, dataset=True)
    kinds = {item.step for item in what.items}
    assert "dataset" in kinds and not {"schema", "field_group"} & kinds
    assert Stay("schema", Why.SHARED, ("other",)) in what.stays
    assert not any(stay.kind == "dataset" for stay in what.stays)
    counts = await stage.counts()
    assert "dataSets" not in counts and (counts["schemas"], counts["fieldgroups"]) == (1, 1)

    (stage.config / "setups" / "other.yaml").unlink()
    await destroyed(stage, dataset=True)
    assert not {"schemas", "fieldgroups"} & (await stage.counts()).keys()


async def test_what_a_shared_dataset_is_made_of_stays(stage: Stage) -> None:
    await stage.apply()
    schema = {"title": "another", "field_group": "another group", "document": "tiny"}
    other(stage, schema=schema)
    what = await destroyed(stage, dataset=True)
    assert Stay("dataset", Why.SHARED, ("other",)) in what.stays
    assert {Stay("schema", Why.USED), Stay("field group", Why.USED)} <= set(what.stays)


async def test_another_sandbox_or_a_broken_setup(stage: Stage) -> None:
    await stage.apply()
    other(stage, sandbox_name="dev")
    async with stage.wiring() as wiring:
        assert not any(each.others for each in (await wiring.doomed(dataset=True)).stays)
        (stage.config / "setups" / "broken.yaml").write_text("platform: [")
        [*shared] = (each for each in (await wiring.doomed(dataset=True)).stays if each.others)
    assert {each.kind for each in shared} == {"dataset", "schema", "field group"}
    assert {each.others for each in shared} == {("broken",)}


async def test_a_tutorial_s_schema_is_not_that_of_the_setups(tmp_path: Path) -> None:
    source = {"kind": "customerio"}
    async with staged(tmp_path, **TINY, platform__source=source) as stage:
        await stage.apply(like_tutorial="api")
        other(stage, dataset={"name": "others"})
        what = await destroyed(stage, dataset=True)
        assert not any(each.others for each in what.stays)
        assert {"dataset", "schema", "field_group"} <= {item.step for item in what.items}


# --- twice, and two at once ---


async def test_destroyed_again_there_is_nothing_to_do_until_the_data_may_go(stage: Stage) -> None:
    await stage.apply()
    folder = stage.folder / "var" / "connect"
    first = await destroyed(stage)
    assert folder / "acme.json" not in first.files
    kept = (folder / "acme.json").read_bytes()

    second = await destroyed(stage)
    assert second.nothing
    assert (folder / "acme.json").read_bytes() == kept

    last = await destroyed(stage, dataset=True)
    assert folder / "acme.json" in last.files
    assert [path.name for path in folder.iterdir()] == ["acme.lock"]
    assert (await destroyed(stage, dataset=True)).nothing
    assert [path.name for path in folder.iterdir()] == ["acme.lock"]


async def test_while_it_destroys_no_second_command_gets_in(stage: Stage) -> None:
    await stage.apply()
    lock = stage.folder / "var" / "connect" / "acme.lock"
    inode = lock.stat().st_ino
    refused: list[bool] = []

    async def opened() -> bool:
        with lock.open("wb") as second:
            try:
                fcntl.flock(second.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                refused.append(True)
        return True

    # The last thing that it does.
    stage.lane.open = opened  # type: ignore[method-assign]
    await destroyed(stage)
    assert refused == [True] and lock.stat().st_ino == inode


# --- the webhook of another ---


async def test_a_webhook_that_was_there_calls_us_only_when_its_key_is_known(stage: Stage) -> None:
    await foreign(stage)
    seen: list[tuple[str, bool]] = []

    async def key(_where: str) -> bytes:
        [webhook] = await webhooks(stage)
        seen.append((webhook["endpoint"], webhook["disabled"]))
        return stage.live()[0]

    async with stage.wiring() as wiring:
        plan = await wiring.plan()
        [item] = [each for each in plan.items if each.step == "webhook"]
        assert "disabled: false -> true" in map(str, item.differences)
        await wiring.apply(plan, ask_key=key)
    [webhook] = await webhooks(stage)
    assert seen == [(f"{stage.url}/webhooks/acme", True)]
    assert not webhook["disabled"]
    assert (await stage.plan()).work == ()


async def test_ours_goes_on_when_its_address_changes(stage: Stage) -> None:
    """Events of a time when it is off never come."""
    await stage.apply()
    async with stage.wiring() as wiring:
        [found] = await wiring.ends.webhooks.all()
        await wiring.ends.webhooks.update(replace(found, endpoint=ELSEWHERE))
    await stage.forget()
    plan = await stage.apply()
    assert {item.step for item in plan.work} == {"webhook"}
    assert len(await stage.writes()) == 1 and not (await stage.webhook())["disabled"]
