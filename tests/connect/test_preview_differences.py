"""Both sides' records of the examples: where they differ, with one example's two values."""

from __future__ import annotations

from app.connect.preview_differences import remarks_on


def test_records_that_are_the_same_are_said_to_be() -> None:
    assert remarks_on([({"a": 1}, {"a": 1})] * 3) == [
        "Platform's preview makes the same of all 3 examples"
    ]


def test_each_place_comes_with_the_values_of_its_first_example() -> None:
    pairs = [
        ({"a": 1, "b": {"c": "x"}}, {"a": 1, "b": {"c": "x"}}),
        ({"a": 1, "b": {"c": "x"}}, {"a": 1.0, "b": {"c": "x", "d": None}}),
        ({"a": 2, "b": {"c": "y"}}, {"a": 3, "b": {}}),
    ]
    start = "Platform's preview differs from ours at"
    assert remarks_on(pairs) == [
        f"{start} a in 2 of 3 examples: of example 2 we make 1, Platform 1.0",
        f"{start} b.d in 1 of 3 examples: of example 2 we make nothing, Platform null",
        f'{start} b.c in 1 of 3 examples: of example 3 we make "y", Platform nothing',
    ]


def test_names_with_a_slash_and_places_in_lists_are_found() -> None:
    [first, second] = remarks_on([({"a/b": [1, {"c": 2}]}, {"a/b": [9, {"c": 3}]})])
    assert first.endswith("of example 1 we make 1, Platform 9")
    assert second.endswith("of example 1 we make 2, Platform 3")


def test_an_event_of_which_platform_makes_nothing_differs_as_a_whole() -> None:
    [said] = remarks_on([({"a": "x" * 200}, None)])
    assert "at the record in 1 of 1 examples" in said
    assert said.endswith("xxx..., Platform null")
    assert len(said) < 250


def test_a_number_beyond_64_bits_can_be_shown() -> None:
    [said] = remarks_on([({"a": 1 << 70}, {"a": 1})])
    assert said.endswith(f"of example 1 we make {1 << 70}, Platform 1")


def test_what_is_left_out_is_counted() -> None:
    ours = {f"field{number}": number for number in range(9)}
    found = remarks_on([(ours, {})])
    assert len(found) == 6
    assert found[-1] == "Platform's preview differs from ours in 4 more places"
