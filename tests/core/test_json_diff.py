"""Patches between documents."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.json_diff import patch_between
from app.core.json_patch import apply_patch

values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("a/~b", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("a/~", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(values, values)
def test_the_patch_makes_one_of_the_other(before: Any, after: Any) -> None:
    patched = apply_patch(before, patch_between(before, after))
    assert repr(_sorted(patched)) == repr(_sorted(after)), "also true is not 1"


@given(values)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert patch_between(value, value) == []


@pytest.mark.parametrize(
    ("after", "patch"),
    [
        ({"a": {"b": 2}, "l": [1, 2]}, [{"op": "replace", "path": "/a/b", "value": 2}]),
        ({"a": {"b": 1}, "l": [1, 3]}, [{"op": "replace", "path": "/l/1", "value": 3}]),
        ({"a": {"b": 1}, "l": [1]}, [{"op": "replace", "path": "/l", "value": [1]}]),
        ({"a": {"b": True}, "l": [1, 2]}, [{"op": "replace", "path": "/a/b", "value": True}]),
        ({"a": {"b": 1}}, [{"op": "remove", "path": "/l"}]),
        (
            {"a": {"b": 1}, "l": [1, 2], "x/y": 0},
            [{"op": "add", "path": "/x~1y", "value": 0}],
        ),
    ],
)
def test_only_what_differs_is_named(after: Any, patch: list[Any]) -> None:
    assert patch_between({"a": {"b": 1}, "l": [1, 2]}, after) == patch


def test_too_many_operations_become_one() -> None:
    before = {str(at): 0 for at in range(2_000)}
    after = {str(at): 1 for at in range(2_000)}
    assert len(patch_between(before, after)) == 1
    assert apply_patch(before, patch_between(before, after)) == after


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value
