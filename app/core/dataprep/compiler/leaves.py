"""Writing the value of one row into one place, as plain statements.

An expression that chooses (`iif`) becomes an `if`, one that makes an object or an array makes it
member by member: so each text, flag or number is brought to its own type where it stands, and the
usual event pays for nothing but what it has.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final

from app.core.dataprep.compiler.expressions import Expressions
from app.core.dataprep.compiler.kinds import BOOLEAN, TEXT_OR_NONE, kinds_of
from app.core.dataprep.compiler.quoting import constant, name, statements
from app.core.dataprep.language.syntax import Call, Literal, Node, Ternary
from app.core.dataprep.shapes import Shape, fit_for
from app.core.dataprep.values import RowFault

Store = Callable[[ast.expr], list[ast.stmt]]

# A text goes in as it is; anything else is cleaned and brought to its type first.
_TEXT = """
if VALUE is not None:
    if type(VALUE) is str:
        if VALUE:
            STORE
    else:
        KEPT = FIT(VALUE)
        if KEPT is not None:
            STORE_KEPT
"""

# What is written with these is RFC 3339 (platform.md section 2.4) and needs no second look.
_RFC_3339_PATTERNS: Final = frozenset(
    {
        "yyyy-MM-dd'T'HH:mm:ss.SSSX", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        "yyyy-MM-dd'T'HH:mm:ssX", "yyyy-MM-dd'T'HH:mm:ssXXX",
    }
)  # fmt: skip

# For places that hold no text.
_OTHER = """
if VALUE is not None:
    KEPT = FIT(VALUE)
    if KEPT is not None:
        STORE_KEPT
"""


class Leaves:
    """Writes values into places. `bound`: what the written names stand for."""

    def __init__(self, expressions: Expressions) -> None:
        self._expressions = expressions
        self._names = 0
        self._fits: dict[int, str] = {}
        # Shapes are kept, so that no other one gets the identity of one that is gone.
        self._shapes: list[Shape | None] = []
        self.bound: dict[str, Any] = {}

    def write(self, node: Node, shape: Shape | None, store: Store) -> list[ast.stmt]:
        """Statements that store a tree's value, brought to its shape, if anything is left of it."""
        if self._expressions.is_shared(node):
            return self._value(node, shape, store)
        match node:
            case Literal():
                return self._constant(node, shape, store)
            case Call("nullify", ()):
                return []
            case Call("iif", (condition, then, other)) | Ternary(condition, then, other):
                return self._choice(condition, then, other, shape, store)
            case Call("to_object", arguments) if _makes_object(arguments, shape):
                return self._object(arguments, shape, store)
            case Call("to_array", (Literal(bool()), *items)) if _takes_array(shape):
                return self._array(items, shape, store)
        return self._value(node, shape, store)

    def value(self, node: Node) -> ast.expr:
        """The expression of a tree's whole value."""
        return self._expressions.result(node)

    def name(self, prefix: str) -> str:
        """A variable of its own."""
        self._names += 1
        return f"{prefix}{self._names}"

    def fit(self, shape: Shape | None) -> str:
        """The name of the function that brings a value to a shape."""
        known = self._fits.get(id(shape))
        if known is None:
            known = self.bind("fit", fit_for(shape))
            self._fits[id(shape)] = known
            self._shapes.append(shape)
        return known

    def bind(self, prefix: str, thing: Any) -> str:
        """A name for a constant; the same thing gets the same name."""
        for known, bound in self.bound.items():
            if bound is thing:
                return known
        label = f"{prefix}_{len(self.bound)}"
        self.bound[label] = thing
        return label

    def _constant(self, node: Literal, shape: Shape | None, store: Store) -> list[ast.stmt]:
        try:
            fitted = fit_for(shape)(node.value)
        except RowFault:
            return self._value(node, shape, store)
        return [] if fitted is None else store(constant(fitted))

    def _choice(
        self, condition: Node, then: Node, other: Node, shape: Shape | None, store: Store
    ) -> list[ast.stmt]:
        test = self._expressions.condition(condition)
        body, orelse = self.write(then, shape, store), self.write(other, shape, store)
        if not body:
            # The condition is computed all the same: it may fail.
            return [ast.If(ast.UnaryOp(ast.Not(), test), orelse or [ast.Pass()], [])]
        return [ast.If(test, body, orelse)]

    def _object(
        self, arguments: tuple[Node, ...], shape: Shape | None, store: Store
    ) -> list[ast.stmt]:
        made = self.name("m")
        body = statements("MADE = {}", MADE=made)
        for key, value in zip(arguments[::2], arguments[1::2], strict=True):
            assert isinstance(key, Literal)
            member = None if shape is None else shape.step(str(key.value))
            body += self.write(value, member, into(made, str(key.value)))
        return body + _if_any(made, store)

    def _array(self, items: list[Node], shape: Shape | None, store: Store) -> list[ast.stmt]:
        below = None if shape is None else shape.items
        if len(items) == 1:
            return self.write(items[0], below, lambda value: store(_list_of(value)))
        made = self.name("m")
        body = statements("MADE = []", MADE=made)
        for item in items:
            body += self.write(item, below, onto(made))
        return body + _if_any(made, store)

    def _value(self, node: Node, shape: Shape | None, store: Store) -> list[ast.stmt]:
        value, kinds = self._expressions.result(node), kinds_of(node)
        if kinds == BOOLEAN and (shape is None or (_is_single(shape) and _takes_flag(shape))):
            return store(value)
        body: list[ast.stmt] = []
        if isinstance(value, ast.Name):
            local = value.id
        else:
            local = self.name("w")
            body = statements("LOCAL = VALUE", LOCAL=local, VALUE=value)
        is_text = takes_text(shape) and kinds is not None and kinds <= TEXT_OR_NONE
        if is_text or (shape is not None and _is_moment(node, shape)):
            return body + statements("if VALUE:\n    STORE", VALUE=local, STORE=store(name(local)))
        kept = self.name("w")
        return body + statements(
            _TEXT if takes_text(shape) else _OTHER,
            VALUE=local,
            STORE=store(name(local)),
            KEPT=kept,
            FIT=self.fit(shape),
            STORE_KEPT=store(name(kept)),
        )


