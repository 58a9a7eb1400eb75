"""Plan, apply, and what goes with them, against both sandboxes."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.adobe.data_prep import Previewed, _verdict
from app.connect.destroying import Stay, Why
from app.connect.engine import NotPossible, Outdated
from app.connect.plan import Action, Plan
from app.connect.steps.local import KeyMissing
from app.core.errors import PlatformRefused, SluiceError
from app.sandbox.defaults import SIGNING_KEY
from app.settings import load_connections
from app.settings.folders import Folders
from tests.connect.stage import ENVIRON, Stage, staged

KINDS: dict[str, dict[str, Any]] = {
    "xdm": {},
    "raw": {"platform__source": {"kind": "http_api", "data_type": "raw"}},
    "customerio": {"platform__source": {"kind": "customerio"}},
}
TINY: dict[str, Any] = {"mapping_set": "tiny", "platform__schema": {"document": "tiny"}}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The source of Customer.io's, so that there is a mapping set, too."""
    async with staged(tmp_path, **KINDS["customerio"], **TINY) as found:
        yield found


def actions(plan: Plan) -> dict[str, str]:
    return {item.step: item.action.value for item in plan.items}


# --- plan and apply ---


@pytest.mark.parametrize("kind", KINDS)
async def test_apply_makes_everything_and_a_second_one_only_looks(
    tmp_path: Path, kind: str
) -> None:
    async with staged(tmp_path, **KINDS[kind]) as stage:
        await stage.apply()
        made = await stage.counts()
        assert not (await stage.webhook())["disabled"]
        connection = load_connections(Folders(stage.config), ENVIRON)["acme"]
        assert connection.platform.mode == stage.setup().mode
        assert connection.platform.authenticated == (kind != "customerio")
        assert connection.signing_keys == (SIGNING_KEY.encode(),)
        await stage.forget()

        again = await stage.apply()

        assert again.work == ()
        assert await stage.writes() == []
        assert await stage.counts() == made
        wanted = dict.fromkeys(("dataSets", "fieldgroups", "flows", "schemas"), 1)
        wanted |= {"namespaces": 2, "sourceConnections": 1, "targetConnections": 1, "webhooks": 1}
        wanted |= {"connections": 1} if kind != "customerio" else {}
        wanted |= {"mappingSets": 1} if kind != "xdm" else {}
        assert made == wanted


async def test_every_call_is_shown_as_curl_and_no_secret_in_it(stage: Stage) -> None:
    await stage.apply()
    called = [shown.splitlines()[0].removeprefix("curl -X ") for shown in stage.shown]
    assert len(called) == stage.requests
    assert called[0].startswith("POST")
    assert f"POST {stage.url}/webhooks/acme" in " ".join(called)
    secrets = (ENVIRON["CLIENT_SECRET"], ENVIRON["CIO_KEY"], SIGNING_KEY)
    assert not any(secret in shown for secret in secrets for shown in stage.shown)


async def test_a_plan_changes_nothing_and_says_what_would_be_done(stage: Stage) -> None:
    plan = await stage.plan()
    assert await stage.writes() == []
    assert await stage.counts() == {"webhooks": 0}
    assert not (stage.folder / "var").exists()
    document = plan.document()
    assert (document["changes"], document["blocked"]) == (True, False)
    assert actions(plan)["flow"] == "create"
    assert [item.step for item in plan.items].index("dataset") < [
        item.step for item in plan.items
    ].index("flow")
    json.dumps(document)


async def test_the_lane_is_held_before_the_flow_is_there_and_opens_after_five_minutes(
    stage: Stage,
) -> None:
    held_at_flow: list[bool] = []

    def look(_number: int, method: str, path: str) -> None:
        if (method, path) == ("POST", "/data/foundation/flowservice/flows"):
            held_at_flow.append(stage.lane.shut)

    stage.before = look
    began = stage.now
    await stage.apply()
    assert held_at_flow == [True]
    # The first one is as long as a call may take whose answer nobody hears.
    assert stage.lane.history == [("hold", 660.0), ("hold", 300.0), ("open", None)]
    assert stage.now - began >= 300
    waits = [event.seconds for event in stage.events if event.word == "waiting"]
    assert waits[0] == 300
    assert waits == sorted(waits, reverse=True)


async def test_a_lane_that_a_person_holds_stays_held(stage: Stage) -> None:
    stage.lane.held_by_others = True
    await stage.apply()
    assert any("not by us: `sluice lanes` says why" in event.text for event in stage.events)


