"""Expressions for property tests: trees as the parser makes them, and data to run them on."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from app.core.dataprep.compiler.inline import INLINE
from app.core.dataprep.compiler.known import arity
from app.core.dataprep.compiler.methods import METHODS
from app.core.dataprep.functions import FUNCTIONS, FUNCTIONS_OF_EVENT
from app.core.dataprep.language.grammar import BINDING
from app.core.dataprep.language.syntax import (
    Access,
    ArrayOf,
    Binary,
    Call,
    Each,
    Index,
    Literal,
    Method,
    Node,
    ObjectOf,
    Path,
    SetOf,
    Step,
    Ternary,
    Unary,
)

# Few names, so that a path often finds something.
_NAMES = st.sampled_from(
    ["a", "b", "c", "data", "first name", "x.y", "new", "size", "$z", "é", "}"]
)
_STEPS: st.SearchStrategy[Step] = st.one_of(
    _NAMES, st.sampled_from(["", 0, 1, 7]), st.just(Each.EACH)
)

_TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["", "a", "5", "1.5", "true", "no", "2019-10-23", "yyyy-MM-dd", "a.b[0]",
                     "(a+)+$", "[a-z]*", "UTF-8", '{"a":[1]}', "https://example.com/a?b=c#d"]),
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-3, 12), st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
LITERALS = st.builds(Literal, st.one_of(st.none(), st.booleans(), NUMBERS, _TEXTS))


def _path(first: str, rest: list[Step]) -> Node:
    return Path((first, *rest))


PATHS: st.SearchStrategy[Node] = st.builds(_path, _NAMES, st.lists(_STEPS, max_size=3))


def _call(name: str, items: list[Node]) -> Node:
    function = FUNCTIONS.get(name) or FUNCTIONS_OF_EVENT.get(name)
    if function is None:
        return Call(name, tuple(items))
    least, most = arity(function, 0 if name in FUNCTIONS else 1)
    wanted = items[:most] if most is not None else items
    return Call(name, (*wanted, *[Literal(None)] * (least - len(wanted))))


def _method(base: Node, name: str, argument: Node) -> Node:
    takes, _ = arity(METHODS[name], 1)
    return Method(base, name, (argument,) * takes)


def _access(base: Node, steps: list[Step]) -> Node:
    joined = isinstance(base, Path | Access) and Each.EACH not in base.steps
    return base if joined else Access(base, tuple(steps))


def _index(base: Node, key: Node) -> Node:
    constant = isinstance(key, Literal) and type(key.value) in (str, int)
    return base if constant else Index(base, key)


def _unary(operator: str, operand: Node) -> Node:
    return Unary(operator, operand)


def _grown(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, max_size=4)
    names = sorted({*FUNCTIONS, *FUNCTIONS_OF_EVENT, *INLINE})
    return st.one_of(
        st.builds(_call, st.sampled_from(names), several),
        st.builds(_method, inner, st.sampled_from(sorted(METHODS)), inner),
        st.builds(Binary, st.sampled_from(sorted(set(BINDING) - {"?"})), inner, inner),
        st.builds(_unary, st.sampled_from(["not", "-", "+", "~", "empty", "size"]), inner),
        st.builds(Ternary, inner, inner, inner),
        st.builds(_access, inner, st.lists(_STEPS, min_size=1, max_size=3)),
        st.builds(_index, inner, inner),
        st.builds(lambda items: ArrayOf(tuple(items)), several),
        st.builds(lambda items: SetOf(tuple(items)), several),
        st.builds(
            lambda entries: ObjectOf(tuple(entries)), st.lists(st.tuples(inner, inner), max_size=3)
        ),
    )  # fmt: skip


def trees() -> st.SearchStrategy[Node]:
    """Trees that some text has: a path is never split in two, a constant index is a step."""
    return st.recursive(st.one_of(LITERALS, PATHS), _grown, max_leaves=12)


def sources() -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects with the names that the trees ask for."""
    numbers = st.one_of(
        st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False)
    )
    leaves = st.one_of(st.none(), st.booleans(), numbers, _TEXTS)
    values = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=3)
        ),
        max_leaves=8,
    )
    return st.dictionaries(_NAMES, values, max_size=5)
