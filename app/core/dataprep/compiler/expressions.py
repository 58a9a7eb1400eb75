"""From the tree of an expression to the Python expression that computes it."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from app.core.dataprep.compiler import inline, sharing
from app.core.dataprep.compiler.kinds import BOOLEAN, kinds_of
from app.core.dataprep.compiler.known import (
    arity,
    miscounted,
    signature,
    why_no_function,
    why_no_method,
)
from app.core.dataprep.compiler.methods import METHODS
from app.core.dataprep.compiler.others import others, others_of
from app.core.dataprep.compiler.quoting import call, constant, expression, name, statements
from app.core.dataprep.compiler.sources import Sources, spread, steps_tuple, walk
from app.core.dataprep.functions import FUNCTIONS, FUNCTIONS_OF_EVENT
from app.core.dataprep.language.operators import OPERATORS, UNARY, child, distinct
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
    Ternary,
    Unary,
    children,
)
from app.core.dataprep.values import (
    FALSE_WORDS,
    TRUE_WORDS,
    RowFault,
    Value,
    as_number,
    as_text,
    truthy,
)


class CannotCompile(ValueError):
    """An expression that reads well but cannot be computed.

    `faults`: all of them, each with its column, in characters from 1.
    """

    def __init__(self, faults: list[tuple[int, str]]) -> None:
        self.faults = faults
        super().__init__("; ".join(text for _, text in faults))


class Expressions:
    """Writes expressions over shared sources. `bound`: what the written names stand for.

    `occasional`: has something written so far asked for the moment or for chance? Then the written
    code reads a variable `occasion` (values.Occasion), which the transform has to make.
    """

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.occasional = False
        self._faults: list[tuple[int, str]] = []
        self._temporaries = 0
        self._repeated: dict[Node, str] = {}
        self._labels: dict[int, str] = {}
        self.bound: dict[str, Any] = {
            "SPREAD": spread, "WALK": walk, "EACH": Each.EACH, "TRUTHY": truthy, "CHILD": child,
            "OBJECT": _object, "DISTINCT": distinct, "LOOKUP": inline.lookup,
            "BESIDE": inline.is_beside, "UNKNOWN": sharing.UNKNOWN,
        }  # fmt: skip

    def share(self, nodes: Iterable[Node]) -> list[ast.stmt]:
        """Notes what several expressions have in common, so that an event computes it once.

        Gives the statements that forget the results of the event before. A result is made where it
        is first needed; one that fails is tried, and fails, again where it is needed next.
        """
        shared = sharing.shared(nodes)
        self._repeated = {node: f"shared{number}" for number, node in enumerate(shared)}
        return [
            statement
            for node, local in self._repeated.items()
            for statement in statements("LOCAL = MARK", LOCAL=local, MARK=sharing.not_yet(node))
        ]

    def is_shared(self, node: Node) -> bool:
        """Is its result remembered within an event?"""
        return node in self._repeated

    def write(self, node: Node) -> ast.expr:
        """The expression of a tree. Raises CannotCompile with every fault in it."""
        self._faults = []
        written = self.write_node(node)
        if self._faults:
            raise CannotCompile(self._faults)
        return written

    def result(self, node: Node) -> ast.expr:
        """The expression of a tree whose value goes into a record, where nulls are left out."""
        known = None if self.is_shared(node) else others_of(node)
        if known is None:
            return self.write_node(node)
        left_out, rest = known
        return call(self.bind("others", others(left_out)), self.write_node(rest))

    def write_node(self, node: Node) -> ast.expr:
        """The expression of a tree that is known to have no faults, or of a part of one."""
        shared = self._repeated.get(node)
        if shared is None:
            return self._written(node)
        return expression(
            "LOCAL if LOCAL is not MARK else (LOCAL := VALUE)",
            LOCAL=shared,
            MARK=sharing.not_yet(node),
            VALUE=self._written(node),
        )

    def condition(self, node: Node) -> ast.expr:
        """An expression that is True or False."""
        if kinds_of(node) == BOOLEAN:
            return self.write_node(node)
        return call("TRUTHY", self.write_node(node))

    def branch(self, condition: Node, then: Node, other: Node) -> ast.expr:
        """One of two expressions, by a condition."""
        return ast.IfExp(self.condition(condition), self.write_node(then), self.write_node(other))

    def bind(self, prefix: str, thing: Any) -> str:
        """A name for a constant; the same thing gets the same name."""
        label = self._labels.get(id(thing))
        if label is None:
            label = self._labels[id(thing)] = f"{prefix}{len(self.bound)}"
            self.bound[label] = thing
        return label

    def temporary(self) -> str:
        """A variable of its own, so that nothing is computed, or written out, twice."""
        self._temporaries += 1
        return f"t{self._temporaries}"

    def counted(self, node: Call, least: int, most: int | None, shown: str) -> bool:
        """Has a call as many arguments as it takes? Notes the fault when it has not."""
        count = len(node.arguments)
        if least <= count and (most is None or count <= most):
            return True
        self.fault(node, miscounted(node.name, count, least, most, shown))
        return False

    def fault(self, node: Call | Method | Binary, text: str) -> ast.expr:
        """Notes a fault; gives something to go on with."""
        self._faults.append((node.column, text))
        return constant(None)

    # -- values -----------------------------------------------------------------------------

    def _written(self, node: Node) -> ast.expr:
        match node:
            case Literal(value):
                return constant(value)
            case Path(steps):
                return self.sources.read(steps)
            case Call():
                return self._call(node)
            case Method():
                return self._method(node)
            case Unary() | Binary() | Ternary():
                return self._operation(node)
            case Access(base, steps):
                return call("WALK", self.write_node(base), steps_tuple(steps))
            case Index(base, key):
                return call("CHILD", self.write_node(base), self.write_node(key))
        return self._collection(node)

    def _collection(self, node: ArrayOf | SetOf | ObjectOf) -> ast.expr:
        if isinstance(node, ObjectOf):
            return call("OBJECT", *(self.write_node(part) for part in children(node)))
        items = [self.write_node(item) for item in node.items]
        return (
            ast.List(items, ast.Load()) if isinstance(node, ArrayOf) else call("DISTINCT", *items)
        )

    # -- operators --------------------------------------------------------------------------

    def _operation(self, node: Unary | Binary | Ternary) -> ast.expr:
        match node:
            case Unary("not", operand):
                return inline.negated(self.condition(operand))
            case Unary(operator, operand):
                return call(self.bind("op", UNARY[operator]), self.write_node(operand))
            case Ternary(condition, then, other):
                return self.branch(condition, then, other)
            case Binary("and", left, right):
                return ast.BoolOp(ast.And(), [self.condition(left), self.condition(right)])
            case Binary("or", left, right):
                return ast.BoolOp(ast.Or(), [self.condition(left), self.condition(right)])
            case Binary("??", left, right):
                both = [self.write_node(left), self.write_node(right)]
                return inline.first_not_none(self, both)
            case Binary("?:", left, right):
                return self._elvis(left, right)
        return self._binary(node)

    def _elvis(self, left: Node, right: Node) -> ast.expr:
        return expression(
            "KEPT if TRUTHY(KEPT := VALUE) else OTHER",
            KEPT=self.temporary(),
            VALUE=self.write_node(left),
            OTHER=self.write_node(right),
        )

    def _binary(self, node: Binary) -> ast.expr:
        match node:
            case Binary("==" | "!=") if short := self._equality(node):
                return short
            case Binary("=~" | "!~", left, Literal(str() as regex)):
                found = inline.match(self, node, left, regex)
                return found if node.operator == "=~" else inline.negated(found)
        both = self.write_node(node.left), self.write_node(node.right)
        return call(self.bind("op", OPERATORS[node.operator]), *both)

    def _equality(self, node: Binary) -> ast.expr | None:
        """Comparing with null, or with a text that equals nothing but itself."""
        left, right = node.left, node.right
        if isinstance(left, Literal):
            left, right = right, left
        if not isinstance(right, Literal):
            return None
        equal = node.operator == "=="
        if right.value is None:
            absent = inline.is_none(self.write_node(left))
            return absent if equal else inline.negated(absent)
        if type(right.value) is not str or not is_plain(right.value):
            return None
        template = "VALUE == TEXT" if equal else "VALUE != TEXT"
        return expression(template, VALUE=self.write_node(left), TEXT=constant(right.value))

    # -- calls ------------------------------------------------------------------------------

    def _call(self, node: Call) -> ast.expr:
        written = inline.INLINE.get(node.name)
        if written is not None:
            return written(self, node)
        arguments = [self.write_node(argument) for argument in node.arguments]
        function = FUNCTIONS.get(node.name)
        given = 0
        if function is None and node.name in FUNCTIONS_OF_EVENT:
            function, given = FUNCTIONS_OF_EVENT[node.name], 1
            arguments.insert(0, name("occasion"))
            self.occasional = True
        if function is None:
            return self.fault(node, why_no_function(node.name))
        if not self.counted(node, *arity(function, given), signature(node.name, function, given)):
            return constant(None)
        return call(self.bind("f", function), *arguments)

    def _method(self, node: Method) -> ast.expr:
        arguments = [self.write_node(argument) for argument in (node.base, *node.arguments)]
        method = METHODS.get(node.name)
        if method is None:
            return self.fault(node, why_no_method(node.name))
        shown = f"value.{signature(node.name, method, 1)}"
        if not self.counted(Call(node.name, node.arguments, node.column), *arity(method, 1), shown):
            return constant(None)
        return call(self.bind("f", method), *arguments)


def is_plain(text: str) -> bool:
    """Is a text equal to nothing but itself: no number, no word for a boolean, no date?"""
    if text[:1].isdigit() or text in TRUE_WORDS or text in FALSE_WORDS:
        return False
    try:
        as_number(text)
    except RowFault:
        return True
    return False


def _object(*pairs: Value) -> dict[str, Value]:
    """`{key: value}`; a null key is left out, as in to_object."""
    names, values = pairs[::2], pairs[1::2]
    return {as_text(n): v for n, v in zip(names, values, strict=True) if n is not None}
