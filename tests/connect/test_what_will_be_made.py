"""A plan says of each object that is to be created what it will have, and that is what is made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.adobe.flow_service import specs
from app.connect.plan import Action, Plan, fresh
from app.connect.run import LATER
from app.connect.schema_bodies import field_types
from app.customerio.events import EVENTS
from tests.connect.stage import Stage, staged
from tests.connect.test_apply import KINDS, TINY

# What the name says already.
PLAIN = {"signing_key", "test"}


def told(plan: Plan, step: str) -> dict[str, str]:
    [item] = [each for each in plan.items if each.step == step]
    assert item.action is Action.CREATE
    assert not any(each.found for each in item.differences)
    return {each.path: each.wanted for each in item.differences}


def test_words_of_what_is_to_be_made_leave_out_what_is_not_wanted() -> None:
    found = fresh(("a", True), ("b", ("x", "y")), ("c", None), ("d", ""), ("e", 3))
    assert [str(each) for each in found] == [
        "a: nothing -> true", "b: nothing -> x, y", "e: nothing -> 3",
    ]  # fmt: skip


def test_fields_are_told_to_the_innermost_with_their_types() -> None:
    text = {"type": "string"}
    fields = {
        "_t": {"type": "object", "properties": {
            "list": {"type": "array", "items": {"type": "object", "properties": {"a": text}}},
            "tags": {"type": "array", "items": text},
            "map": {"type": "object", "additionalProperties": text},
            "any": {},
        }},
    }  # fmt: skip
    assert dict(field_types(fields)) == {
        "_t.list[*].a": "string", "_t.tags[*]": "string", "_t.map": "map", "_t.any": "any",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_everything_that_will_be_created_says_what_it_will_have(
    tmp_path: Path, kind: str
) -> None:
    descriptor = {"path": "/_{TENANT}/customerio/id", "namespace": "customerId"}
    changes = {**TINY, "platform__descriptors": [descriptor]}
    async with staged(tmp_path, **KINDS[kind], **changes) as stage:
        plan = await stage.plan()
    made = [item for item in plan.items if item.action is Action.CREATE]
    assert [item.step for item in made if not item.differences and item.step not in PLAIN] == []
    assert told(plan, "descriptor:/_sluicesandbox/customerio/id") == {
        "xdm:sourceSchema": LATER, "xdm:namespace": "customerId", "xdm:isPrimary": "false",
    }  # fmt: skip
    in_json = {each["step"]: each["differences"] for each in plan.document()["items"]}
    assert {"path": "enableErrorDiagnostics", "found": "", "wanted": "true"} in in_json["dataset"]


async def test_what_sluice_maps_itself(tmp_path: Path) -> None:
    wanted = {"name": "Events", "profile": True, "row_expiry": "P90D"}
    async with staged(tmp_path, **TINY, platform__dataset=wanted) as stage:
        plan = await stage.plan()
    assert told(plan, "namespace:customerId")["idType"] == "Cross_device"
    assert told(plan, "field_group") == {
        "_sluicesandbox.customerio.metric": "string", "_sluicesandbox.customerio.id": "string",
    }  # fmt: skip
    assert told(plan, "schema") == {
        "class": "https://ns.adobe.com/xdm/context/experienceevent",
        "field group": f"Customer.io event {LATER}",
        "meta:immutableTags": "union",
    }
    assert told(plan, "dataset") == {
        "schemaRef.id": LATER,
        "schemaRef.contentType": specs.SCHEMA_TYPE,
        "enableErrorDiagnostics": "true",
        "tags.unifiedProfile": "enabled:true",
        "tags.unifiedIdentity": "enabled:true",
        "rowExpiration.ttlValue": "P90D",
    }
    http = f"HTTP API ({specs.HTTP_API})"
    assert told(plan, "base") == {
        "connectionSpec": http, "dataType": "xdm", "authenticationRequired": "true",
    }  # fmt: skip
    assert told(plan, "source") == {"connectionSpec": http, "base": LATER}
    assert told(plan, "target") == {
        "connectionSpec": f"data lake ({specs.DATA_LAKE})",
        "dataSetId": LATER,
        "schema.id": LATER,
        "schema.version": specs.SCHEMA_TYPE,
    }
    assert told(plan, "flow") == {
        "flow spec": f"HTTP API without mapping ({specs.HTTP_API_PLAIN})",
        "source connection": LATER,
        "target connection": LATER,
        "mapping": "none: Sluice maps before it sends",
    }
    assert told(plan, "inlet") == {
        "address": LATER, "takes": "XDM records", "token": "a token is needed",
    }  # fmt: skip


async def test_what_the_dataflow_maps(tmp_path: Path) -> None:
    async with staged(tmp_path, **KINDS["customerio"], **TINY) as stage:
        plan = await stage.plan()
    assert told(plan, "source") == {
        "connectionSpec": f"Customer.io ({specs.CUSTOMERIO})", "data.format": "json",
    }  # fmt: skip
    rows = told(plan, "mapping")
    assert (rows["outputSchema"], rows["mappings"]) == (LATER, "4 rows, of tiny.json")
    assert rows["_sluicesandbox.customerio.metric"] == "ATTRIBUTE metric"
    assert told(plan, "flow")["flow spec"] == f"GenericStreamingAEP ({specs.STREAMING})"
    assert told(plan, "flow")["mapping"].startswith(LATER)
    assert told(plan, "inlet")["token"] == "open: whoever has its address can post to it"
    assert told(plan, "dataset")["tags.unifiedProfile"] == "off"


@pytest.mark.parametrize("with_content", [False, True])
async def test_the_webhook_is_made_as_it_was_shown(tmp_path: Path, with_content: bool) -> None:
    async with staged(
        tmp_path, **TINY, customerio__families=["sms", "slack"],
        customerio__with_content=with_content,
    ) as stage:  # fmt: skip
        plan = await stage.plan()
        shown = told(plan, "webhook")
        await stage.apply()
        made = await stage.webhook()
    [item] = [each for each in plan.items if each.step == "webhook"]
    assert shown.pop("disabled") == "true, until a test event came through"
    assert shown.pop("events: sms").split(", ") == list(EVENTS["sms"])
    assert shown.pop("events: slack").split(", ") == list(EVENTS["slack"])
    assert sorted(made["events"]) == sorted(EVENTS["sms"] + EVENTS["slack"])
    keys = ("endpoint", "full_resolution", "with_content")
    assert shown == {key: str(made[key]).lower() for key in keys}
    silently = "grow over 10 KB, and those Profile drops silently"
    assert (silently in item.why) is not with_content
    assert any("Profile drops events over 10 KB" in each for each in plan.remarks) is with_content


async def test_the_inlet_is_there_with_the_dataflow_and_never_shown_whole(tmp_path: Path) -> None:
    async with staged(tmp_path, **KINDS["customerio"], **TINY) as stage:
        await stage.apply()
        plan = await stage.plan()
        address = _inlet_of(stage)
    [item] = [each for each in plan.items if each.step == "inlet"]
    assert (item.action, item.name) == (Action.EXISTS, "Sluice acme")
    start, _, inlet_id = address.rpartition("/")
    assert item.why.startswith(f"{start}/{inlet_id[:8]}... takes Customer.io's events as they are")
    assert inlet_id not in json.dumps(plan.document())


def _inlet_of(stage: Stage) -> str:
    text = (stage.config / "connections" / "acme.yaml").read_text()
    [line] = [each for each in text.splitlines() if "/collection/" in each]
    return line.partition(": ")[2].strip()
