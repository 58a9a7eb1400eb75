"""`--like-tutorial`: the request log beside the calls of platform.md section 1, in its order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ConfigError
from tests.connect.stage import LOOKS, staged
from tests.sandbox.dataflow import CONTENT_TYPE, CUSTOMERIO, DATA_LAKE, GENERIC, TUTORIAL_ROWS

FLOW = "/data/foundation/flowservice"
SOURCE = {
    "name": "Sluice acme",
    "providerId": "521eee4d-8cbe-4906-bb48-fb6bd4450033",
    "connectionSpec": CUSTOMERIO,
    "data": {"format": "json"},
}
# In which order each page has it made; schema and dataset are those of Adobe's guides.
ORDERS = {
    "api": ["sourceConnections", "fieldgroups", "schemas", "dataSets"],
    "ui": ["fieldgroups", "schemas", "sourceConnections", "dataSets"],
}
LAST = ["targetConnections", "mappingSets", "flows"]
# Section 1.8: the UI page wants a seventh field.
ROWS = {"api": TUTORIAL_ROWS, "ui": [*TUTORIAL_ROWS, ("data.identifiers.id", "id")]}


@pytest.mark.parametrize("page", ORDERS)
async def test_the_calls_are_those_of_adobe_s_page(tmp_path: Path, page: str) -> None:
    async with staged(tmp_path, platform__source={"kind": "customerio"}) as stage:
        await stage.apply(like_tutorial=page)
        calls = await stage.calls()
        made = {
            call["path"].partition("?")[0].rpartition("/")[2]: call
            for call in calls
            if call["method"] == "POST"
            and call["path"].startswith("/data/")
            and not call["path"].endswith(LOOKS)
        }
        assert list(made) == ORDERS[page] + LAST
        bodies = {kind: call["body"] for kind, call in made.items()}
        ids = json.loads((stage.folder / "var" / "connect" / "acme.json").read_text())["ids"]
        assert bodies == wanted(page, ids, bodies)
        # Section 1.7 reads the inlet off the flow.
        assert f"{FLOW}/flows/{ids['flow']}" in [call["path"] for call in calls]
        headers = {name.lower(): value for name, value in made["flows"]["headers"].items()}
        assert headers["authorization"] == "Bearer ***"
        assert headers["x-gw-ims-org-id"] == "SANDBOX@AdobeOrg"
        assert headers["x-sandbox-name"] == "prod"
        await stage.forget()
        assert (await stage.apply(like_tutorial=page)).work == ()
        assert await stage.writes() == []


def wanted(page: str, ids: dict[str, str], bodies: dict[str, Any]) -> dict[str, Any]:
    """Sections 1.1 to 1.6, literally, with these ids."""
    schema = {"id": ids["schema"], "contentType": CONTENT_TYPE}
    rows = [
        {
            "sourceAttribute": source,
            "destinationXdmPath": f"_sluicesandbox.{name}",
            "identity": False,
            "version": 0,
        }
        for source, name in ROWS[page]
    ]
    target = {"id": ids["schema"], "version": CONTENT_TYPE}
    mapping = {"mappingId": ids["mapping"], "mappingVersion": 0}
    return {
        "sourceConnections": SOURCE,
        # The page only points at the guides for these three (section 5).
        **{kind: bodies[kind] for kind in ("fieldgroups", "schemas", "dataSets")},
        "targetConnections": {
            "name": "Sluice acme",
            "connectionSpec": DATA_LAKE,
            "data": {"format": "json", "schema": target},
            "params": {"dataSetId": ids["dataset"]},
        },
        "mappingSets": {"outputSchema": {"schemaRef": schema}, "mappings": rows},
        "flows": {
            "name": "Sluice acme",
            "flowSpec": GENERIC,
            "sourceConnectionIds": [ids["source"]],
            "targetConnectionIds": [ids["target"]],
            "transformations": [{"name": "Mapping", "params": mapping}],
        },
    }


async def test_who_says_nothing_later_keeps_to_it(tmp_path: Path) -> None:
    """`connection update` cannot even say it."""
    async with staged(tmp_path, platform__source={"kind": "customerio"}) as stage:
        await stage.apply(like_tutorial="api")
        assert (await stage.plan()).work == ()
        for _ in range(2):
            assert (await stage.apply()).work == ()
        async with stage.wiring() as wiring:
            assert (await wiring.status()).in_order


async def test_its_mapping_is_said_to_lack_what_events_need(tmp_path: Path) -> None:
    async with staged(tmp_path, platform__source={"kind": "customerio"}) as stage:
        plan = await stage.plan(like_tutorial="api")
        said = "Adobe's mapping has neither _id nor timestamp, so events are refused later"
        assert said in plan.remarks


async def test_another_source_cannot_be_like_the_tutorial(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        with pytest.raises(ConfigError, match="Adobe's tutorials need `customerio`"):
            await stage.plan(like_tutorial="api")
