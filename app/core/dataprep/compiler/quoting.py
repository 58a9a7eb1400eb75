"""Fixed pieces of Python with holes: how the engine writes code, and the only way it may.

A template is a literal of the engine's own source. What comes from mapping files enters as
`ast.Constant` or as the name of a bound constant, never as text, so it cannot become code.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import Any, Final

Filling = ast.expr | str | list[ast.stmt]


def name(identifier: str) -> ast.expr:
    """A variable that the engine named."""
    return ast.Name(identifier, ast.Load())


def constant(value: str | int | float | bool | None) -> ast.expr:
    """A value of a mapping file."""
    return ast.Constant(value)


def call(function: str, *arguments: ast.expr) -> ast.expr:
    """A call of a bound function."""
    return ast.Call(name(function), list(arguments), [])


def statements(template: str, **holes: Filling) -> list[ast.stmt]:
    """A template's statements. Holes are names in capitals: for expressions, names or blocks."""
    return _Filler(holes).block(_parse(template).body)


def expression(template: str, **holes: Filling) -> ast.expr:
    """A template of one expression."""
    [statement] = _parse(template).body
    assert isinstance(statement, ast.Expr)
    filled: ast.expr = _Filler(holes).visit(statement.value)
    return filled


@lru_cache(maxsize=64)
def _parse(template: str) -> ast.Module:
    return ast.parse(template)


class _Filler:
    """Copies a template with its holes filled; the template itself stays as it was."""

    def __init__(self, holes: dict[str, Filling]) -> None:
        self._holes: Final = holes

    def block(self, body: list[Any]) -> list[Any]:
        copied: list[Any] = []
        for item in body:
            if isinstance(item, ast.Expr) and isinstance(item.value, ast.Name):
                filling = self._holes.get(item.value.id)
                if isinstance(filling, list):
                    copied.extend(filling)
                    continue
            copied.append(self.visit(item))
        return copied

    def visit(self, node: Any) -> Any:
        if isinstance(node, ast.Name) and node.id in self._holes:
            filling = self._holes[node.id]
            return ast.Name(filling, node.ctx) if isinstance(filling, str) else filling
        if not isinstance(node, ast.AST):
            return node
        fields = {}
        for field, value in ast.iter_fields(node):
            fields[field] = self.block(value) if isinstance(value, list) else self.visit(value)
        return type(node)(**fields)
