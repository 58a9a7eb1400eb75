"""From the tree of an expression to the Python expression that computes it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from app.core.dataprep.compiler.inline import INLINE, lookup
from app.core.dataprep.compiler.quoting import call, constant, expression, statements
from app.core.dataprep.compiler.sources import Sources, spread, steps_tuple, walk
from app.core.dataprep.functions import BOOLEAN as BOOLEAN_FUNCTIONS
from app.core.dataprep.functions import FUNCTIONS, REFUSED, arity
from app.core.dataprep.language.operators import BOOLEAN as BOOLEAN_OPERATORS
from app.core.dataprep.language.operators import OPERATORS, equal, negate
from app.core.dataprep.language.syntax import (
    Access,
    ArrayOf,
    Binary,
    Call,
    Each,
    Literal,
    Method,
    Node,
    ObjectOf,
    Path,
    Ternary,
    Unary,
    children,
)
from app.core.dataprep.values import Value, as_text, truthy


class CannotCompile(ValueError):
    """An expression that reads well but cannot be computed. All of its faults, one line each."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


class Expressions:
    """Writes expressions over shared sources. `bound`: what the written names stand for."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._faults: list[str] = []
        self._temporaries = 0
        self._repeated: dict[Node, str] = {}
        self.bound: dict[str, Any] = {
            "SPREAD": spread, "WALK": walk, "EACH": Each.EACH, "TRUTHY": truthy,
            "NEGATE": negate, "OBJECT": _object, "LOOKUP": lookup, "EQUAL": equal,
        }  # fmt: skip

    def share(self, nodes: Iterable[Node]) -> list[ast.stmt]:
        """Notes what several expressions have in common, so that an event computes it once.

        Gives the statements that forget the results of the event before. A result is made where it
        is first needed; one that fails is tried, and fails, again where it is needed next.
        """
        counts: Counter[Node] = Counter()
        waiting = list(nodes)
        while waiting:
            node = waiting.pop()
            counts[node] += 1
            if counts[node] == 1:
                waiting += children(node)
        shared = [n for n, count in counts.items() if count > 1 and not _is_cheap(n)]
        self._repeated = {node: f"shared{number}" for number, node in enumerate(shared)}
        self.bound["UNKNOWN"] = _UNKNOWN
        return [
            statement
            for local in self._repeated.values()
            for statement in statements("LOCAL = UNKNOWN", LOCAL=local)
        ]

    def write(self, node: Node) -> ast.expr:
        """The expression of a tree. Raises CannotCompile with every fault in it."""
        self._faults = []
        written = self.write_node(node)
        if self._faults:
            raise CannotCompile(self._faults)
        return written

    def write_node(self, node: Node) -> ast.expr:
        shared = self._repeated.get(node)
        if shared is None:
            return self._written(node)
        return expression(
            "LOCAL if LOCAL is not UNKNOWN else (LOCAL := VALUE)",
            LOCAL=shared,
            VALUE=self._written(node),
        )

    def _written(self, node: Node) -> ast.expr:
        match node:
            case Literal(value):
                return constant(value)
            case Path(steps):
                return self.sources.read(steps)
            case Access(base, steps):
                return call("WALK", self.write_node(base), steps_tuple(steps))
            case Call():
                return self._call(node)
            case Method(base, method, arguments, column):
                return self._call(Call(method, (base, *arguments), column))
            case Unary() | Binary() | Ternary():
                return self._operation(node)
            case ArrayOf(items):
                return ast.List([self.write_node(item) for item in items], ast.Load())
            case ObjectOf(entries):
                pairs = [self.write_node(item) for entry in entries for item in entry]
                return call("OBJECT", *pairs)

    def _operation(self, node: Unary | Binary | Ternary) -> ast.expr:
        match node:
            case Unary("not", operand):
                return expression("not VALUE", VALUE=self._condition(operand))
            case Unary(_, operand):
                return call("NEGATE", self.write_node(operand))
            case Binary("and" | "or" as word, left, right):
                operator = ast.And() if word == "and" else ast.Or()
                return ast.BoolOp(operator, [self._condition(left), self._condition(right)])
            case Binary(operator, left, right):
                if operator in ("==", "!=") and (short := self._equality(operator, left, right)):
                    return short
                return call(
                    self.bind("op", OPERATORS[operator]),
                    self.write_node(left),
                    self.write_node(right),
                )
            case Ternary(condition, then, other):
                return self.branch(condition, then, other)

    def _equality(self, operator: str, left: Node, right: Node) -> ast.expr | None:
        """Comparing with a text that could be no number or boolean needs no conversion."""
        if isinstance(left, Literal):
            left, right = right, left
        text = right.value if isinstance(right, Literal) else None
        if type(text) is not str or not plain(text):
            return None
        template = "VALUE == TEXT" if operator == "==" else "VALUE != TEXT"
        return expression(template, VALUE=self.write_node(left), TEXT=constant(text))

    def _condition(self, node: Node) -> ast.expr:
        """An expression that is True or False."""
        match node:
            case Literal(bool()) | Unary("not", _):
                return self.write_node(node)
            case Binary(operator, _, _) if operator in BOOLEAN_OPERATORS:
                return self.write_node(node)
            case Call(function, _) | Method(_, function, _) if function in BOOLEAN_FUNCTIONS:
                return self.write_node(node)
        return call("TRUTHY", self.write_node(node))

    def branch(self, condition: Node, then: Node, other: Node) -> ast.expr:
        return ast.IfExp(self._condition(condition), self.write_node(then), self.write_node(other))

    def bind(self, prefix: str, thing: Any) -> str:
        """A name for a constant; the same thing gets the same name."""
        for known, bound in self.bound.items():
            if bound is thing:
                return known
        label = f"{prefix}{len(self.bound)}"
        self.bound[label] = thing
        return label

    # -- calls ------------------------------------------------------------------------------

    def _call(self, node: Call) -> ast.expr:
        inline = INLINE.get(node.name)
        if inline is not None:
            return inline(self, node)
        arguments = [self.write_node(argument) for argument in node.arguments]
        function = FUNCTIONS.get(node.name)
        if function is None:
            return self.fault(node, self._why_unknown(node.name))
        least, most = arity(function)
        if not self.counted(node, least, most):
            return constant(None)
        return call(self.bind("f", function), *arguments)

    def _why_unknown(self, function: str) -> str:
        if function in REFUSED:
            return f"{function}() cannot be used here: {REFUSED[function]}"
        if function.startswith("aa_get_"):
            return f"{function}() is only for Adobe Analytics and Web SDK sources"
        if function.startswith("ua_"):
            return f"{function}() is not built yet"
        return f"there is no function {function}()"

    def temporary(self) -> str:
        """A variable of its own, so that nothing is computed, or written out, twice."""
        self._temporaries += 1
        return f"t{self._temporaries}"

    def counted(self, node: Call, least: int, most: int | None) -> bool:
        count = len(node.arguments)
        if least <= count and (most is None or count <= most):
            return True
        wanted = (
            f"{least}" if least == most else f"{least} to {most}" if most else f"{least} or more"
        )
        self.fault(node, f"{node.name}() takes {wanted} arguments, not {count}")
        return False

    def fault(self, node: Call, text: str) -> ast.expr:
        self._faults.append(f"{text} (character {node.column})")
        return constant(None)


# Stands for a shared result that this event has not needed yet.
_UNKNOWN: Final = object()


def _is_cheap(node: Node) -> bool:
    """Is looking it up again as cheap as remembering it?"""
    if isinstance(node, Call):
        return node.name in ("contains_key", "nullify") or all(
            isinstance(argument, Literal) for argument in node.arguments
        )
    return not isinstance(node, Method | Binary | Ternary)


def plain(text: str) -> bool:
    """Is a text nothing that a number or boolean could equal after conversion?"""
    return not text[:1].isdigit() and text[:1] not in "+-.nNiI" and text not in ("true", "false")


def _object(*pairs: Value) -> dict[str, Value]:
    return dict(zip(map(as_text, pairs[::2]), pairs[1::2], strict=True))