def takes_text(shape: Shape | None) -> bool:
    """Does a text go into the place as it is?"""
    return shape is None or (_is_single(shape) and shape.type in ("", "string"))


def into(holder: str, key: str) -> Store:
    """Storing under a key of an object."""
    return lambda value: statements(
        "HOLDER[KEY] = VALUE", HOLDER=holder, KEY=constant(key), VALUE=value
    )


def onto(holder: str) -> Store:
    """Storing at the end of an array."""
    return lambda value: statements("HOLDER.append(VALUE)", HOLDER=holder, VALUE=value)


def _list_of(value: ast.expr) -> ast.expr:
    return ast.List([value], ast.Load())


def _if_any(made: str, store: Store) -> list[ast.stmt]:
    return statements("if MADE:\n    STORE", MADE=made, STORE=store(name(made)))


def _is_single(shape: Shape) -> bool:
    return not shape.children and shape.items is None


def _takes_flag(shape: Shape) -> bool:
    return shape.type in ("", "boolean")


def _is_moment(node: Node, shape: Shape) -> bool:
    """Is a date written in a form that its place takes as it is?"""
    match node:
        case Call("dformat", (_, Literal(str() as pattern))):  # always in UTC, so X is a Z
            return shape.type == "date-time" and pattern in _RFC_3339_PATTERNS
    return False


def _makes_object(arguments: tuple[Node, ...], shape: Shape | None) -> bool:
    """Is it written with constant names, all of them known to the schema?"""
    keys = [key.value for key in arguments[::2] if isinstance(key, Literal)]
    texts = {key for key in keys if type(key) is str}
    if len(arguments) % 2 or len(texts) != len(arguments) // 2:
        return False
    if shape is None or shape.is_open:
        return True
    return bool(shape.children) and all(shape.step(key) is not None for key in texts)


def _takes_array(shape: Shape | None) -> bool:
    if shape is None or shape.items is not None:
        return True
    return not shape.children and shape.type in ("", "array")
