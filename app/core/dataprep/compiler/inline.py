"""Functions that are not called but written out: they read their arguments only as far as needed,
or know more at compile time than a call could.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from app.core.dataprep.compiler.quoting import call, constant, expression, name
from app.core.dataprep.compiler.sources import Sources
from app.core.dataprep.functions import FUNCTIONS
from app.core.dataprep.functions.strings import matcher
from app.core.dataprep.language.grammar import path_in
from app.core.dataprep.language.paths import PathInvalid
from app.core.dataprep.language.syntax import Call, Literal, Node, Path
from app.core.dataprep.values import RowFault, Value, as_text


class Writer(Protocol):
    """What these need of the writer of expressions."""

    sources: Sources

    def write_node(self, node: Node) -> ast.expr: ...
    def branch(self, condition: Node, then: Node, other: Node) -> ast.expr: ...
    def bind(self, prefix: str, thing: Any) -> str: ...
    def temporary(self) -> str: ...
    def counted(self, node: Call, least: int, most: int | None) -> bool: ...
    def fault(self, node: Call, text: str) -> ast.expr: ...


def iif(writer: Writer, node: Call) -> ast.expr:
    """`iif(condition, a, b)`: only the chosen side is computed. A null condition is false."""
    if not writer.counted(node, 3, 3):
        return constant(None)
    condition, then, other = node.arguments
    return writer.branch(condition, then, other)


def nullify(writer: Writer, node: Call) -> ast.expr:
    """`nullify()`: null, that is, the destination stays out."""
    writer.counted(node, 0, 0)
    return constant(None)


def contains_key(writer: Writer, node: Call) -> ast.expr:
    """`contains_key(path)`: is it in the source? A null there counts as there (judgement).

    The path is written plainly or as a string, both are seen in Adobe's examples.
    """
    if not writer.counted(node, 1, 1):
        return constant(None)
    [argument] = node.arguments
    if isinstance(argument, Literal) and isinstance(argument.value, str):
        try:
            argument = path_in(argument.value)
        except PathInvalid as fault:
            return writer.fault(node, f"contains_key(): {fault}")
    if not isinstance(argument, Path):
        return expression("VALUE is not None", VALUE=writer.write_node(argument))
    return writer.sources.exists(argument.steps)


def concat(writer: Writer, node: Call) -> ast.expr:
    """`concat(s…)`: of one part besides "" only its text, the usual way to make a text."""
    parts = [part for part in node.arguments if part != Literal("")]
    if len(parts) == 1:
        return call(writer.bind("f", as_text), writer.write_node(parts[0]))
    return call(writer.bind("f", FUNCTIONS["concat"]), *map(writer.write_node, parts))


def matches_regex(writer: Writer, node: Call) -> ast.expr:
    """`matches_regex(s, re)`: an expression that stands there as text is read only once."""
    if not writer.counted(node, 2, 2):
        return constant(None)
    text, regex = node.arguments
    if not isinstance(regex, Literal):
        both = (writer.write_node(text), writer.write_node(regex))
        return call(writer.bind("f", FUNCTIONS["matches_regex"]), *both)
    try:
        matches = matcher(as_text(regex.value))
    except RowFault as fault:
        return writer.fault(node, str(fault))
    label = writer.bind("matches", matches)
    return call(label, writer.write_node(text))


def to_object(writer: Writer, node: Call) -> ast.expr:
    """`to_object(k,v…)`: with constant keys a plain dict."""
    names, values = node.arguments[::2], node.arguments[1::2]
    if len(names) != len(values):
        return writer.fault(node, "to_object() takes keys and values in pairs")
    if not all(isinstance(key, Literal) and type(key.value) is str for key in names):
        both = map(writer.write_node, node.arguments)
        return call(writer.bind("f", FUNCTIONS["to_object"]), *both)
    return ast.Dict(list(map(writer.write_node, names)), list(map(writer.write_node, values)))


def to_array(writer: Writer, node: Call) -> ast.expr:
    """`to_array(false, v…)`: of values that are never null a plain list."""
    if not writer.counted(node, 1, None):
        return constant(None)
    written = [writer.write_node(argument) for argument in node.arguments]
    if all(isinstance(item, ast.Dict) for item in written[1:]):
        return ast.List(written[1:], ast.Load())
    return call(writer.bind("f", FUNCTIONS["to_array"]), *written)


def coalesce(writer: Writer, node: Call) -> ast.expr:
    """`coalesce(a…)`: the first that is not null; the rest is not computed."""
    if not writer.counted(node, 1, None):
        return constant(None)
    written = writer.write_node(node.arguments[-1])
    for argument in reversed(node.arguments[:-1]):
        written = _unless_none(writer, writer.write_node(argument), written)
    return written


def _unless_none(writer: Writer, value: ast.expr, other: ast.expr) -> ast.expr:
    return expression(
        "KEPT if (KEPT := VALUE) is not None else OTHER",
        KEPT=writer.temporary(),
        VALUE=value,
        OTHER=other,
    )


def decode(writer: Writer, node: Call) -> ast.expr:
    """`decode(key, k1, v1, …, default?)`: the value beside the first equal key, else default.

    A null key finds nothing. Constant keys and values are one look-up in a table.
    """
    if not writer.counted(node, 3, None):
        return constant(None)
    first, *rest = node.arguments
    key = writer.write_node(first)
    default = writer.write_node(rest.pop()) if len(rest) % 2 else constant(None)
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    table = _table(pairs)
    if table is not None:
        label = writer.bind("table", table)
        return _unless_none(writer, call("LOOKUP", name(label), key), default)
    kept = writer.temporary()
    written = default
    for position, (candidate, value) in reversed(list(enumerate(pairs))):
        asked = name(kept) if position else expression("(KEPT := KEY)", KEPT=kept, KEY=key)
        equality = call("EQUAL", asked, writer.write_node(candidate))
        written = ast.IfExp(equality, writer.write_node(value), written)
    return written


def _table(pairs: list[tuple[Node, Node]]) -> dict[str, Value] | None:
    table: dict[str, Value] = {}
    for key, value in pairs:
        if not isinstance(key, Literal) or not isinstance(value, Literal):
            return None
        if key.value is None or value.value is None:
            return None
        table.setdefault(as_text(key.value), value.value)
    return table


def lookup(table: dict[str, Value], key: Value) -> Value:
    """The value beside a key in a constant table; at run time."""
    if type(key) is str:
        return table.get(key)
    return None if key is None or isinstance(key, dict | list) else table.get(as_text(key))


INLINE: Final[Mapping[str, Callable[[Writer, Call], ast.expr]]] = {
    "iif": iif,
    "decode": decode,
    "coalesce": coalesce,
    "concat": concat,
    "matches_regex": matches_regex,
    "to_object": to_object,
    "to_array": to_array,
    "contains_key": contains_key,
    "is_set": contains_key,
    "nullify": nullify,
}
