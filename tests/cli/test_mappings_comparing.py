"""What two mapping sets make of the same events, and what a set makes of the published fields."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.cli.mappings.comparing import Comparison, Revival
from app.cli.mappings.covering import (
    LEFT_OUT,
    MAPPED,
    OLD_BODIES,
    PASSED_ON,
    UNMAPPED,
    Coverage,
    cover,
)
from app.core.dataprep import compile_mapping_set
from app.core.masking import masked
from app.core.published import PUBLISHED
from app.core.trial import Side
from app.core.xdm import compile_schema, schema_of_types, types_of
from tests.core.dataprep.default_set import default_set, read

NOW = 1_900_000_000.0
TYPES = {"_id": "string", "timestamp": "date-time", "a.name": "string", "a.count": "integer"}


def row(source: str, destination: str, kind: str = "EXPRESSION") -> dict[str, str]:
    return {"sourceType": kind, "source": source, "destination": destination}


BASE = [row("event_id", "_id"), row("dformat(timestamp * 1000, \"yyyy-MM-dd'T'HH:mm:ssX\")", "timestamp")]  # fmt: skip  # noqa: E501


def side(*rows: dict[str, str], version: int = 1) -> Side:
    schema = schema_of_types(TYPES)
    document = {"name": "s", "version": version, "mappings": [*BASE, *rows]}
    return Side(compile_mapping_set(document, {}, types_of(schema)), compile_schema(schema))


def body(number: int = 1, **data: Any) -> bytes:
    return json.dumps(
        {"event_id": f"id-{number}", "object_type": "email", "metric": "sent",
         "timestamp": 1_700_000_000, "data": data}
    ).encode()  # fmt: skip


def compared(old: Side, new: Side, *bodies: bytes) -> Comparison:
    found = Comparison(old, new)
    for each in bodies:
        found.add(each, 0, NOW)
    return found


# --- diff ---


def test_what_was_added_removed_and_changed_is_told_field_by_field() -> None:
    old = side(row("data.name", "a.name"), row("data.old", "a.old"))
    new = side(row("upper(data.name)", "a.name"), row("data.count", "a.count"))

    found = compared(
        old,
        new,
        body(1, name="ada", old="x"),
        body(2, name="ADA", count=4),
        body(3, name="ADA"),
    )

    fields = found.fields
    assert (found.events, found.same, found.different) == (3, 1, 2)
    assert {path: (f.added, f.removed, f.changed) for path, f in fields.items()} == {
        "a.name": (0, 0, 1),
        "a.old": (0, 1, 0),
        "a.count": (1, 0, 0),
    }
    assert (fields["a.name"].old, fields["a.name"].new) == ("ada", "ADA")
    assert fields["a.name"].event_id == "id-1"
    assert fields["a.name"].old_row.startswith("#3 ")
    assert (fields["a.count"].old_row, fields["a.count"].new) == ("", 4)


def test_an_event_counts_once_in_a_field_of_an_array() -> None:
    old = side(row("data.many", "a.many", "ATTRIBUTE"))
    new = side(row('to_array(false, "x", "y", "z")', "a.many"))

    found = compared(old, new, body(many=["x", "b", "c"]))

    [field] = found.fields.values()
    assert (field.path, field.changed, field.events) == ("a.many[*]", 1, 1)
    assert (field.old, field.new) == ("b", "y")


def test_true_is_not_1_and_a_text_is_not_its_number() -> None:
    old, new = side(row("data.x", "a.x")), side(row("data.y", "a.x"))
    for one, other in ((True, 1), ("1", 1), (False, 0)):
        assert compared(old, new, body(x=one, y=other)).different == 1
    assert compared(old, new, body(x=1, y=1)).different == 0


def test_where_an_object_takes_the_place_of_a_text_both_are_told() -> None:
    old, new = side(row("data.x", "b.x")), side(row("data.y", "b.x"))

    found = compared(old, new, body(x="text", y={"inner": 1}))

    assert {(f.path, f.removed, f.added) for f in found.fields.values()} == {
        ("b.x", 1, 0),
        ("b.x.inner", 0, 1),
    }


def test_the_set_s_own_version_is_no_difference() -> None:
    """Every record of a new version would differ in nothing but who wrote it."""
    source = 'concat("{MAPPING_SET}", "@", "{MAPPING_VERSION}")'
    old, new = side(row(source, "a.by")), side(row(source, "a.by"), version=2)

    found = compared(old, new, body())

    assert old.mapping.transform({"event_id": "x", "timestamp": 1}, 0).record["a"]["by"]
    assert (found.same, found.fields) == (1, {})


def test_events_that_only_one_side_can_map_are_named_with_the_reason() -> None:
    strict, lax = side(row("data.count", "a.name")), side(row("data.name", "a.name"))
    bad = body(7, count={"no": "text"}, name="ada")

    found = compared(strict, lax, bad, body(8, name="b"))
    turned = compared(lax, strict, bad)

    assert (found.only_new.events, found.only_new.named) == (1, ["id-7"])
    [why] = found.only_new.why
    assert "/a/name" in why
    assert "#3 EXPRESSION data.count -> a.name" in why
    assert (turned.only_old.events, turned.only_new.events) == (1, 0)


def test_what_neither_can_read_is_neither_s() -> None:
    found = compared(side(), side(), b"garbage", body())
    assert (found.events, found.neither, found.same) == (2, 1, 1)


def test_dead_letters_that_would_now_pass_are_counted_by_what_they_died_of() -> None:
    revival = Revival(side(row("data.count", "a.name")), side(row("data.name", "a.name")))
    for number in range(3):
        cause = ("schema", "check", "type")
        revival.add(cause, body(number, count={"no": "text"}, name="ada"), 0, NOW)
    revival.add(("unreadable", "parse", "not_json"), b"garbage", 0, NOW)
    revival.add(("contract", "send", "400"), body(9), 0, NOW)

    assert (revival.letters, revival.pass_new, revival.pass_old) == (5, 4, 1)
    assert revival.causes == {
        ("schema", "check", "type"): [3, 0, 3],
        ("unreadable", "parse", "not_json"): [1, 0, 0],
        ("contract", "send", "400"): [1, 1, 1],
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [("ada@example.com", "text of 15"), (4, "a number"), (True, "a boolean"), ([1], "array of 1")],
)
def test_a_masked_value_says_kind_and_size_only(value: Any, shown: str) -> None:
    assert shown in masked(value)


# --- coverage ---


def covered(*rows: dict[str, str], left_out: dict[str, str] | None = None) -> Coverage:
    mapping = compile_mapping_set({"mappings": list(rows)})
    kinds = {".".join(pair): paths for pair, paths in PUBLISHED.items()}
    return cover(mapping, kinds, left_out or {})


def states(found: Coverage) -> dict[str, str]:
    return {one.path: one.status for one in found.fields}


def test_a_field_is_mapped_when_a_row_uses_its_value() -> None:
    found = states(
        covered(
            row("lower(data.subject)", "a"),
            row("iif(contains_key(data.href), data.link_id, nullify())", "b"),
            row('metric == "x" ? data.to : data.content', "c"),
            row('decode(object_type, "email", "e", "o")', "d"),
        )
    )

    mapped = {path for path, state in found.items() if state == MAPPED}
    assert mapped == {"data.subject", "data.link_id", "data.to", "data.content", "object_type"}
    assert found["data.href"] == found["metric"] == UNMAPPED


def test_a_copied_object_maps_what_is_in_it_and_an_expression_over_it_passes_it_on() -> None:
    found = states(
        covered(
            row("data.recipients", "r", "ATTRIBUTE"),
            row("object_to_map(data.identifiers)", "other"),
            row("data.identifiers.id", "id"),
        )
    )

    assert found["data.recipients[*].device_id"] == MAPPED
    assert found["data.identifiers.id"] == MAPPED
    assert found["data.identifiers.email"] == PASSED_ON


def test_what_the_examples_leave_out_says_why_but_only_by_its_own_name() -> None:
    found = covered(
        row("data.subject", "a"), left_out={"data.href": "nobody asks", "*": "the unknown"}
    )

    [href] = [one for one in found.fields if one.path == "data.href"]
    assert (href.status, href.reason) == (LEFT_OUT, "nobody asks")
    assert states(found)["data.link_id"] == UNMAPPED


def test_every_published_field_of_the_default_set_is_mapped_or_left_out_with_a_reason() -> None:
    mapping, _ = default_set()
    examples = read("mappings/examples/customerio-default.json")
    kinds = {".".join(pair): paths for pair, paths in PUBLISHED.items()}

    found = cover(mapping, kinds, examples.get("left_out", {}))

    assert [one.path for one in found.fields if one.status not in (MAPPED, LEFT_OUT)] == []


def test_what_comes_and_what_is_filled_in_is_counted() -> None:
    mapping = compile_mapping_set(
        {"mappings": [row("data.subject", "a.s", "ATTRIBUTE"), row("to_integer(data.link_id)", "n"),
                      row("data.recipients", "r", "ATTRIBUTE")]}
    )  # fmt: skip
    found = cover(mapping, {"email.sent": PUBLISHED["email", "sent"],
                            "push.sent": PUBLISHED["push", "sent"],
                            "sms.clicked": PUBLISHED["sms", "clicked"]}, {})  # fmt: skip
    bodies = [
        body(1, subject="s", recipients=[{"device_id": "d"}, {}]),
        body(2, subject="", link_id="no number", new_field=1),
        body(3, subject=None, link_id="7"),
        b"garbage",
    ]

    found.look(mapping, [(each, 0) for each in bodies], "")

    fields = {one.path: (one.came, one.filled) for one in found.fields}
    assert found.events == 3
    assert fields["data.subject"] == (1, 1)
    assert fields["data.link_id"] == (2, 1)
    assert fields["data.recipients[*].device_id"] == (1, 1)
    assert fields["data.recipients[*].device_platform"] == (0, 0)
    assert fields["data.href"] == (0, 0)
    assert found.unpublished == {"data.new_field": 1}


def test_one_kind_is_looked_at_alone() -> None:
    mapping = compile_mapping_set({"mappings": [row("data.subject", "a")]})
    found = cover(mapping, {"email.sent": PUBLISHED["email", "sent"]}, {})
    old = json.dumps({"event_id": "x", "event_type": "email_sent", "timestamp": 5, "data": {}})

    found.look(mapping, [(body(1), 0), (old.encode(), 0)], "email.sent")
    assert found.events == 1
    found.look(mapping, [(body(1), 0), (old.encode(), 0)], OLD_BODIES)
    assert found.events == 1


def test_an_event_that_the_set_cannot_map_fills_nothing() -> None:
    mapping = compile_mapping_set({"mappings": [row("data.subject", "_id")]})
    found = cover(mapping, {"email.sent": PUBLISHED["email", "sent"]}, {})

    found.look(mapping, [(body(1, recipient="r"), 0)], "")

    assert (found.events, found.failed) == (1, 1)
    assert all(one.filled == 0 for one in found.fields)
