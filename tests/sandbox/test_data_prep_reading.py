"""The sandbox's own reading of Data Prep: against Adobe's pages, and against our engine."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.core.dataprep import posted
from app.core.xdm import fill_schema
from app.sandbox.dataprep.reading.expression import Unread, read
from app.sandbox.dataprep.reading.record import Reading
from app.sandbox.plane.judge import Judge
from app.sandbox.traffic import every_kind
from tests.core.dataprep.default_set import VARIABLES, compiled
from tests.core.dataprep.default_set import read as config
from tests.core.dataprep.reference import CASES, GOOD, SCHEMA
from tests.sandbox.test_data_prep_reference import SETS, mapping_set

SEEN = Path(__file__).parents[1] / "fixtures" / "customerio"


def reading_of(name: str) -> Reading | None:
    try:
        return Reading(CASES[name]["rows"], SCHEMA)
    except Unread:
        return None


READ = [name for name in GOOD if reading_of(name)]


@pytest.mark.parametrize("name", READ)
def test_a_record_is_what_the_page_says(name: str) -> None:
    case, reading = CASES[name], reading_of(name)
    assert reading is not None

    record, failed = reading.record(case["event"])

    assert record == case["record"], case["page"]
    assert len(failed) == case.get("fails", 0)


def test_most_of_the_pages_cases_are_read() -> None:
    assert len(READ) > 60


@cache
def default_reading() -> Reading:
    """Raises Unread when the set has something that the reading does not know."""
    schema = fill_schema(config("schemas/customerio-events.json"), VARIABLES)
    document = config("mappings/customerio-default.json")
    return Reading(posted(document, VARIABLES)["mappings"], schema)


def events() -> list[Any]:
    """The set's examples, bodies that others published, and one of every kind, twice."""
    examples = config("mappings/examples/customerio-default.json")["examples"]
    published = [json.loads(path.read_text()) for path in sorted(SEEN.glob("*.json"))]
    minted = [json.loads(body) for seed in (1, 2) for body in every_kind(seed)]
    return [*(each["in"] for each in examples), *published, *minted]


def test_our_engine_makes_of_the_default_set_what_the_reading_makes() -> None:
    """Two readings of the same pages that share no code: where they differ, one is wrong."""
    mapping_set, _ = compiled()
    found = events()
    assert len(found) > 150
    for event in found:
        theirs, failed = default_reading().record(event)
        ours, warnings = mapping_set.trial(event, 0)
        assert theirs == ours, event
        assert [each.place + 1 for each in failed] == [each.number for each in warnings], event


def test_a_place_that_holds_a_text_takes_nothing_below_it() -> None:
    """What an event has is no fault of the set: the row fails, and the others go on."""
    rows = [
        {"source": source, "destination": f"_sluicesandbox.{place}"}
        for source, place in (("a", "person"), ("b", "person.firstName"), ("c", "text"))
    ]
    record, failed = Reading(rows, SCHEMA).record({"a": "x", "b": "y", "c": "z"})
    assert record == {"_sluicesandbox": {"person": "x", "text": "z"}}
    assert [each.place for each in failed] == [1]


@pytest.mark.parametrize(
    "source",
    [
        "a > 1", "not a == b", "a ? b : c", "a + 1", "now()", "concat(new, a)", "a[b]", "a[*].b",
        "[1, 2]", "a == b == c", "lower(", r'concat("\d", a)', 'dformat(a, "yyyy")',
        'contains_key("a.b")', "a.b.unknown()", "lambda: a", "a; b", "f\"{a}\"", "lower(*a)",
    ],
)  # fmt: skip
def test_what_is_beyond_the_reading_is_not_guessed(source: str) -> None:
    with pytest.raises(Unread):
        read(source)


async def test_preview_of_what_is_read_does_not_ask_our_engine(
    platform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    compiled_by_us = Judge.compiled

    def noted(judge: Judge, body: dict[str, Any]) -> Any:
        asked.append(len(body["mappings"]))
        return compiled_by_us(judge, body)

    monkeypatch.setattr(Judge, "compiled", noted)
    for name, times in (("lower of a field", 0), ("loop over an array", 1)):
        asked.clear()
        case = CASES[name]
        body = {"data": [case["event"]], "mappingSet": await mapping_set(platform, name)}
        _, [made] = await platform.ask("POST", f"{SETS}/preview", body)
        assert (made["data"], len(asked)) == (case["record"], times)
        await platform.client.delete("/objects")
