"""Mapping sets: rows in both spellings, faults all at once, building of records, types."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.dataprep import (
    compile_expression,
    compile_mapping_set,
    fill,
    functions,
)
from app.core.dataprep import expression as expression_module
from app.core.dataprep.compiler import rows_function
from app.core.dataprep.values import RowFault, clean
from app.core.errors import MappingFailed, MappingSetInvalid
from tests.core.dataprep.evaluate import row


def transform(
    rows: list[dict[str, Any]], source: dict[str, Any], types: dict[str, str] | None = None
) -> dict[str, Any]:
    record, warnings = compile_mapping_set({"mappings": rows}, {}, types).transform(source)
    assert warnings == ()
    return record


def faults(*rows: Any, variables: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(MappingSetInvalid) as invalid:
        compile_mapping_set({"mappings": list(rows)}, variables or {})
    return invalid.value.faults


def attribute(source: str, destination: str) -> dict[str, Any]:
    return row(source, destination, "ATTRIBUTE")


def test_a_set_knows_its_name_version_and_rows() -> None:
    document = {"name": "n", "version": 3, "mappings": [attribute("a", "_{T}.x")]}

    compiled = compile_mapping_set(document, {"T": "acme"})

    assert (compiled.name, compiled.version) == ("n", 3)
    assert [str(one) for one in compiled.rows] == ["#1 ATTRIBUTE a -> _acme.x"]


def test_a_set_without_name_or_version_is_nameless_version_zero() -> None:
    compiled = compile_mapping_set({"mappings": [attribute("a", "x")], "version": "draft"})

    assert (compiled.name, compiled.version) == ("", 0)


def test_the_older_spelling_means_the_same() -> None:
    rows: list[dict[str, Any]] = [
        {"sourceAttribute": "a.b", "destinationXdmPath": "x", "identity": False, "version": 0},
        {"sourceType": "text/x.schema-path", "source": "a.b", "destination": "y"},
        {"sourceType": "text/x.aep-xl", "source": "upper(a.b)", "destinationXdmPath": "z"},
    ]

    assert transform(rows, {"a": {"b": "v"}}) == {"x": "v", "y": "v", "z": "V"}


def test_all_faults_are_reported_at_once_each_with_its_row() -> None:
    found = faults(
        attribute("a..b", "x"),
        row("nope(1) + lower() + iif(1)", "y"),
        row("a +", "z"),
        row("fpid_to_ecid(a)", "n"),
        row("aa_get_products(a)", "aa"),
        row("", "ua"),
        attribute("a", "dup"),
        attribute("b", "dup"),
        attribute("a", "_{TENANT}.x"),
        attribute("a", "{WRONG}"),
        "row",
        {"source": "a", "destination": "b"},
        {"sourceType": "ATTRIBUTE", "source": "a"},
        {"sourceType": "ATTRIBUTE", "destination": "b"},
        attribute("a", "arr[0]"),
        attribute("a", "arr.name"),
        attribute("a", "[0].x"),
        row("US", "one[*].x", "STATIC"),
        row("to_object('a')", "o"),
        row("matches_regex(a, '(')", "r"),
        row("contains_key('a..b')", "c"),
        row("9007199254740993", "big"),
        row("to_array()", "ta"),
        row("coalesce()", "co"),
        row("decode(1)", "de"),
        row("contains_key()", "ck"),
        row("matches_regex('a')", "mr"),
        row("nullify(1)", "nu"),
        row("substr('a')", "su"),
        variables={"WRONG": "a.b"},
    )

    told = [line.partition(": ")[2] for line in found]
    assert [int(line[1:].partition(" ")[0].rstrip(":")) for line in found] == [
        1, 2, 2, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22, 23, 24,
        25, 26, 27, 28, 29,
    ]  # fmt: skip
    for expected in (
        "a name is missing before this dot (character 3 of its source)",
        "dup is written by row #7 already (character 1 of its destination)",
        "the variable {TENANT} has no value (character 2 of its destination)",
        "the value of {WRONG} is not of letters, digits, - and _ (character 1 of its destination)",
        "the row is a string, not an object",
        "sourceType is missing",
        "destination is missing",
        "source is missing",
        "arr is an array by its elements in row #15, and an object here "
        "(character 5 of its destination)",
        "an index needs a name before it (character 1 of its destination)",
        "a constant under [*] needs another row that makes the elements",
        "an integer beyond 2^53, which XDM cannot hold",
    ):
        assert expected in told


@pytest.mark.parametrize("document", [{}, {"mappings": []}, {"mappings": {}}, [], None])
def test_a_document_without_rows_is_invalid(document: Any) -> None:
    with pytest.raises(MappingSetInvalid, match="no list of rows"):
        compile_mapping_set(document)


def test_a_set_of_endless_rows_is_refused() -> None:
    with pytest.raises(MappingSetInvalid, match="over 2000 rows"):
        compile_mapping_set({"mappings": [attribute("a", "b")] * 2001})


def test_objects_and_arrays_are_copied_without_nulls_and_empties() -> None:
    source = {"o": {"a": 1, "n": None, "e": {}, "l": [None, {"x": ""}, {"y": 0}], "s": ""}}
    before = copy.deepcopy(source)

    record = transform([attribute("o", "x"), attribute("o.l", "y")], source)

    assert record == {"x": {"a": 1, "l": [{"y": 0}]}, "y": [{"y": 0}]}
    record["x"]["l"].append(1)
    assert source == before


def test_a_row_may_write_into_what_another_copied() -> None:
    rows = [attribute("o", "x"), attribute("b", "x.extra"), attribute("l", "y")]
    rows.append(attribute("b", "y[0].z"))

    assert transform(rows, {"o": {"a": 1}, "b": 2, "l": [{"q": 1}, {"q": 2}]}) == {
        "x": {"a": 1, "extra": 2},
        "y": [{"q": 1, "z": 2}, {"q": 2}],
    }
    # A mismatch stays, for the schema check to name.
    assert transform(rows, {"o": "text", "b": 2}) == {"x": "text", "y": [{"z": 2}]}


def test_elements_are_written_in_their_order_and_absent_ones_leave_no_hole() -> None:
    rows = [attribute("b", "l[1]"), attribute("a", "l[0]"), attribute("c", "l[2].x")]

    assert transform(rows, {"a": 1, "b": 2, "c": 3}) == {"l": [1, 2, {"x": 3}]}
    assert transform(rows, {"b": 2}) == {"l": [2]}
    assert transform(rows, {}) == {}


def test_a_loop_makes_one_element_for_each_of_the_source() -> None:
    rows = [
        attribute("l[*].a", "out[*].x.y"),
        attribute("l[*].b", "out[*].z"),
        attribute("l[*].a", "flat[*]"),
    ]

    record = transform(rows, {"l": [{"a": 1}, {"b": 2}, {}, {"a": None, "b": 3}]})

    assert record == {"out": [{"x": {"y": 1}}, {"z": 2}, {"z": 3}], "flat": [1]}
    assert transform(rows, {"l": {}}) == {}


def test_a_loop_over_what_is_no_array_is_a_warning() -> None:
    compiled = compile_mapping_set({"mappings": [attribute("a", "l[*].x")]})

    record, [warning] = compiled.transform({"a": "text"})

    assert record == {}
    assert warning.detail == "a loop needs an array at its source"


def test_static_rows_are_written_as_they_are_and_make_their_parents() -> None:
    rows = [row("a.b", "s", "STATIC"), row(5, "n.n", "STATIC"), row("", "empty", "STATIC")]

    assert transform(rows, {}) == {"s": "a.b", "n": {"n": 5}}
    assert transform([row("5", "n", "STATIC")], {}, {"n": "integer"}) == {"n": 5}


def test_a_failing_row_nulls_its_field_and_the_others_go_on() -> None:
    rows = [row("1 / a", "x"), attribute("a", "y"), attribute("big", "z")]

    record, warnings = compile_mapping_set({"mappings": rows}).transform({"a": 0, "big": 2**60})

    assert record == {"y": 0}
    assert [(w.row, w.path, w.code) for w in warnings] == [
        ("#1 EXPRESSION 1 / a -> x", "x", "row_failed"),
        ("#3 ATTRIBUTE big -> z", "z", "row_failed"),
    ]


def test_a_row_that_breaks_for_a_reason_of_python_s_is_told_without_its_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(text: Any) -> Any:
        raise KeyError(text)

    monkeypatch.setitem(functions.FUNCTIONS, "lower", broken)  # type: ignore[arg-type]
    compiled = compile_mapping_set({"mappings": [row("lower(a)", "x")]})

    record, [warning] = compiled.transform({"a": "secret"})

    assert record == {}
    assert (warning.code, warning.detail) == ("row_broken", "KeyError in the row's computation")


def test_a_result_that_several_rows_share_fails_in_each_of_them() -> None:
    shared = "json_to_object(a)"
    rows = [row(f"{shared}.x", "x"), row(f"{shared}.y", "y")]
    compiled = compile_mapping_set({"mappings": rows})

    assert compiled.transform({"a": '{"x":1,"y":2}'}).record == {"x": 1, "y": 2}
    assert [w.path for w in compiled.transform({"a": "{"}).warnings] == ["x", "y"]
    assert compiled.transform({"a": '{"y":3}'}) == ({"y": 3}, ())


def test_constants_that_python_takes_for_equal_are_not_shared() -> None:
    rows = [row("concat(a, 1)", "one"), row("concat(a, 1.0)", "float")]
    rows += [row("concat(a, true)", "true"), row("concat(a, '1')", "text")]

    assert transform(rows, {"a": "n"}) == {
        "one": "n1", "float": "n1.0", "true": "ntrue", "text": "n1",
    }  # fmt: skip


def test_without_a_required_field_the_event_fails() -> None:
    compiled = compile_mapping_set({"mappings": [row("1 / a", "_id"), attribute("t", "timestamp")]})

    with pytest.raises(MappingFailed) as failed:
        compiled.transform({"a": 0})
    with pytest.raises(MappingFailed) as missing:
        compiled.transform({"a": 1})

    assert (failed.value.code, failed.value.path, failed.value.row) == (
        "row_failed", "_id", "#1 EXPRESSION 1 / a -> _id",
    )  # fmt: skip
    assert (missing.value.code, missing.value.path) == ("required_missing", "timestamp")


def test_texts_of_a_mapping_file_never_become_code() -> None:
    evil = "__import__('os').system('x')"
    rows = [
        row(evil, "a", "STATIC"),
        attribute("${" + evil.replace(".", " ") + "}", "b\\.\"\\]'+x"),
        row(f'concat("{evil}", "\\"")', "c.d e"),
    ]

    record = transform(rows, {evil.replace(".", " "): 1})

    assert record == {"a": evil, "b.\"]'+x": 1, "c": {"d e": evil + '"'}}


TYPES = {
    "s": "string", "i": "integer", "l": "long", "n": "number", "b": "boolean", "d": "date-time",
    "o": "object", "o.a": "string", "o.k": "object", "o.k.x": "int", "r": "array", "r[*]": "object",
    "r[*].a": "string", "t": "array", "t[*]": "string", "m": "map", "e\\.f": "string",
}  # fmt: skip


@pytest.mark.parametrize(
    ("place", "given", "wanted"),
    [
        ("s", 1234, "1234"),
        ("s", True, "true"),
        ("s", {"a": None, "b": 1}, {"b": 1}),
        ("i", "12", 12),
        ("i", 12.0, 12),
        ("i", "x", "x"),
        ("i", "", None),
        ("l", 1.5, 1.5),
        ("n", "1.5", 1.5),
        ("n", [], None),
        ("b", "yes", True),
        ("b", "OFF", False),
        ("b", "maybe", "maybe"),
        ("b", False, False),
        ("b", 1, 1),
        ("d", "2021-02-11T17:04:49+01:00", "2021-02-11T17:04:49+01:00"),
        ("d", "2021-02-11", "2021-02-11T00:00:00Z"),
        ("d", "never", "never"),
        ("d", "", None),
        ("d", 5, 5),
        ("o", {"a": 1, "z": 2, "k": {"x": "3", "y": 4}}, {"a": "1", "k": {"x": 3}}),
        ("o", {"z": 2}, None),
        ("o", "text", "text"),
        ("r", [{"a": 1, "z": 1}, {"z": 1}, {"a": None}, 5], [{"a": "1"}, 5]),
        ("r", "text", "text"),
        ("t", [1, "", "b"], ["1", "b"]),
        ("m", {"any": {"thing": None, "x": 1}}, {"any": {"x": 1}}),
        ("unknown", {"x": 1}, {"x": 1}),
    ],
)
def test_values_are_brought_to_the_schema_s_types(place: str, given: Any, wanted: Any) -> None:
    record = transform([attribute("v", place)], {"v": given}, TYPES)

    assert record == ({} if wanted is None else {place: wanted})


def test_types_reach_into_loops_elements_and_dates() -> None:
    rows = [
        attribute("v[*]", "r[*].a"),
        attribute("v[0]", "t[0]"),
        row("date('2021')", "d") | {"source": "date('2021', 'yyyy')"},
        row("date('2021', 'yyyy')", "s"),
        attribute("v[1]", "unknown.deep.er"),
    ]

    assert transform(rows, {"v": [1, 2]}, TYPES) == {
        "r": [{"a": "1"}, {"a": "2"}],
        "t": ["1"],
        "d": "2021-01-01T00:00:00Z",
        "s": "2021-01-01T00:00:00Z",
        "unknown": {"deep": {"er": 2}},
    }


def test_a_number_too_large_is_a_text_where_a_text_is_wanted() -> None:
    assert transform([attribute("v", "s")], {"v": 2**60}, TYPES) == {"s": str(2**60)}


def test_a_table_of_types_with_a_wrong_path_is_refused() -> None:
    types = {"a..b": "string", "c": "strin", "d": 5}

    with pytest.raises(MappingSetInvalid) as invalid:
        compile_mapping_set({"mappings": [attribute("a", "b")]}, {}, types)  # type: ignore[arg-type]

    assert invalid.value.faults[:2] == (
        "types: 'a..b' is no path: a name is missing before this dot",
        "types: c: 'strin' is no XDM type; did you mean string?",
    )
    assert [problem.place for problem in invalid.value.problems] == ["set"] * 3


def test_what_json_does_not_know_is_never_written() -> None:
    with pytest.raises(RowFault, match="a value of another kind cannot be written"):
        clean(object())


def test_dots_in_braces_are_left_to_data_prep() -> None:
    assert fill("${NAME} {NAME} {name}", {"NAME": "x"}) == "${NAME} x {name}"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "x", "k"]), inner, max_size=3)
    ),
    max_leaves=10,
)
KINDS = compile_mapping_set(
    {
        "mappings": [
            *(attribute("v", place) for place in TYPES if "." not in place and "[" not in place),
            row("v.a + v.b", "sum"),
            row("v[0] == v.a && v.x < v.k", "cmp"),
            row("v[*].a", "loop[*].y"),
            row("coalesce(v.a, upper(v.b), size_of(v))", "c"),
            row("get_keys(v)", "keys"),
            row("to_integer(v.a)", "int"),
        ]
    },
    {},
    TYPES,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(source=st.dictionaries(st.just("v"), VALUES))
def test_any_source_gives_a_record_and_warnings_and_stays_as_it_was(source: Any) -> None:
    before = repr(source)

    record, warnings = KINDS.transform(source)

    assert repr(source) == before
    assert "None" not in repr(record).replace("'", "") or "None" in before
    assert {w.code for w in warnings} <= {"row_failed"}


def test_a_source_that_is_no_object_has_nothing() -> None:
    wrong: Any = ["v"]

    assert KINDS.transform(wrong).record == {"c": 0, "cmp": False}


def test_what_python_finds_too_deep_is_a_fault_of_the_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_deep(*_: Any) -> Any:
        raise RecursionError

    document = {"mappings": [row("lower(a)", "x")]}
    with monkeypatch.context() as patched:
        patched.setattr(rows_function, "function", too_deep)
        with pytest.raises(MappingSetInvalid, match="its rows are nested too deeply"):
            compile_mapping_set(document)
    with monkeypatch.context() as patched:
        patched.setattr(rows_function, "parse_expression", too_deep)
        with pytest.raises(MappingSetInvalid, match=r"#1 .* it is nested too deeply"):
            compile_mapping_set(document)
    with monkeypatch.context() as patched:
        patched.setattr(expression_module, "parse_expression", too_deep)
        with pytest.raises(MappingSetInvalid, match="it is nested too deeply"):
            compile_expression("lower(a)")


def test_the_moment_of_an_event_and_its_ids_are_the_same_on_every_try() -> None:
    rows = [row("uuid()", "a"), row("uuid()", "b"), row("timestamp()", "t"), row("now()", "n")]
    compiled = compile_mapping_set({"mappings": rows})
    event = {"event_id": "1"}

    record = compiled.transform(event, 1_571_850_624_000).record

    assert record["a"] != record["b"]
    assert record["t"] == 1_571_850_624_000
    assert record["n"] == "2019-10-23T17:10:24Z"
    assert compiled.transform(event, 1_571_850_624_000).record == record
    assert compiled.transform(event, 1).record["a"] != record["a"]
    assert compiled.transform({"event_id": "2"}, 1_571_850_624_000).record["a"] != record["a"]
