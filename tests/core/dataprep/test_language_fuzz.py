"""A minute of random expressions: no crash, no hang, nothing but values and faults.

FUZZ_SECONDS makes it shorter or longer. The seed of a failing round is in its message.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from app.core.dataprep import compile_expression
from app.core.dataprep.language.grammar import (
    MAX_CHARACTERS,
    ExpressionInvalid,
    parse_expression,
)
from app.core.dataprep.language.printing import show
from app.core.dataprep.language.syntax import Node
from app.core.dataprep.values import RowFault
from app.core.errors import MappingSetInvalid
from tests.core.dataprep.evaluate import run
from tests.core.dataprep.expressions import sources, trees

SECONDS = float(os.environ.get("FUZZ_SECONDS", "62"))

# Pieces of the language, to be thrown together.
_WORDS = """
a b data x.y 'c' "d" 1 0x1F 1.5e3 7L ${n ${n} m} ${ } ( ) [ ] { } . ?. ?[ , : ; = == != < <= > >=
=~ !~ =^ !^ =$ !$ ! not and or && || & | ^ ~ + - * / % div mod eq ne lt ? ?: ?? true false null
if new size empty [*] [0] {:} ' " \\ \\u00e4 \\ud800 // ## /* */ ~/ ` @ # \x00 \u00e9 \U0001f600
lower( iif( uuid() now() .get( .equals( nullify() concat(
"""
PIECES = st.sampled_from(["\n", "\t", *_WORDS.split()])
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(PIECES, max_size=25).map(" ".join),
    st.lists(PIECES, max_size=25).map("".join),
)


def reading_a_text(text: str) -> None:
    """Any text is an expression, and then it is stable, or a fault within the text."""
    try:
        tree = parse_expression(text)
    except ExpressionInvalid as fault:
        assert 1 <= fault.column <= len(text) + 1
        return
    assert parse_expression(show(tree)) == tree


def mutate(tree: Node, at: int, piece: str, cut: int) -> str:
    text = show(tree)
    at %= len(text) + 1
    return text[:at] + piece + text[at + cut :]


def computing(tree: Node, source: dict[str, Any]) -> None:
    """An expression gives a value or a fault of ours, alone and in a set; the source stays."""
    text = show(tree)
    assert parse_expression(text) == tree
    if len(text) > MAX_CHARACTERS:
        return
    before = copy.deepcopy(source)
    try:
        compute = compile_expression(text)
    except MappingSetInvalid as invalid:
        assert all(problem.column for problem in invalid.problems)
        return
    try:
        first: Any = compute(source, 1_613_063_089_000)
    except RowFault as fault:
        first = str(fault)
    try:
        second: Any = compute(source, 1_613_063_089_000)
    except RowFault as fault:
        second = str(fault)
    assert first == second or first != first
    try:
        _, warnings = run(text, source)
    except MappingSetInvalid as invalid:
        # Alone a constant may be anything; a set knows that XDM cannot hold this one.
        assert all("XDM cannot hold" in str(problem) for problem in invalid.problems)
    else:
        assert {warning.code for warning in warnings} <= {"row_failed"}
    assert source == before


def _rounds(check: Callable[..., None], *arguments: st.SearchStrategy[Any]) -> Callable[..., None]:
    """One check as a test of hypothesis without a memory of its own."""
    return settings(
        max_examples=100,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )(given(*arguments)(check))


def _of_mutations(tree: Node, at: int, piece: str, cut: int) -> None:
    reading_a_text(mutate(tree, at, piece, cut))


CHECKS = [
    _rounds(reading_a_text, TEXTS),
    _rounds(_of_mutations, trees(), st.integers(0, 500), PIECES, st.integers(0, 3)),
    _rounds(computing, trees(), sources()),
]


@pytest.mark.fuzz
@pytest.mark.timeout(180)
def test_a_minute_of_random_expressions() -> None:
    end = time.monotonic() + SECONDS
    number = 0
    while number == 0 or time.monotonic() < end:
        for check in CHECKS:
            number += 1
            seed(number)(check)()
