"""One calculated field: its text read into a function of the event (section 4.3).

Literals, paths, calls, methods, indexes, `*`, `==` and `and or not` are written in Python as they
are in Data Prep: so Python's parser reads them. Whatever else there is is `Unread`.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from app.sandbox.dataprep.reading.functions import FUNCTIONS, MOMENT, number, text

Computed = Callable[[dict[str, Any]], Any]

_TOKEN: Final = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\$\{([^}]*)\}|([^\W\d]\w*)""")
_ESCAPES: Final = re.compile(r"""(?:[^\\]|\\[\\"'])*""")
_WORDS: Final = {
    "null": "None", "true": "True", "false": "False", "eq": "==", "ne": "!=",
    "and": "and", "or": "or", "not": "not",
}  # fmt: skip
# To be wrapped in ${} where they are names.
_RESERVED: Final = frozenset(
    ("new", "mod", "break", "var", "lt", "for", "while", "gt", "div", "continue", "else", "le",
     "if", "ge", "return", "_errors")
)  # fmt: skip


class Unread(Exception):
    """Beyond this reading."""


def read(source: str) -> Computed:
    """Raises Unread."""
    names: dict[str, str] = {}

    def python(found: re.Match[str]) -> str:
        quoted, wrapped, name = found.groups()
        if name in _RESERVED or (quoted and not _ESCAPES.fullmatch(quoted)):
            raise Unread(source)
        if name in _WORDS:
            return _WORDS[name]
        if quoted or (name and not keyword.iskeyword(name)):
            return found[0]
        names[mangled := f"name_{len(names)}__"] = wrapped or name
        return mangled

    try:
        return _Reader(names).read(ast.parse(_TOKEN.sub(python, source).strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError):
        raise Unread(source) from None


def child(value: Any, name: str) -> Any:
    """What lies one step below; None where nothing does."""
    return value.get(name) if isinstance(value, dict) else None


class _Reader:
    """`names`: those that Python would not take, by what stands for them."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def read(self, node: ast.expr) -> Computed:
        match node:
            case ast.Constant(value):
                return lambda _: value
            case ast.Name(name):
                return lambda event: event.get(self._names.get(name, name))
            case ast.Attribute(base, name):
                above = self.read(base)
                return lambda event: child(above(event), self._names.get(name, name))
            case ast.Subscript(base, ast.Constant(int() as index)):
                items = self.read(base)
                return lambda event: dict(enumerate(items(event) or ())).get(index)
            case ast.Call(ast.Name(name), arguments, []):
                return self._call(name, arguments)
            case ast.Call(ast.Attribute(base, name), arguments, []):
                return self._call(name, [base, *arguments])
        return self._operator(node)

    def _operator(self, node: ast.expr) -> Computed:
        match node:
            case ast.BoolOp(op, values):
                parts = [self.read(value) for value in values]
                joined = any if isinstance(op, ast.Or) else all
                return lambda event: joined(part(event) for part in parts)
            # `not a == b` is read otherwise by JEXL, which binds `not` to `a`.
            case ast.UnaryOp(ast.Not(), ast.Call() as operand):
                part = self.read(operand)
                return lambda event: not part(event)
            case ast.BinOp(left, ast.Mult(), right):
                one, two = self.read(left), self.read(right)
                return lambda event: _times(number(one(event)), number(two(event)))
            case ast.Compare(left, [ast.Eq() | ast.NotEq() as op], [right]):
                one, two, wanted = self.read(left), self.read(right), isinstance(op, ast.Eq)
                return lambda event: _equal(one(event), two(event)) is wanted
        raise Unread(ast.dump(node)[:80])

    def _call(self, name: str, arguments: list[ast.expr]) -> Computed:
        if name == "contains_key":
            return self._contains_key(arguments)
        parts = [self.read(argument) for argument in arguments]
        if name == "iif" and len(parts) == 3:  # the other side is not computed
            return lambda event: parts[1 if parts[0](event) else 2](event)
        other_date = name == "dformat" and getattr(arguments[-1], "value", None) != MOMENT
        if name not in FUNCTIONS or other_date:
            raise Unread(name)
        return lambda event: FUNCTIONS[name](*[part(event) for part in parts])

    def _contains_key(self, arguments: list[ast.expr]) -> Computed:
        match arguments:
            case [ast.Attribute(base, name)]:
                above = self.read(base)
                return lambda event: self._names.get(name, name) in (above(event) or ())
        raise Unread("contains_key")


def _times(one: float | None, two: float | None) -> float | None:
    return None if one is None or two is None else one * two


def _equal(one: Any, two: Any) -> bool:
    """Null equals null alone; of two kinds the texts are compared (judgement)."""
    if one is None or two is None or isinstance(one, str) == isinstance(two, str):
        return bool(one == two)
    return text(one) == text(two)