async def test_the_webhook_is_made_disabled_and_enabled_after_a_test_came_through(
    stage: Stage,
) -> None:
    seen: list[tuple[bool, int]] = []
    async with stage.wiring() as wiring:
        await wiring.apply(await wiring.plan(), ask_key=_look_first(stage, seen))
    assert seen == [(True, 0)]
    assert stage.lane.counted == 1
    webhook = await stage.webhook()
    assert (webhook["disabled"], webhook["name"]) == (False, "Sluice acme")
    assert webhook["endpoint"] == f"{stage.url}/webhooks/acme"
    key = stage.folder / "var" / "connect" / "acme.signing-key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def _look_first(stage: Stage, seen: list[tuple[bool, int]]) -> Any:
    async def ask(where: str) -> bytes:
        assert "Reporting Webhooks > Sluice acme" in where
        seen.append(((await stage.webhook())["disabled"], stage.lane.counted))
        return SIGNING_KEY.encode()

    return ask


async def test_without_a_signing_key_apply_stops_and_goes_on_when_there_is_one(
    stage: Stage,
) -> None:
    async with stage.wiring() as wiring:
        with pytest.raises(KeyMissing, match="Reporting Webhooks > Sluice acme"):
            await wiring.apply(await wiring.plan())
    assert (await stage.webhook())["disabled"]
    made = await stage.counts()
    await stage.apply()
    assert await stage.counts() == made
    assert not (await stage.webhook())["disabled"]


async def test_a_key_that_the_receiver_does_not_take_leaves_the_webhook_disabled(
    stage: Stage,
) -> None:
    async def wrong(_where: str) -> bytes:
        return b"another key"

    async with stage.wiring() as wiring:
        with pytest.raises(SluiceError, match="answered 401: the receiver has another signing key"):
            await wiring.apply(await wiring.plan(), ask_key=wrong)
    assert (await stage.webhook())["disabled"]


async def test_what_is_there_already_is_used_and_only_completed(stage: Stage) -> None:
    await stage.apply()
    async with stage.wiring() as wiring:
        flow_name = wiring.setup.flow_name
        [flow] = await wiring.ends.flows.flows_named(flow_name)
    # Another machine, or a state file that was lost.
    (stage.folder / "var" / "connect" / "acme.json").unlink()
    (stage.folder / "var" / "connect" / "acme.signing-key").unlink()
    await stage.forget()
    plan = await stage.apply()
    # Platform says itself how old the dataflow is.
    assert {item.step for item in plan.work} == {"signing_key", "test", "test_counted"}
    assert await stage.writes() == []
    assert flow.id in (stage.config / "connections" / "acme.yaml").read_text()


async def test_a_plan_that_is_too_old_is_not_carried_out(stage: Stage) -> None:
    await stage.apply()
    async with stage.wiring() as wiring:
        plan = await wiring.plan()
        webhook = (await wiring.ends.webhooks.all())[0]
        await wiring.ends.webhooks.update(replace(webhook, endpoint="https://elsewhere.example"))
        with pytest.raises(Outdated, match="reporting webhook Sluice acme was exists"):
            await wiring.apply(plan)


# --- what is in the way ---


async def test_a_connection_file_that_a_person_wrote_stops_it_before_anything_is_done(
    stage: Stage,
) -> None:
    path = stage.config / "connections" / "acme.yaml"
    path.write_text("name: acme\n")
    async with stage.wiring() as wiring:
        plan = await wiring.plan()
        with pytest.raises(NotPossible, match="a person wrote it, so it is not overwritten"):
            await wiring.apply(plan)
    assert await stage.writes() == []
    assert path.read_text() == "name: acme\n"


