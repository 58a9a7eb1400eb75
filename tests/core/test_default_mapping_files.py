"""The files of the default set: its rows, its examples, and what it leaves out with a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from app.core.dataprep.language.grammar import parse_expression
from app.core.dataprep.language.paths import parse_path
from app.core.dataprep.language.syntax import Node, Path, children, show_path
from app.core.errors import MappingFailed
from app.core.event import parse_event
from app.core.published import LEGACY, MESSAGES, PUBLISHED
from app.core.xdm import fill_schema, types_of
from tests.core.dataprep.default_set import CONFIG, NOW, VARIABLES, compiled, mapped, read, tenant
from tests.core.dataprep.kinds import VARIANTS, customer, legacy, message, pairs

SET, SCHEMA = compiled()
EXAMPLES = read("mappings/examples/customerio-default.json")
DOCUMENT = read("mappings/customerio-default.json")

# platform.md section 4.1.
SET_KEYS = {"name", "version", "inputSchema", "outputSchema", "mappings", "allowNullValues", "tags"}
ROW_KEYS = {"sourceType", "source", "destination", "name", "description"}


def paths_in(node: Node) -> Iterator[str]:
    if isinstance(node, Path):
        yield show_path(node.steps)
    for child in children(node):
        yield from paths_in(child)


def read_by(row: Any) -> Iterator[str]:
    """Places of the source that a row names; not those it only sweeps up with all others."""
    if row.destination.endswith(".other"):
        return
    if row.kind == "ATTRIBUTE":
        yield row.source
        # An object is copied with the children that the schema knows (platform.md section 4.2).
        prefix = f"{row.destination}[*]."
        yield from (f"{row.source}[*].{t.removeprefix(prefix)}" for t in TYPES if prefix in t)
    elif row.kind == "EXPRESSION":
        yield from paths_in(parse_expression(row.source))


TYPES = types_of(fill_schema(read("schemas/customerio-events.json"), VARIABLES))
READ = {path for row in SET.rows for path in read_by(row)}
PATHS = sorted({path for paths in (*PUBLISHED.values(), LEGACY) for path in paths})


@pytest.mark.parametrize("path", PATHS)
def test_every_published_field_is_mapped_or_left_out_with_a_reason(path: str) -> None:
    reason = EXAMPLES["left_out"].get(path, "")

    assert (path in READ) != bool(reason)


def test_what_is_left_out_is_published_or_a_pattern_and_has_a_reason() -> None:
    for path, reason in EXAMPLES["left_out"].items():
        assert path in PATHS or path.endswith("*")
        assert len(reason) > 20


def test_the_known_names_of_the_map_of_unknown_fields_are_all_that_the_rows_read() -> None:
    """A name that is missing there would come twice; one too many would be lost."""
    for destination, parent, extra in (
        ("other", "data", {"variables"}),
        ("identifiers.other", "data.identifiers", set()),
    ):
        [row] = [r for r in SET.rows if r.destination == f"_acme.customerio.{destination}"]
        known = re.findall(r'"(\w+)", nullify\(\)', row.source)
        read = {
            parse_path(path)[len(parse_path(parent))]
            for path in READ
            if path.startswith(f"{parent}.")
        }
        assert len(known) == len(set(known))
        assert set(known) == read | extra


@pytest.mark.parametrize("example", EXAMPLES["examples"], ids=lambda e: e["name"])
def test_an_example_comes_out_as_written(example: dict[str, Any]) -> None:
    try:
        record, warnings = SET.transform(example["in"])
    except MappingFailed as fault:
        assert fault.path == example["fails"]
        return
    violations = SCHEMA.check(record, NOW)
    assert [w.path for w in warnings] == example.get("warns", [])
    if "fails" in example:
        assert [v.path for v in violations] == [example["fails"]]
    else:
        assert violations == ()
        assert record == example["out"]


def test_the_examples_show_each_family_and_each_peculiarity() -> None:
    assert EXAMPLES["set"] == DOCUMENT["name"]
    assert EXAMPLES["variables"] == VARIABLES
    names = [example["name"] for example in EXAMPLES["examples"]]
    assert len(set(names)) == len(names)
    bodies = [json.dumps(e["in"]).encode() for e in EXAMPLES["examples"] if "out" in e]
    assert {parse_event(body).family for body in bodies} >= {*MESSAGES, "customer", "fax"}
    assert any("event_type" in example["in"] for example in EXAMPLES["examples"])
    assert any("fails" in example for example in EXAMPLES["examples"])


def test_the_set_can_be_posted_to_adobe_as_it_is() -> None:
    assert set(DOCUMENT) <= SET_KEYS
    assert DOCUMENT["allowNullValues"] is False
    for row in DOCUMENT["mappings"]:
        assert set(row) <= ROW_KEYS
        # "A calculated field is at most 4,096 characters" (platform.md section 4.3).
        assert len(row["source"]) <= 4096


def test_the_set_names_no_variable_but_ours() -> None:
    text = (CONFIG / "mappings/customerio-default.json").read_text()

    assert set(re.findall(r"\{([A-Z_]+)\}", text)) == set(VARIABLES)


def test_every_row_onto_a_standard_field_says_why() -> None:
    for row in DOCUMENT["mappings"]:
        standard = re.match(
            "directMarketing|pushNot|inappMessage|channel|market", row["destination"]
        )
        assert not standard or row.get("description"), row["destination"]


def test_every_destination_is_a_place_of_the_schema() -> None:
    for row in SET.rows:
        if not row.destination.startswith("identityMap."):
            assert row.destination in TYPES


def test_the_schema_has_no_field_of_ours_that_the_set_never_writes() -> None:
    everything: set[str] = set()
    sources = [message(f, m, v) for f, m in pairs() for v in VARIANTS] + [
        customer("subscribed", new="x"),
        customer("cio_subscription_preferences_changed", content='{"topics":{"a":true}}'),
        legacy("email_sent"),
    ]
    for source in sources:
        everything |= set(tenant(mapped(source)))

    known = read("schemas/customerio-events.json")["properties"]["_{TENANT}"]["properties"]
    assert set(known["customerio"]["properties"]) == everything
