"""No expression takes more than its share of time and memory, whatever it is given.

Each case is within 4,096 characters and grows as fast as its function lets it; what is asked is
that it ends, with a value of bounded size or a fault of the row.
"""

from __future__ import annotations

from typing import Any

import pytest

from app.core.dataprep import compile_expression
from app.core.dataprep.language.grammar import MAX_CHARACTERS
from app.core.dataprep.values import MAX_ITEMS, MAX_TEXT, RowFault, Value

SOURCE: dict[str, Any] = {
    "x": "x" * 100_000,
    "a": "a" * 5_000,
    "n": 2**62,
    "l": list(range(50_000)),
    "o": {"k": ["v"] * 5_000},
}


def nested(before: str, core: str, after: str, times: int) -> str:
    return before * times + core + after * times


CASES = {
    "replacing": nested("replacestr(", "'a'", ",'a','aa')", 100),
    "replacing by itself": nested("replacestr(", "a", ",'a',a)", 6),
    "joining": "join(x, l)",
    "padding": nested("lpad(", "'a'", ",1000000,x)", 50),
    "putting together": nested("concat(", "x", ",x)", 140),
    "putting much together": f"concat({','.join(['x'] * 1300)})",
    "adding texts": "+".join(["x"] * 140),
    "multiplying": "*".join(["n"] * 140),
    "percent signs": nested("get_url_encoded(", "x", ")", 140),
    "many arrays": f"[{','.join(['l'] * 1000)}]",
    "joining arrays": f"join_arrays({','.join(['l'] * 1000)})",
    "sets": f"{{{','.join(['o'] * 500)}}}",
    "finding all in all": "l =~ l",
    "comparing": "l == l",
    "a pattern that backtracks": "matches_regex(a, '(a+)+b')",
    "a pattern that backtracks more": "a =~ '(a*)*(a*)*(a*)*b'",
    "a pattern made of data": "a =~ a",
    "splitting": "explode(a, '')",
    "columns": f"arrays_to_object({','.join(['l', 'l'] * 100)})",
    "searching": "instr(x, 'x', 0, 100000)",
    "hashes": nested("sha256(", "x", ")", 140),
    "choices": f"decode({','.join(['x'] * 2000)})",
    "dates": "date(x)",
}


@pytest.mark.parametrize("expression", CASES.values(), ids=CASES.keys())
def test_growth_is_bounded(expression: str) -> None:
    assert len(expression) <= MAX_CHARACTERS
    compute = compile_expression(expression)

    try:
        result = compute(SOURCE, 0)
    except RowFault:
        return
    assert size(result) <= MAX_TEXT + MAX_ITEMS


def size(value: Value) -> int:
    return len(value) if isinstance(value, str | list | dict) else 1
