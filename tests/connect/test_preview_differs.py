"""A mistake of our mapper shows in a plan: Platform's preview is not made by it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.dataprep.functions import FUNCTIONS
from tests.connect.stage import Stage, staged

EVENT = {"event_id": "01A", "timestamp": 1_700_000_000, "metric": "Sent"}
TINY = {
    "mapping_set": "tiny",
    "platform__schema": {"document": "tiny"},
    "platform__source": {"kind": "http_api", "data_type": "raw"},
}


def lowers_the_metric(stage: Stage, believed: str) -> None:
    """A new version of the set, with the example that its writer took for right."""
    mappings = stage.config / "mappings"
    document = json.loads((mappings / "tiny.json").read_text())
    document["mappings"][2] |= {"sourceType": "EXPRESSION", "source": "lower(metric)"}
    (mappings / "tiny.json").write_text(json.dumps(document))
    out = {
        "_id": "01A",
        "timestamp": "2023-11-14T22:13:20.000Z",
        "_acme": {"customerio": {"metric": believed}},
    }
    example = {"name": "sent", "in": EVENT, "out": out}
    examples = {"variables": {"TENANT": "acme"}, "examples": [example]}
    (mappings / "examples").mkdir(exist_ok=True)
    (mappings / "examples" / "tiny.json").write_text(json.dumps(examples))


@pytest.mark.parametrize(("mistaken", "believed"), [(False, "sent"), (True, "SENT")])
async def test_a_plan_tells_where_our_mapper_and_platform_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mistaken: bool, believed: str
) -> None:
    async with staged(tmp_path, **TINY) as stage:
        await stage.apply()
        lowers_the_metric(stage, believed)
        if mistaken:
            monkeypatch.setitem(FUNCTIONS, "lower", str.upper)
        plan = await stage.plan()

    assert [item.step for item in plan.work if item.step == "mapping"] == ["mapping"], plan
    said = [each for each in plan.remarks if "differs" in each and "customerio.metric" in each]
    assert bool(said) is mistaken, plan.remarks
