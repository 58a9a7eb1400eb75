"""Recipes: read strictly, applied exactly, the same way each time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import RecipeInvalid
from app.core.recipe import Step, differences, made_by, mend, read_recipe
from app.core.replay_run import Orders

WHOLE = """\
about: Times without a zone
selection: {class: mapping, connection: example, newer: 7d, run: 3}
mapping: customerio-default@3
steps:
  - set: /data/a
    value: {deep: [1, null, true, 1.5, no, 12:30, 010, 2026-01-31]}
  - rename: /data/b
    to: /data/c
  - cast: /data/d
    to: integer
  - drop: /data/e~1f
    optional: true
  - map_value: /data/g
    values: {NO: Norway, 1: one, null: none}
    default: other
rate: 50
stop: {at: 0.5, least: 7}
"""


def step_of(text: str) -> Step:
    [step] = read_recipe(f"selection: {{all: true}}\nsteps: [{text}]").steps
    return step


def test_a_recipe_is_read_whole_and_its_words_are_those_of_yaml_1_2() -> None:
    recipe = read_recipe(WHOLE)

    assert (recipe.about, recipe.mapping) == ("Times without a zone", "customerio-default@3")
    assert recipe.selection == {
        "class": "mapping", "connection": "example", "newer": "7d", "run": 3,
    }  # fmt: skip
    assert recipe.orders == Orders(50.0, 0.5, 7)
    assert [str(step) for step in recipe.steps] == [
        "set /data/a", "rename /data/b", "cast /data/d", "drop /data/e~1f", "map_value /data/g",
    ]  # fmt: skip
    assert recipe.steps[0].value == {
        "deep": [1, None, True, 1.5, "no", "12:30", "010", "2026-01-31"]
    }
    assert recipe.steps[4].table == {
        b'"NO"': "Norway", b"1": "one", b"null": "none",
    }  # fmt: skip
    assert made_by("zones", 4) == "zones@4"


def test_what_is_left_out_is_as_with_a_bulk_replay() -> None:
    recipe = read_recipe("selection: {all: true}\nmapping: a@1+01234567")

    assert (recipe.selection, recipe.steps, recipe.orders) == ({}, (), Orders())


@pytest.mark.parametrize(
    ("mapping", "label", "fits"),
    [
        ("a@1", "a@1+01234567", True),
        ("a@1+01234567", "a@1+01234567", True),
        ("a@1", "a@10+01234567", False),
        ("a@1+01234567", "a@1+11234567", False),
        ("a@1", "", False),
    ],
)
def test_a_version_is_that_version_and_no_other(mapping: str, label: str, fits: bool) -> None:
    assert read_recipe(f"selection: {{all: true}}\nmapping: {mapping}").fits(label) is fits


def test_without_a_version_any_fits() -> None:
    assert read_recipe("selection: {all: true}\nsteps: [{drop: /a}]").fits("")


def faults_of(text: str) -> tuple[str, ...]:
    with pytest.raises(RecipeInvalid) as invalid:
        read_recipe(text)
    return invalid.value.faults


def test_all_faults_are_told_at_once_each_with_its_field_and_the_fix() -> None:
    assert faults_of("""\
about: 1
selektion: {}
selection: {clas: x, kind: 1, older: soon, newer: 1h, from: later, run: 0, all: true}
mapping: customerio-default
steps:
  - set: /data/a
  - rename: /data/a
    to: /data/a/b
  - cast: data
    to: int
  - cast: /a
    to: int
  - drop: /event_id
  - drop: /a
    optional: 1
    sett: 2
  - map_value: /a
    values: []
  - explode: /a
  - set: /a
    value: 99999999999999999999999
  - rename: /a
    to: 1
