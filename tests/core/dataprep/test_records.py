"""Records of a set: loops, objects copied with rows inside, maps, and types on the way."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from app.core.dataprep import Mapped, compile_mapping_set
from app.core.errors import MappingSetInvalid
from tests.core.dataprep.evaluate import row

PEOPLE = {
    "customerInfo": {
        "emails": [
            {"name": "John Smith", "email": "js@example.com"},
            {"name": "Jane Smith", "email": "jane@example.com"},
        ]
    }
}


def attribute(source: str, destination: str) -> dict[str, Any]:
    return row(source, destination, "ATTRIBUTE")


def run(
    rows: list[dict[str, Any]], source: dict[str, Any], types: dict[str, str] | None = None
) -> Mapped:
    before = copy.deepcopy(source)
    mapped = compile_mapping_set({"mappings": rows}, {}, types).transform(source)
    assert source == before
    return mapped


def transform(
    rows: list[dict[str, Any]], source: dict[str, Any], types: dict[str, str] | None = None
) -> dict[str, Any]:
    record, warnings = run(rows, source, types)
    assert warnings == ()
    return record


@pytest.mark.parametrize(
    ("source", "destination", "record"),
    [
        ("customerInfo.emails[0].email", "pi.email", {"pi": {"email": "js@example.com"}}),
        (
            "customerInfo.emails",
            "pi.emailList",
            {"pi": {"emailList": PEOPLE["customerInfo"]["emails"]}},
        ),
        ("customerInfo.emails[1].name", "piList[0]", {"piList": ["Jane Smith"]}),
        (
            "customerInfo.emails[*].name",
            "pi[*].names",
            {"pi": [{"names": "John Smith"}, {"names": "Jane Smith"}]},
        ),
        ("customerInfo.emails[*].name", "names", {"names": ["John Smith", "Jane Smith"]}),
    ],
)
def test_the_samples_of_adobe_s_page(source: str, destination: str, record: dict[str, Any]) -> None:
    assert transform([attribute(source, destination)], PEOPLE) == record


def test_the_page_s_nested_sample_is_what_a_schema_with_such_an_object_gives() -> None:
    types = {"pi[*].names": "object", "pi[*].names.name": "string"}

    record = transform([attribute("customerInfo.emails[*].name", "pi[*].names")], PEOPLE, types)

    assert record == {"pi": [{"names": {"name": "John Smith"}}, {"names": {"name": "Jane Smith"}}]}


def test_object_copy_goes_with_rows_for_what_has_another_name() -> None:
    address = {"line1": "4191 Ridgebrook Way", "city": "San Jose", "geo": {"lat": 1, "lon": 2}}
    rows = [
        attribute("address", "addr"),
        attribute("address.line1", "addr.addrLine1"),
        attribute("address.geo.lat", "addr.geo.latitude"),
    ]
    types = {
        "addr.addrLine1": "string", "addr.city": "string", "addr.geo.lon": "number",
        "addr.geo.latitude": "number",
    }  # fmt: skip

    assert transform(rows, {"address": address}, types) == {
        "addr": {
            "addrLine1": "4191 Ridgebrook Way", "city": "San Jose",
            "geo": {"lon": 2, "latitude": 1},
        }
    }  # fmt: skip
    assert transform(rows[::-1], {"address": address}, types) == transform(
        rows, {"address": address}, types
    )
    assert transform(rows, {}, types) == {}


def test_array_copy_goes_with_rows_for_its_elements() -> None:
    source = {"l": [{"a": 1}, None, {"b": {"c": 2}}], "x": 9}
    rows = [attribute("l", "m"), attribute("l[*].a", "m[*].copy"), attribute("x", "n[1].x")]
    rows.append(attribute("l", "n"))

    assert transform(rows, source) == {
        "m": [{"a": 1, "copy": 1}, {"b": {"c": 2}}],
        "n": [{"a": 1}, {"x": 9}, {"b": {"c": 2}}],
    }


def test_two_loops_follow_two_loops() -> None:
    source = {"a": [{"b": [{"c": 1}, {"c": 2}]}, {"b": []}, {}, {"b": [{}, {"c": 3}], "k": "z"}]}
    rows = [
        attribute("a[*].b[*].c", "x[*].y[*].z"),
        attribute("a[*].k", "x[*].k"),
        row("same", "x[*].y[*].of", "STATIC"),
    ]

    assert transform(rows, source) == {
        "x": [
            {"y": [{"z": 1, "of": "same"}, {"z": 2, "of": "same"}]},
            {"k": "z", "y": [{"z": 3, "of": "same"}]},
        ]
    }


def test_a_loop_that_meets_no_array_inside_is_a_warning() -> None:
    record, [warning] = run([attribute("a[*].b", "x[*].y[*].z")], {"a": [{"b": 1}]})

    assert record == {}
    assert (warning.detail, warning.number) == ("a loop needs an array at its source", 1)


def test_an_element_inside_a_loop() -> None:
    rows = [attribute("l[*].a", "m[*].list[0].a"), attribute("l[*].b", "m[*].list[2]")]

    record = transform(rows, {"l": [{"a": 1, "b": 2}, {"b": 3}, {}]})

    assert record == {"m": [{"list": [{"a": 1}, 2]}, {"list": [3]}]}


def test_a_loop_over_what_an_expression_gives() -> None:
    rows = [row('explode(a, ",")', "m[*].name"), row("CUSTOMER", "m[*].kind", "STATIC")]
    rows.append(row("''", "m[*].none"))

    assert transform(rows, {"a": "x,y"}) == {
        "m": [{"name": "x", "kind": "CUSTOMER"}, {"name": "y", "kind": "CUSTOMER"}]
    }
    assert transform(rows, {}) == {}


def test_a_row_that_fails_in_a_loop_leaves_the_others() -> None:
    rows = [attribute("l[*].a", "m[*].a"), attribute("l[*].b", "m[*].b")]

    record, [warning] = run(rows, {"l": [{"a": 1, "b": 2**60}]})

    assert record == {"m": [{"a": 1}]}
    assert warning.path == "m[*].b"


def test_gaps_between_elements_close() -> None:
    rows = [attribute("c", "l[2].x"), attribute("a", "l[0].x"), attribute("m", "k[7]")]

    assert transform(rows, {"a": 1, "c": 3, "m": 5}) == {"l": [{"x": 1}, {"x": 3}], "k": [5]}


def test_one_source_goes_to_many_destinations() -> None:
    rows = [attribute("o", "a"), attribute("o", "b.c"), attribute("o.x", "d[0]")]

    record = transform(rows, {"o": {"x": [1]}})

    assert record == {"a": {"x": [1]}, "b": {"c": {"x": [1]}}, "d": [[1]]}
    record["a"]["x"].append(2)
    assert record["b"] == {"c": {"x": [1]}}


def test_two_rows_may_not_write_one_place() -> None:
    rows = [attribute("a", "l[*].x"), attribute("a", "l[0].y"), attribute("a", "l.z")]

    with pytest.raises(MappingSetInvalid) as invalid:
        compile_mapping_set({"mappings": rows})

    assert [problem.message for problem in invalid.value.problems] == [
        "l is an array made by a loop in row #1, and an array by its elements here",
        "l is an array made by a loop in row #1, and an object here",
    ]
    assert [problem.column for problem in invalid.value.problems] == [2, 3]


MAPS = {
    "m": "map", "m.*": "string", "n": "map", "n.*": "integer", "ids": "map", "ids.*": "array",
    "ids.*[*]": "object", "ids.*[*].id": "string", "ids.*[*].primary": "boolean",
}  # fmt: skip


def test_the_values_of_a_map_are_brought_to_its_type() -> None:
    source = {
        "o": {"a": 1, "b": True, "c": {"x": [1, None]}, "d": None, "e": "", "f": "t", "g": {}},
        "i": {"Email": [{"id": 5, "primary": "yes", "more": 1}], "None": [{"more": 1}]},
        "k": {"a": "5", "b": 2.0},
    }
    rows = [
        attribute("o", "m"), attribute("i", "ids"), attribute("k", "n"), attribute("o.a", "ids.X"),
    ]  # fmt: skip

    record = transform(rows[:3], source, MAPS)

    assert record == {
        "m": {"a": "1", "b": "true", "c": '{"x":[1]}', "f": "t"},
        "ids": {"Email": [{"id": "5", "primary": True}]},
        "n": {"a": 5, "b": 2},
    }
    assert transform([attribute("f", "m.any")], {"f": 7}, MAPS) == {"m": {"any": "7"}}
    assert transform([attribute("f", "m")], {"f": "text"}, MAPS) == {"m": "text"}


def test_a_date_goes_into_a_day() -> None:
    types = {"d": "date", "e": "Date", "f": "date", "g": "date", "h": "date"}
    rows = [
        row("date(a)", "d"), attribute("a", "e"), attribute("b", "f"), attribute("c", "g"),
        attribute("x", "h"),
    ]  # fmt: skip

    record = transform(
        rows,
        {"a": "2021/02/11", "b": "2021-02-11T23:04:49-05:00", "c": "2021-02-11", "x": 5},
        types,
    )

    assert record == {
        "d": "2021-02-11", "e": "2021-02-11", "f": "2021-02-11", "g": "2021-02-11", "h": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [("double", "1.5", 1.5), ("float", "2", 2), ("short", "7.0", 7), ("byte", 1.0, 1)],
)
def test_every_kind_of_number_is_read_from_its_text(kind: str, given: Any, wanted: Any) -> None:
    record = transform([attribute("a", "x")], {"a": given}, {"x": kind})

    assert record == {"x": wanted}
    assert type(record["x"]) is type(wanted)


def test_what_an_expression_makes_is_typed_member_by_member() -> None:
    types = {"p[*].id": "string", "p[*].n": "integer", "p[*].on": "boolean", "p[*].k": "string"}
    made = (
        'iif(contains_key(a), to_array(false, to_object("id", a, "n", b, "on", a == 1, "k", "c")),'
        " nullify())"
    )

    assert transform([row(made, "p")], {"a": 1, "b": "5"}, types) == {
        "p": [{"id": "1", "n": 5, "on": True, "k": "c"}]
    }
    assert transform([row(made, "p")], {"b": "5"}, types) == {}
    both = row('to_array(true, to_object("id", a), null, to_object("x", b))', "p")
    assert transform([both], {"a": 1, "b": 2}, types) == {"p": [{"id": "1"}]}
    assert transform([both], {"a": 1, "b": 2}) == {"p": [{"id": 1}, {"x": 2}]}
    assert transform([row('to_object("a", null, "b", "")', "p")], {}) == {}


def test_a_choice_whose_condition_fails_fails_the_row() -> None:
    for chosen in ("1, 2", "nullify(), nullify()", "nullify(), 2"):
        record, [warning] = run([row(f"iif(1 / a == 1, {chosen})", "x")], {"a": 0})
        assert (record, warning.code) == ({}, "row_failed")


def test_a_constant_that_json_cannot_hold_fails_where_it_is_chosen() -> None:
    compiled = compile_mapping_set({"mappings": [row("iif(a == 1, 9007199254740993, 5)", "x")]})

    assert compiled.transform({"a": 2}).record == {"x": 5}
    assert [w.number for w in compiled.transform({"a": 1}).warnings] == [1]


def test_a_row_is_found_by_the_place_it_writes() -> None:
    rows = [
        attribute("a", "_acme.x.list"), attribute("a", "_acme.x.list[1].y"),
        attribute("a", "loop[*].z"), attribute("a", "l[3]"), attribute("a", "m.a~b/c"),
        attribute("a", "l[9]"), attribute("a", "o.p"),
    ]  # fmt: skip
    compiled = compile_mapping_set({"mappings": rows})

    def at(pointer: str) -> int | None:
        found = compiled.row_at(pointer)
        return None if found is None else found.number

    assert at("/_acme/x/list/0/device_id") == 1
    assert at("/_acme/x/list/1/y") == 2
    assert at("/loop/5/z") == 3
    assert at("/loop/5") is None
    # Elements that came out empty are not there: the second is of the second row.
    assert (at("/l/0"), at("/l/1"), at("/l/5")) == (4, 6, 6)
    assert at("/m/a~0b~1c") == 5
    assert (at("/o/p/deeper"), at("/o/other"), at("/nowhere"), at("")) == (7, None, None, None)


def test_what_a_row_reads_is_told() -> None:
    rows = [
        attribute("a.b[*].c", "x"),
        row('iif(contains_key("d.e"), concat(f, f, get_keys(g)), json_to_object(h).i)', "y"),
        row("constant", "z", "STATIC"),
    ]
    compiled = compile_mapping_set({"mappings": rows})

    assert [set(compiled.reads(one)) for one in compiled.rows] == [
        {"a.b[*].c"}, {"d.e", "f", "g", "h"}, set(),
    ]  # fmt: skip


def test_a_trial_tells_of_every_row_that_fails_and_requires_nothing() -> None:
    compiled = compile_mapping_set(
        {"mappings": [row("1 / a", "_id"), attribute("t", "timestamp"), attribute("a", "x")]}
    )

    record, [warning] = compiled.trial({"a": 0})

    assert record == {"x": 0}
    assert (warning.number, warning.path) == (1, "_id")


def test_absent_parents_are_no_fault_of_any_row() -> None:
    rows = [
        attribute("a.b.c", "x"), attribute("a.b[0].d", "y"), row("contains_key(a.b.e)", "z"),
        row("contains_key(q.r.s)", "w"), row("contains_key(a.b[1])", "v"),
    ]  # fmt: skip
    nothing = {"z": False, "w": False, "v": False}

    for absent in ({}, {"a": None}, {"a": 5}, {"a": {"b": "text"}}, {"a": []}):
        assert transform(rows, absent) == nothing
    assert transform(rows, {"a": {"b": {"c": 1, "e": None}}}) == {**nothing, "x": 1, "z": True}
    assert transform(rows, {"a": {"b": [{"d": 2}, 5]}}) == {**nothing, "y": 2, "v": True}


def test_a_set_nested_as_deep_as_the_language_allows_compiles() -> None:
    nested = "1"
    for number in range(60):
        nested = f"iif(a == {number}, {number}, {nested})"
    path = ".".join(["a"] * 100)

    rows = [row(nested, "x"), attribute(path, "y"), attribute("a", path.replace("a", "b"))]
    record = transform(rows, {"a": 59})

    assert record["x"] == 59
    deepest = record["b"]
    for _ in range(99):
        deepest = deepest["b"]
    assert deepest == 59


def test_many_copies_out_of_one_object_are_made_together_and_mean_the_same() -> None:
    names = [f"f{number}" for number in range(12)]
    rows = [attribute(f"a.{name}", f"x.{name.upper()}") for name in names]
    rows.append(row("a.other", "x.other"))
    types = {f"x.{name.upper()}": "string" for name in names} | {"x.other": "integer"}
    given = {
        "f0": "text", "f1": 5, "f2": "", "f3": None, "f4": True, "f5": {"k": None}, "f6": [1],
        "f7": 1.5, "f8": {}, "unknown": 1, "other": "7", "f9": {"k": 2**60},
    }  # fmt: skip

    typed, [warning] = run(rows, {"a": given}, types)
    untyped, [_] = run(rows, {"a": given})

    assert typed["x"] == {
        "F0": "text", "F1": "5", "F4": "true", "F6": [1], "F7": "1.5", "other": 7,
    }  # fmt: skip
    assert untyped["x"] == {**given_as_it_is(given), "other": "7"}
    assert (warning.number, warning.path, warning.code) == (10, "x.F9", "row_failed")
    assert run(rows, {"a": ["f0"]}, types) == run(rows, {}, types) == ({}, ())


def given_as_it_is(given: dict[str, Any]) -> dict[str, Any]:
    kept = ("f0", "f1", "f4", "f6", "f7")
    return {name.upper(): given[name] for name in kept}


def test_what_an_expression_surely_gives_is_written_at_once() -> None:
    rows = [
        row('decode(k, "a", "A", "b", "B")', "decoded"),
        row('decode(k, "a", "A", "B")', "defaulted"),
        row('coalesce(nullify(), decode(k, "a", "A"), "none")', "first"),
        row("coalesce(nullify(), decode(k, 'a', 'A'))", "maybe"),
        row("k.equals('a')", "same"),
        row("not contains_key(k)", "absent"),
        row("k == 'a' ? 'yes' : null", "chosen"),
        row("[k]", "list"),
        row("contains_key(l[*].x)", "any"),
    ]

    assert transform(rows, {"k": "a"}) == {
        "decoded": "A", "defaulted": "A", "first": "A", "maybe": "A", "same": True,
        "absent": False, "chosen": "yes", "list": ["a"], "any": False,
    }  # fmt: skip
    assert transform(rows, {"l": [{}]}) == {
        "defaulted": "B", "first": "none", "same": False, "absent": True, "any": True,
    }  # fmt: skip


def test_a_date_in_platform_s_form_goes_in_as_it_is() -> None:
    rows = [row("dformat(a, \"yyyy-MM-dd'T'HH:mm:ss.SSSX\")", "d"), row("dformat(a, 'yyyy')", "e")]
    types = {"d": "date-time", "e": "date-time"}

    assert transform(rows, {"a": 1571829875000}, types) == {
        "d": "2019-10-23T11:24:35.000Z", "e": "2019",
    }  # fmt: skip
    assert transform(rows, {}, types) == {}


def test_an_object_with_a_name_that_the_schema_lacks_is_copied_by_equal_names() -> None:
    made = row('to_object("a", 1, "z", 2)', "o")

    assert transform([made], {}, {"o.a": "string"}) == {"o": {"a": "1"}}
    assert transform([row('to_array(false, "x")', "o")], {}, {"o.a": "string"}) == {"o": ["x"]}
    assert transform([row("to_object(k, 1)", "o")], {"k": "a"}) == {"o": {"a": 1}}