async def test_a_config_folder_that_cannot_be_written_is_known_before_anything_is_done(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    [fault] = (await stage.plan()).blocked
    assert fault.step == "connection_file"
    assert "cannot be written by this user" in fault.why


async def test_what_is_generated_goes_into_a_folder_of_its_own(stage: Stage) -> None:
    written = sorted(path.name for path in (stage.config / "connections").iterdir())
    stage.generated = stage.folder / "var" / "config"
    await stage.apply()
    path = stage.generated / "connections" / "acme.yaml"
    assert load_connections(Folders(stage.config, stage.generated), ENVIRON)["acme"].name == "acme"
    assert sorted(each.name for each in (stage.config / "connections").iterdir()) == written
    assert not (await stage.plan()).work
    async with stage.wiring() as wiring:
        await wiring.destroy(await wiring.doomed())
    assert not path.exists()


async def test_a_connection_that_a_person_wrote_counts_wherever_ours_would_go(stage: Stage) -> None:
    stage.generated = stage.folder / "var" / "config"
    (stage.config / "connections" / "acme.yaml").write_text("name: acme\n")
    [fault] = (await stage.plan()).blocked
    assert "a person wrote it" in fault.why


async def test_a_mapping_set_with_faults_stops_it(stage: Stage) -> None:
    path = stage.config / "mappings" / "tiny.json"
    path.write_text(path.read_text().replace("dformat(", "dformt("))
    [fault] = (await stage.plan()).blocked
    assert fault.step == "mapping"
    assert "dformt" in fault.why


async def test_rows_that_platform_refuses_stop_it_though_they_pass_here(stage: Stage) -> None:
    await stage.apply()
    path = stage.config / "mappings" / "tiny.json"
    document = json.loads(path.read_text())
    document["mappings"][3]["source"] = "data.identifiers.cio_id"
    path.write_text(json.dumps(document))
    verdicts = [{"status": "SUCCESS", "errors": None}] * 3
    verdicts.append({"status": "FAILED", "errors": [{"message": "no such attribute"}]})

    async def validate(_document: Any) -> list[Any]:
        return [_verdict(each) for each in verdicts]

    async with stage.wiring() as wiring:
        wiring.ends.mappings.validate = validate  # type: ignore[method-assign]
        [fault] = (await wiring.plan()).blocked
    assert fault.step == "mapping"
    assert fault.why == (
        "Platform refuses rows of it: #4 data.identifiers.cio_id: no such attribute"
    )


async def test_what_platform_s_preview_makes_of_the_examples_is_held_against_ours(
    stage: Stage,
) -> None:
    examples = stage.config / "mappings" / "examples" / "tiny.json"
    event = {"event_id": "e1", "metric": "sent", "timestamp": 1, "data": {"identifiers": {}}}
    out = {"_id": "e1", "timestamp": "1970-01-01T00:00:01.000Z"}
    out |= {"_acme": {"customerio": {"metric": "sent"}}}
    document = {"variables": {"TENANT": "acme"}, "examples": [{"in": event, "out": out}]}
    examples.write_text(json.dumps(document))
    await stage.apply()
    notes = [each.text for each in stage.events if each.word == "note"]
    assert notes == ["Platform's preview makes the same of all 1 examples"]

    async def preview(_events: Any, _document: Any) -> list[Previewed]:
        return [Previewed({"_id": "e1", "timestamp": "another"}, ())]

    path = stage.config / "mappings" / "tiny.json"
    path.write_text(path.read_text().replace("data.identifiers.id", "data.identifiers.email"))
    async with stage.wiring() as wiring:
        wiring.ends.mappings.preview = preview  # type: ignore[method-assign]
        remarks = (await wiring.plan()).remarks
    assert remarks == (
        "Platform's preview differs from ours at _sluicesandbox in 1 of 1 examples: of example 1 "
        'we make {"customerio":{"metric":"sent"}}, Platform nothing',
        "Platform's preview differs from ours at timestamp in 1 of 1 examples: of example 1 we "
        'make "1970-01-01T00:00:01.000Z", Platform "another"',
    )


async def test_examples_that_platform_was_not_shown_are_counted(stage: Stage) -> None:
    event = {"event_id": "e1", "metric": "sent", "timestamp": 1, "data": {"identifiers": {}}}
    out: dict[str, Any] = {"_id": "e1", "timestamp": "1970-01-01T00:00:01.000Z"}
    out |= {"_acme": {"customerio": {"metric": "sent"}}}
    examples = [{"in": event, "out": out}] * 51
    path = stage.config / "mappings" / "examples" / "tiny.json"
    path.write_text(json.dumps({"variables": {"TENANT": "acme"}, "examples": examples}))
    await stage.apply()
    notes = [each.text for each in stage.events if each.word == "note"]
    assert notes == [
        "Platform's preview makes the same of all 50 examples",
        "only the first 50 of 51 examples were shown to Platform",
    ]


async def test_a_mapping_set_that_is_not_compared_says_so(stage: Stage) -> None:
    first = await stage.plan()
    later = "Platform looks at the mapping set when its schema is there, before it is put"
    assert later in first.remarks
    await stage.apply()
    none = "has no examples, so Platform's preview is not held against ours: put some into"
    assert [none in each.text for each in stage.events if each.word == "note"] == [True]


async def test_a_dataset_of_another_schema_stops_it(stage: Stage) -> None:
    await stage.apply()
    stage.changes["platform__schema__title"] = "Another"
    [fault] = (await stage.plan()).blocked
    assert (fault.step, fault.action) == ("dataset", Action.BLOCKED)
    assert "choose another name for the dataset" in fault.why


async def test_two_dataflows_of_one_name_are_not_guessed_at(stage: Stage) -> None:
    await stage.apply()
    async with stage.wiring() as wiring:
        flows = wiring.ends.flows
        [flow] = await flows.flows_named("Sluice acme")
        await flows.create_flow(
            "Sluice acme",
            flow.source_connection_ids[0],
            flow.target_connection_ids[0],
            flow.mapping,
        )
    assert (await stage.plan()).blocked == ()
    (stage.folder / "var" / "connect" / "acme.json").unlink()
    [fault] = (await stage.plan()).blocked
    assert fault.step == "flow"
    assert "there are 2 of this name" in fault.why


async def test_a_refusal_of_platform_s_is_said_and_leaves_nothing_under_way(stage: Stage) -> None:
    rule = {"scope": "control", "path": "/data/foundation/flowservice/flows", "method": "POST"}
    await stage.ask("/faults", "POST", {**rule, "error_code": "1413-400"})
    with pytest.raises(PlatformRefused, match="ask Adobe to enable it"):
        await stage.apply()
    async with stage.wiring() as wiring:
        assert (await wiring.status()).under_way == ""
    # Nothing came of it, so nothing is waited for.
    assert not stage.lane.shut
    await stage.ask("/faults", "DELETE")
    await stage.apply()
    assert (await stage.counts())["flows"] == 1


# --- changes ---


async def test_a_new_version_of_the_mapping_set_is_put_and_the_flow_pointed_at_it(
    stage: Stage,
) -> None:
    await stage.apply()
    path = stage.config / "mappings" / "tiny.json"
    document = json.loads(path.read_text())
    document["mappings"].pop()
    path.write_text(json.dumps(document))
    await stage.forget()
    stage.lane.history.clear()
    began = stage.now

    plan = await stage.apply()

    assert {step: actions(plan)[step] for step in ("mapping", "flow", "lane")} == {
        "mapping": "change", "flow": "change", "lane": "change",
    }  # fmt: skip
    put, patch = await stage.writes()
    assert put.startswith("PUT /data/foundation/conversion/mappingSets/")
    assert patch.startswith("PATCH /data/foundation/flowservice/flows/")
    before_and_when_quiet = [("hold", 660.0)] * 2
    assert stage.lane.history == [*before_and_when_quiet, ("hold", 300.0), ("open", None)]
    assert stage.now - began >= 300
    assert (await stage.plan()).work == ()


async def test_another_dataset_means_a_new_pair_and_flow_and_the_old_ones_go_when_told(
    stage: Stage,
) -> None:
    await stage.apply()
    old = (stage.config / "connections" / "acme.yaml").read_text()
    stage.changes["platform__dataset"] = {"name": "Other events"}

    plan = await stage.apply()

    assert actions(plan)["dataset"] == "create"
    replaced = ("source", "target", "flow")
    assert [actions(plan)[step] for step in replaced] == ["replace"] * 3
    assert actions(plan)["old_flow"] == "change"
    assert (stage.config / "connections" / "acme.yaml").read_text() != old
    counts = await stage.counts()
    assert (counts["flows"], counts["targetConnections"], counts["sourceConnections"]) == (2, 2, 2)
    assert await states(stage) == ["disabled", "enabled"]
    assert (await stage.plan()).work == ()
    async with stage.wiring() as wiring:
        await wiring.destroy(await wiring.doomed(retired_only=True))
    counts = await stage.counts()
    assert (counts["flows"], counts["targetConnections"], counts["dataSets"]) == (1, 1, 2)
    assert counts["sourceConnections"] == 1
    assert (await stage.plan()).work == ()


@pytest.mark.parametrize("kind", KINDS)
async def test_of_what_the_old_dataflow_has_nothing_feeds_the_new_one(
    tmp_path: Path, kind: str
) -> None:
    async with staged(tmp_path, **KINDS[kind], **TINY) as stage:
        await stage.apply()
        inlet = stage.lane.inlet
        stage.changes["platform__dataset"] = {"name": "Other events"}
        await stage.apply()
        async with stage.wiring() as wiring:
            flows = wiring.ends.flows
            old, new = await flows.flows_named("Sluice acme")
        assert (old.state, new.state) == ("disabled", "enabled")
        assert not set(old.source_connection_ids) & set(new.source_connection_ids)
        assert not set(old.target_connection_ids) & set(new.target_connection_ids)
        assert stage.lane.inlet != inlet
        assert (await stage.plan()).work == ()


async def states(stage: Stage) -> list[str]:
    """Of all dataflows."""
    async with stage.wiring() as wiring:
        flows = await wiring.ends.flows.flows_named("Sluice acme")
    return sorted(flow.state for flow in flows)


async def test_another_name_for_the_dataflow_renames_it_and_makes_nothing(stage: Stage) -> None:
    await stage.apply()
    made = await stage.counts()
    await stage.forget()
    stage.changes["platform__flow"] = "Customer.io for all"
    plan = await stage.apply()
    assert [str(each) for item in plan.work for each in item.differences] == [
        "name: Sluice acme -> Customer.io for all"
    ]
    [patch] = await stage.writes()
    assert patch.startswith("PATCH /data/foundation/flowservice/flows/")
    assert await stage.counts() == made
    assert (await stage.plan()).work == ()


async def test_another_kind_of_source_is_made_beside_the_old_one(stage: Stage) -> None:
    await stage.apply()
    stage.changes |= KINDS["xdm"] | {"platform__source": {"kind": "http_api"}}
    await stage.apply()
    assert load_connections(Folders(stage.config), ENVIRON)["acme"].platform.mode == "xdm"
    counts = await stage.counts()
    assert (counts["sourceConnections"], counts["connections"], counts["flows"]) == (2, 1, 2)
    assert counts["targetConnections"] == 2
    assert await states(stage) == ["disabled", "enabled"]
    assert (await stage.plan()).work == ()
    async with stage.wiring() as wiring:
        await wiring.destroy(await wiring.doomed(retired_only=True))
    counts = await stage.counts()
    assert (counts["sourceConnections"], counts["connections"], counts["flows"]) == (1, 1, 1)


async def test_fields_that_a_schema_lacks_are_added(stage: Stage) -> None:
    await stage.apply()
    path = stage.config / "schemas" / "tiny.json"
    document = json.loads(path.read_text())
    own = document["properties"]["_{TENANT}"]["properties"]["customerio"]["properties"]
    own["subject"] = {"type": "string", "meta:xdmType": "string"}
    path.write_text(json.dumps(document))
    plan = await stage.plan()
    [item] = plan.work
    assert item.step == "field_group"
    assert any("only after 15 minutes" in remark for remark in plan.remarks)
    assert [str(each) for each in item.differences] == [
        "_sluicesandbox.customerio.subject: nothing -> added"
    ]
    await stage.apply()
    assert (await stage.plan()).work == ()


async def test_options_of_the_webhook_are_changed_in_place(stage: Stage) -> None:
    await stage.apply()
    stage.changes |= {"customerio__families": ["email"], "customerio__with_content": True}
    plan = await stage.apply()
    assert {item.step for item in plan.work} == {"webhook"}
    assert any("Profile drops events over 10 KB" in remark for remark in plan.remarks)
    webhook = await stage.webhook()
    assert webhook["with_content"]
    assert {event.partition("_")[0] for event in webhook["events"]} == {"email"}
    assert not webhook["disabled"]


# --- status, switch, destroy ---


async def test_status_says_whether_events_can_flow(stage: Stage) -> None:
    async with stage.wiring() as wiring:
        assert not (await wiring.status()).in_order
    await stage.apply()
    async with stage.wiring() as wiring:
        found = await wiring.status()
    assert found.in_order
    assert found.flow_state == "enabled"
    assert found.ready_at == found.changed_at + 300
    json.dumps(found.document())


async def test_the_test_is_sent_again_and_counted_where_the_lane_is_open(stage: Stage) -> None:
    async with stage.wiring() as wiring:
        with pytest.raises(SluiceError, match="no signing key yet"):
            await wiring.test()
    await stage.apply()
    before = stage.now
    async with stage.wiring() as wiring:
        counted, told = stage.lane.counted, []
        assert await wiring.test(tell=told.append)
        assert stage.lane.counted == counted + 1
        assert [event.word for event in told] == ["doing", "done"]
        assert (await wiring.status()).tested_at >= before

        stage.lane.until = None
        told.clear()
        assert not await wiring.test(tell=told.append)
        assert "the lane is held" in told[1].text
    stage.lane.until = 0.0
    # The next apply waits for the one that nobody has counted yet.
    assert [item.step for item in (await stage.plan()).work] == ["test_counted"]


async def test_a_test_that_no_worker_counts_is_said(stage: Stage) -> None:
    await stage.apply()
    stage.works = False
    async with stage.wiring() as wiring:
        with pytest.raises(SluiceError, match="no worker has counted it"):
            await wiring.test()


async def test_disabled_the_lane_is_held_and_enabled_it_opens_five_minutes_later(
    stage: Stage,
) -> None:
    await stage.apply()
    stage.lane.history.clear()
    async with stage.wiring() as wiring:
        await wiring.set_enabled(False, webhook=True)
        await wiring.set_enabled(False, webhook=True)
    assert (await stage.webhook())["disabled"]
    assert stage.lane.history[0] == ("hold", None)
    # Whoever applies does not undo what a person did.
    plan = await stage.plan()
    assert [actions(plan)[step] for step in ("flow", "webhook_on", "lane")] == ["leave"] * 3
    assert plan.work == ()
    stage.now += 60
    stage.lane.history.clear()
    async with stage.wiring() as wiring:
        await wiring.set_enabled(True, webhook=True)
    assert not (await stage.webhook())["disabled"]
    # Not opened, nor held with an end, before the dataflow is known to be on.
    assert stage.lane.history == [("hold", None), ("hold", 300.0)]


@pytest.mark.parametrize("kind", KINDS)
async def test_destroy_leaves_nothing_but_what_platform_cannot_delete(
    tmp_path: Path, kind: str
) -> None:
    async with staged(tmp_path, **KINDS[kind], **TINY) as stage:
        await stage.apply()
        async with stage.wiring() as wiring:
            what = await wiring.doomed()
            assert Stay("dataset", Why.DATA) in what.stays
            assert Stay("identity namespaces", Why.NO_CALL) in what.stays
            await wiring.destroy(what)
        counts = await stage.counts()
        stays = {"namespaces": 2, "mappingSets": 1} if kind != "xdm" else {"namespaces": 2}
        data = {"dataSets": 1, "schemas": 1, "fieldgroups": 1}
        assert counts == stays | data | {"webhooks": 0}

        # Set up anew beside the data that stayed, and then all of it goes.
        stage.now += 600
        await stage.apply()
        async with stage.wiring() as wiring:
            await wiring.destroy(await wiring.doomed(dataset=True))
        assert await stage.counts() == stays | {"webhooks": 0}
        assert not list((stage.config / "connections").iterdir())
        left = [path.name for path in (stage.folder / "var" / "connect").iterdir()]
        assert left == ["acme.lock"]


async def test_destroy_takes_the_data_too_when_told_twice(stage: Stage) -> None:
    await stage.apply()
    async with stage.wiring() as wiring:
        await wiring.destroy(await wiring.doomed(dataset=True))
    assert await stage.counts() == {"namespaces": 2, "mappingSets": 1, "webhooks": 0}


async def test_data_that_another_setup_names_are_not_destroyed(stage: Stage) -> None:
    await stage.apply()
    other = (stage.config / "setups" / "acme.yaml").read_text()
    (stage.config / "setups" / "other.yaml").write_text(other)
    async with stage.wiring() as wiring:
        what = await wiring.doomed(dataset=True)
        assert Stay("dataset", Why.SHARED, ("other",)) in what.stays
        assert what.document()["stays"][0] == {
            "kind": "dataset", "why": "named by other setups", "others": ["other"],
        }  # fmt: skip
        await wiring.destroy(what)
    counts = await stage.counts()
    assert (counts["dataSets"], counts["schemas"], counts["fieldgroups"]) == (1, 1, 1)


async def test_nothing_is_destroyed_while_events_are_on_their_way(stage: Stage) -> None:
    await stage.apply()
    stage.lane.waiting = 3
    made = await stage.counts()
    async with stage.wiring() as wiring:
        what = await wiring.doomed()
        assert what.refusal.startswith("3 events of acme are still on their way")
        with pytest.raises(SluiceError, match="3 events"):
            await wiring.destroy(what)
    assert await stage.counts() == made