rate: 0
stop: {at: 2, least: 0, most: 3}
""") == (
        "selektion: there is no such key; did you mean selection?",
        "about: a text",
        "mapping: write NAME@VERSION, such as customerio-default@3",
        "selection.clas: there is no such key; did you mean class?",
        "selection.kind: a text; put it in quotes",
        "selection.older: 'soon' is no age: write 90s, 15m, 2h or 7d",
        "selection.from: 'later' is no time in UTC: write 2026-01-31, or 2026-01-31 18:00",
        "selection.run: the number of a replay run",
        "selection.all: `all: true` stands alone; leave it out where others narrow",
        "steps.1.value: set needs it",
        "steps.2.to: another place, and not within the first",
        "steps.3.cast: a JSON pointer, such as /data/recipient (~1 is /, ~0 is ~)",
        "steps.4.to: one of string, integer, number, boolean",
        "steps.5.drop: the event_id must stay what it is",
        "steps.6.sett: there is no such key; known are drop, optional",
        "steps.6.optional: true or false",
        'steps.7.values: an object, such as {"old": "new"}',
        "steps.8: one of set, rename, cast, drop, map_value, and its place: `drop: /data/a`",
        "steps.9.value: no JSON value; put it in quotes",
        "steps.10.to: a JSON pointer, such as /data/recipient (~1 is /, ~0 is ~)",
        "rate: events per second, 0.1 to 100,000",
        "stop.most: there is no such key; known are at, least",
        "stop.at: the share that may die again, 0 to 1",
        "stop.least: how many must be settled before the share is judged, 1 or more",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "the recipe is no YAML: line"),
        ("\x00", "the recipe is no YAML: character 1 is none that YAML knows"),
        ("a: &x 1", "anchors and aliases are not taken"),
        ("a: *x", "anchors and aliases are not taken"),
        ("a: 1\na: 2", "a key stands twice"),
        ("a: {1: x, true: y}", "a key stands twice"),
        ("[a]: 1", "a key stands twice, or is no plain word"),
        ("a: !!int x", "nested too deeply, or a word no value"),
        ("a: " + "[" * 5_000, "nested too deeply"),
        ("a: !!python/object:os.system {}", "could not determine a constructor"),
        ("- a", "an object with the keys about"),
        ("a" * 70_000, "70,000 characters, at most 65,536"),
    ],
)
def test_what_cannot_be_read_at_all_says_why(text: str, said: str) -> None:
    [fault] = faults_of(text)
    assert said in fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps: [{drop: /a}]", "selection: say which dead letters"),
        ("selection: {all: true}", "steps: say what to change"),
        ("selection: {all: true}\nsteps: 1", "steps: a list of at most 50 steps"),
        ("selection: {all: true}\nsteps: [{drop: /a}]\nstop: 1", "stop: an object"),
        ("selection: {person: ada, all: true}\nsteps: [{drop: /a}]", "selection.person: there is"),
        ('selection: {all: true}\nsteps: [{set: /a, value: !!binary "QQ=="}]', "no JSON value"),
        ("selection: {all: true}\nsteps: [{set: /a, value: !!timestamp 2026-01-01}]", "no JSON"),
    ],
)
def test_what_is_missing_or_odd_says_so(text: str, said: str) -> None:
    assert any(said in fault for fault in faults_of(text))


BODY = {"event_id": "e1", "data": {"n": "12", "list": [1, {"a": "x"}], "s": "old", "~/": True}}


def mended(text: str, body: Any = BODY) -> Any:
    found = mend([step_of(text)], json.dumps(body).encode())
    return found.why if found.body is None else json.loads(found.body)


def data(**changes: Any) -> Any:
    return {**BODY, "data": {**BODY["data"], **changes}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("step", "after"),
    [
        ("{set: /data/new, value: [1]}", data(new=[1])),
        ("{set: /data/s, value: null}", data(s=None)),
        ("{set: /data/list/1/a, value: y}", data(list=[1, {"a": "y"}])),
        ("{set: /data/list/0, value: y}", data(list=["y", {"a": "x"}])),
        ("{set: /data/~0~1, value: 1}", data(**{"~/": 1})),
        ("{rename: /data/s, to: /moved}", {**BODY, "moved": "old", "data": {
            k: v for k, v in BODY["data"].items() if k != "s"}}),  # type: ignore[attr-defined]
        ("{drop: /data/list/0}", data(list=[{"a": "x"}])),
        ("{cast: /data/n, to: integer}", data(n=12)),
        ("{map_value: /data/s, values: {old: new}}", data(s="new")),
        ("{map_value: /data/s, values: {x: y}, default: z}", data(s="z")),
        ("{map_value: /data/list, values: {x: y}, default: z}", data(list="z")),
        ("{drop: /data/gone, optional: true}", BODY),
    ],
)  # fmt: skip
def test_a_step_changes_its_place_and_nothing_else(step: str, after: Any) -> None:
    assert mended(step) == after


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("{set: /no/where, value: 1}", "absent"),
        ("{set: /data/s/x, value: 1}", "absent"),
        ("{set: /data/list/2, value: 1}", "absent"),
        ("{set: /data/list/01, value: 1}", "absent"),
        ("{set: /data/list/-, value: 1}", "absent"),
        ("{rename: /data/gone, to: /x}", "absent"),
        ("{rename: /data/s, to: /data/list/0}", "absent"),
        ("{rename: /data/s, to: /data/n}", "taken"),
        ("{drop: /data/gone}", "absent"),
        ("{cast: /data/gone, to: string}", "absent"),
        ("{cast: /data/s, to: integer}", "not_castable"),
        ("{map_value: /data/s, values: {x: y}}", "not_in_table"),
        ("{map_value: /data/list, values: {x: y}}", "not_in_table"),
    ],
)
def test_a_step_that_does_not_apply_is_told_without_values(step: str, code: str) -> None:
    told = mended(step)
    assert told.startswith("step 1 (") and told.endswith(f"): {code}")


def test_an_optional_step_that_does_not_apply_is_told_too() -> None:
    found = mend([step_of("{drop: /gone, optional: true}")], b'{"a":1}')
    assert (found.body, found.left_out) == (b'{"a":1}', ("step 1 (drop /gone): absent",))


ABSENT = "not_castable"


@pytest.mark.parametrize(
    ("value", "string", "integer", "number", "boolean"),
    [
        ("12", "12", 12, 12, ABSENT),
        (" -7 ", " -7 ", -7, -7, ABSENT),
        ("1.5e3", "1.5e3", ABSENT, 1500.0, ABSENT),
        ("TRUE", "TRUE", ABSENT, ABSENT, True),
        ("1e999", "1e999", ABSENT, ABSENT, ABSENT),
        ("٣", "٣", ABSENT, ABSENT, ABSENT),
        ("9" * 19, "9" * 19, ABSENT, ABSENT, ABSENT),
        (12, "12", 12, 12, ABSENT),
        (1, "1", 1, 1, True),
        (1.0, "1.0", 1, 1.0, ABSENT),
        (1.5, "1.5", ABSENT, 1.5, ABSENT),
        (1e300, "1e+300", ABSENT, 1e300, ABSENT),
        (True, "true", ABSENT, ABSENT, True),
        (None, ABSENT, ABSENT, ABSENT, ABSENT),
        ([1], ABSENT, ABSENT, ABSENT, ABSENT),
    ],
)
def test_a_cast_loses_nothing_or_is_refused(
    value: Any, string: Any, integer: Any, number: Any, boolean: Any
) -> None:
    wanted = {"string": string, "integer": integer, "number": number, "boolean": boolean}
    for to, after in wanted.items():
        told = mended(f"{{cast: /a, to: {to}}}", {"a": value})
        if after == ABSENT:
            assert told == "step 1 (cast /a): not_castable"
        else:
            assert (told["a"], type(told["a"])) == (after, type(after))


def test_a_body_that_cannot_be_mended_says_why() -> None:
    step = step_of("{set: /a, value: 1}")
    assert mend([step], b"{").why == "the body is not JSON"
    assert mend([step], b"1").why == "step 1 (set /a): absent"
    assert mend([Step("drop", "/event_id")], b'{"event_id":"e"}').why == (
        "the event_id would change"
    )
    assert mend([Step("set", "/\ud800", 1)], b"{}").why == "what comes out is no JSON"
    # Without steps nothing is read, and whatever it is stays.
    assert mend([], b"{").body == b"{"


def test_differences_name_the_places_and_both_values() -> None:
    steps = read_recipe(WHOLE.replace("drop: /data/e~1f", "drop: /data/h")).steps
    before = b'{"data":{"a":1,"b":2,"d":3,"g":"x","h":null}}'
    body = mend(steps, before).body
    assert body is not None

    told = [each.document() for each in differences(steps, before, body)]

    assert [each["path"] for each in told] == [
        "/data/a", "/data/b", "/data/c", "/data/h", "/data/g",
    ]  # fmt: skip
    assert told[1:] == [
        {"path": "/data/b", "before": 2},
        {"path": "/data/c", "after": 2},
        {"path": "/data/h", "before": None},
        {"path": "/data/g", "before": "x", "after": "other"},
    ]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.sampled_from(["", "1", "x", "true", "é"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "0", "~", "/"]), inner, max_size=4)
    ),
    max_leaves=12,
)
places = st.lists(st.sampled_from(["a", "b", "0", "1", "~0", "~1"]), min_size=1, max_size=3).map(
    lambda parts: "/" + "/".join(parts)
)
steps_made = st.builds(
    Step,
    st.sampled_from(["set", "rename", "cast", "drop", "map_value"]),
    places,
    json_values,
    st.sampled_from(["string", "integer", "number", "boolean"]),
    optional=st.booleans(),
).flatmap(
    lambda step: (
        places.map(lambda to: Step("rename", step.path, to=to, optional=step.optional))
        if step.verb == "rename"
        else st.just(step)
    )
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["a", "b"]), json_values), st.lists(steps_made, max_size=4))
def test_any_steps_on_any_body_end_in_the_same_way_twice(body: Any, steps: list[Step]) -> None:
    content = json.dumps({"event_id": "e", **body}).encode()

    found = mend(steps, content)

    assert found == mend(steps, content)
    assert (found.body is None) == (found.why != "")
    if found.body is not None:
        assert json.loads(found.body)["event_id"] == "e"
        for each in differences(steps, content, found.body):
            assert each.document()["path"] == each.path


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=200))
def test_any_text_is_a_recipe_or_has_faults(text: str) -> None:
    try:
        read_recipe(text)
    except RecipeInvalid as invalid:
        assert invalid.faults
