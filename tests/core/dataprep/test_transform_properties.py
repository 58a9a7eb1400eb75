"""Whatever comes in: a record or a listed fault, the input left alone, the same every time."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.dataprep import MappingSet, compile_mapping_set, posted
from app.core.errors import MappingFailed, MappingSetInvalid
from tests.core.dataprep.default_set import VARIABLES, default_set, read
from tests.core.dataprep.evaluate import row

CALM = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

NAMES = st.sampled_from(["a", "b", "l", "m", "x", "k", "id", "data", "metric", "event_id"])
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    | st.sampled_from(["yes", "12", "1.5", "2021-02-11", "2021-02-11T17:04:49Z", "{}", "[1]"])
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=5)

TYPES = {
    "s": "string", "i": "integer", "n": "number", "b": "boolean", "d": "date-time", "day": "date",
    "o.a": "string", "o.k.x": "int", "r[*].a": "string", "r[*].l[*].x": "long", "t[*]": "string",
    "m": "map", "m.*": "string", "free": "object",
}  # fmt: skip
ROWS = [
    *(row("a", place, "ATTRIBUTE") for place in ("s", "i", "n", "b", "d", "day", "m")),
    row("b", "o", "ATTRIBUTE"),
    row("x", "o.k.x", "ATTRIBUTE"),
    row("l", "r", "ATTRIBUTE"),
    row("l[*].m[*].x", "r[*].l[*].x", "ATTRIBUTE"),
    row("US", "r[*].a", "STATIC"),
    row("l[*].a", "t[*]", "ATTRIBUTE"),
    row("m", "free", "ATTRIBUTE"),
    row("m[0].k", "free.list[2]", "ATTRIBUTE"),
    row("data", "copy", "ATTRIBUTE"),
    row("data.a.b", "copy.a.b", "ATTRIBUTE"),
    row('iif(contains_key(x), to_array(false, to_object("x", x, "k", k)), nullify())', "made"),
    row("a + b", "sum"),
    row("coalesce(a, lower(b), size_of(l))", "first"),
    row('decode(metric, "a", 1, b, x, "else")', "decoded"),
    row("json_to_object(a).x", "read"),
    row("get_keys(data)", "keys"),
]
TYPED = compile_mapping_set({"mappings": ROWS}, {}, TYPES)
UNTYPED = compile_mapping_set({"mappings": ROWS})
DEFAULT, _ = default_set()
DEFAULT_DOCUMENT = read("mappings/customerio-default.json")


def holds_nothing_empty(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(map(holds_nothing_empty, value.values()))
    if isinstance(value, list):
        return bool(value) and all(map(holds_nothing_empty, value))
    return value is not None and value != ""


def containers(value: Any) -> set[int]:
    """Everything in a value that can change."""
    if isinstance(value, dict):
        return {id(value)}.union(*map(containers, value.values()))
    if isinstance(value, list):
        return {id(value)}.union(*map(containers, value))
    return set()


def outcome(mapping_set: MappingSet, source: Any) -> Any:
    try:
        return mapping_set.transform(source, 5)
    except MappingFailed as failed:
        return (failed.code, failed.path, failed.row)


@pytest.mark.parametrize("mapping_set", [TYPED, UNTYPED, DEFAULT], ids=["typed", "untyped", "ours"])
@CALM
@given(source=OBJECTS)
def test_any_object_gives_a_record_or_a_listed_fault(mapping_set: MappingSet, source: Any) -> None:
    before, texts = copy.deepcopy(source), repr(source)

    found = outcome(mapping_set, source)

    assert repr(source) == texts
    if not isinstance(found, tuple) or len(found) == 3:
        assert found[0] in ("required_missing", "row_failed")
        return
    record, warnings = found
    assert all(warning.code == "row_failed" for warning in warnings)
    assert not record or holds_nothing_empty(record)
    assert not containers(record) & containers(source)
    assert repr(outcome(mapping_set, before)) == repr(found)


@CALM
@given(source=OBJECTS)
def test_what_nothing_requires_always_gives_a_record(source: Any) -> None:
    record, warnings = DEFAULT.trial(source, 5)

    found = outcome(DEFAULT, source)
    if len(found) == 2:
        assert found == (record, warnings)
    else:
        assert not {"_id", "timestamp"} <= record.keys()


@CALM
@given(
    row_number=st.integers(0, len(ROWS) - 1),
    key=st.sampled_from(["sourceType", "source", "destination", "sourceAttribute", "name"]),
    value=JSON | st.text(max_size=30) | st.sampled_from(["a[*].b", "${x y}", "a.b\\", "{TENANT}"]),
)
def test_a_changed_row_compiles_or_is_a_listed_fault(row_number: int, key: str, value: Any) -> None:
    rows = copy.deepcopy(ROWS)
    rows[row_number][key] = value

    compiles_or_is_refused({"name": "n", "version": 1, "mappings": rows})


@CALM
@given(
    document=JSON
    | st.fixed_dictionaries({"mappings": st.lists(JSON, max_size=4)})
    | st.fixed_dictionaries({"mappings": st.just(ROWS), "name": JSON, "version": JSON}),
    types=st.none() | st.dictionaries(st.text(max_size=6), st.text(max_size=6) | JSON, max_size=3),
)
def test_any_document_compiles_or_is_a_listed_fault(document: Any, types: Any) -> None:
    compiles_or_is_refused(document, types)


@CALM
@given(text=st.text(alphabet="ab.[]*0\\${} ,()+'\"=!?:", max_size=40))
def test_any_text_in_place_of_a_source_or_destination(text: str) -> None:
    for kind in ("ATTRIBUTE", "EXPRESSION", "STATIC"):
        compiles_or_is_refused({"mappings": [row(text, "x", kind), row("a", text, kind)]})


def compiles_or_is_refused(document: Any, types: Any = None) -> None:
    before = repr(document)
    try:
        compiled = compile_mapping_set(document, VARIABLES, types)
    except MappingSetInvalid as invalid:
        assert invalid.problems
        for problem in invalid.problems:
            assert "\n" not in str(problem)
            assert problem.pointed().count("\n") <= 1
    else:
        source = {"a": "1", "l": [{"a": {}}], "m": [None], "data": {"a": {"b": 2}}}
        outcome(compiled, source)
    assert repr(document) == before


def test_a_set_of_the_greatest_size_compiles() -> None:
    rows = [row(f"concat(lower(a.b{n}), 'x')", f"x.y{n}") for n in range(2_000)]

    compiled = compile_mapping_set({"mappings": rows})

    assert compiled.transform({"a": {"b5": "B"}}).record["x"]["y5"] == "bx"


def test_our_own_set_posted_compiles_to_the_same() -> None:
    body = {"event_id": "1", "timestamp": 1613063089, "metric": "sent", "object_type": "email"}
    document = posted(DEFAULT_DOCUMENT, VARIABLES)

    again = compile_mapping_set(document, VARIABLES)

    assert again.transform(body) == compile_mapping_set(DEFAULT_DOCUMENT, VARIABLES).transform(body)
