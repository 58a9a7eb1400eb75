"""Functions that are not called but written out: they read their arguments only as far as needed,
or know more at compile time than a call could.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from app.core.dataprep.compiler.kinds import TEXT, TEXT_OR_NONE, kinds_of
from app.core.dataprep.compiler.quoting import call, constant, expression, name
from app.core.dataprep.compiler.sources import Sources
from app.core.dataprep.functions import FUNCTIONS
from app.core.dataprep.functions.regexes import matcher
from app.core.dataprep.language.paths import PathInvalid, path_in
from app.core.dataprep.language.syntax import Binary, Call, Literal, Node, Path
from app.core.dataprep.values import RowFault, Value, as_text


class Writer(Protocol):
    """What these need of the writer of expressions."""

    sources: Sources

    def write_node(self, node: Node) -> ast.expr: ...
    def branch(self, condition: Node, then: Node, other: Node) -> ast.expr: ...
    def bind(self, prefix: str, thing: Any) -> str: ...
    def temporary(self) -> str: ...
    def counted(self, node: Call, least: int, most: int | None, shown: str) -> bool: ...
    def fault(self, node: Call | Binary, text: str) -> ast.expr: ...


def iif(writer: Writer, node: Call) -> ast.expr:
    """`iif(condition, a, b)`: only the chosen side is computed. A null condition is false."""
    if not writer.counted(node, 3, 3, "iif(condition, a, b)"):
        return constant(None)
    condition, then, other = node.arguments
    return writer.branch(condition, then, other)


def nullify(writer: Writer, node: Call) -> ast.expr:
    """`nullify()`: null, that is, the destination stays out."""
    writer.counted(node, 0, 0, "nullify()")
    return constant(None)


def is_none(value: ast.expr) -> ast.expr:
    """Is a value None? Of a constant it is known; Python warns where one asks."""
    if isinstance(value, ast.Constant):
        return constant(value.value is None)
    return expression("VALUE is None", VALUE=value)


def negated(value: ast.expr) -> ast.expr:
    """`not value`."""
    return ast.UnaryOp(ast.Not(), value)


def contains_key(writer: Writer, node: Call) -> ast.expr:
    """`contains_key(path)`: is it in the source? A null there counts as there (judgement).

    The path is written plainly or as a string, both are seen in Adobe's examples.
    """
    if not writer.counted(node, 1, 1, f"{node.name}(path)"):
        return constant(None)
    [argument] = node.arguments
    if isinstance(argument, Literal) and isinstance(argument.value, str):
        try:
            argument = path_in(argument.value)
        except PathInvalid as fault:
            return writer.fault(node, f"{node.name}(): {fault}")
    if not isinstance(argument, Path):
        return negated(is_none(writer.write_node(argument)))
    return writer.sources.exists(argument.steps)


def is_empty(writer: Writer, node: Call) -> ast.expr:
    """`is_empty(x)`: of what is a text or null at most, and for null, without a call."""
    if not writer.counted(node, 1, 1, "is_empty(object)"):
        return constant(None)
    kinds = kinds_of(node.arguments[0])
    value = writer.write_node(node.arguments[0])
    if kinds is not None and kinds <= TEXT_OR_NONE:
        return negated(value)
    asked = call(writer.bind("f", FUNCTIONS["is_empty"]), value)
    if isinstance(value, ast.Name):
        return expression("VALUE is None or ASKED", VALUE=value, ASKED=asked)
    return asked


def concat(writer: Writer, node: Call) -> ast.expr:
    """`concat(s...)`: of one part besides constants only the text of that part is asked for."""
    parts = [part for part in node.arguments if not _is_nothing(part)]
    open_parts = [part for part in parts if not isinstance(part, Literal)]
    if len(open_parts) != 1:
        return call(writer.bind("f", FUNCTIONS["concat"]), *map(writer.write_node, parts))
    shown = [
        ast.FormattedValue(_text(writer, part), -1)
        if part is open_parts[0]
        else constant(as_text(part.value if isinstance(part, Literal) else None))
        for part in parts
    ]
    if len(shown) == 1 and isinstance(shown[0], ast.FormattedValue):
        return shown[0].value
    return ast.JoinedStr(list(shown))


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Literal) and (node.value is None or node.value == "")


def _text(writer: Writer, node: Node) -> ast.expr:
    """The text of a value."""
    value = writer.write_node(node)
    if kinds_of(node) == TEXT:
        return value
    texted = call(writer.bind("f", as_text), value)
    if isinstance(value, ast.Name):
        return expression("VALUE if type(VALUE) is str else TEXT", VALUE=value, TEXT=texted)
    return texted


def matches_regex(writer: Writer, node: Call) -> ast.expr:
    """`matches_regex(s, re)`: an expression that stands there as text is read only once."""
    if not writer.counted(node, 2, 2, "matches_regex(text, regex)"):
        return constant(None)
    text, regex = node.arguments
    if not isinstance(regex, Literal) or regex.value is None:
        both = (writer.write_node(text), writer.write_node(regex))
        return call(writer.bind("f", FUNCTIONS["matches_regex"]), *both)
    return match(writer, node, text, as_text(regex.value))


def match(writer: Writer, node: Call | Binary, text: Node, regex: str) -> ast.expr:
    """Does a text match a regular expression that is known?"""
    try:
        label = writer.bind("matches", matcher(regex))
    except RowFault as fault:
        return writer.fault(node, str(fault))
    return call(label, writer.write_node(text))


def to_object(writer: Writer, node: Call) -> ast.expr:
    """`to_object(k, v...)`: with constant keys a plain dict."""
    names, values = node.arguments[::2], node.arguments[1::2]
    if len(names) != len(values):
        return writer.fault(node, f"{node.name}() takes keys and values in pairs")
    if not all(isinstance(key, Literal) and type(key.value) is str for key in names):
        both = map(writer.write_node, node.arguments)
        return call(writer.bind("f", FUNCTIONS[node.name]), *both)
    return ast.Dict(list(map(writer.write_node, names)), list(map(writer.write_node, values)))


def to_array(writer: Writer, node: Call) -> ast.expr:
    """`to_array(false, v...)`: of values that are never null a plain list."""
    if not writer.counted(node, 1, None, "to_array(include_nulls, values...)"):
        return constant(None)
    written = [writer.write_node(argument) for argument in node.arguments]
    if all(isinstance(item, ast.Dict) for item in written[1:]):
        return ast.List(written[1:], ast.Load())
    return call(writer.bind("f", FUNCTIONS["to_array"]), *written)


def coalesce(writer: Writer, node: Call) -> ast.expr:
    """`coalesce(a...)`: the first that is not null; the rest is not computed."""
    if not writer.counted(node, 1, None, "coalesce(values...)"):
        return constant(None)
    return first_not_none(writer, [writer.write_node(argument) for argument in node.arguments])


def first_not_none(writer: Writer, values: list[ast.expr]) -> ast.expr:
    """The first value that is not None; flat, for there may be hundreds."""
    *others, last = values
    if not others:
        return last
    kept = writer.temporary()
    tests = [expression("(KEPT := VALUE) is not None", KEPT=kept, VALUE=v) for v in others]
    found = tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)
    return ast.IfExp(found, name(kept), last)


def decode(writer: Writer, node: Call) -> ast.expr:
    """`decode(key, k1, v1, ..., default?)`: the value beside the first equal key, else default.

    Keys are compared as texts; a null key finds nothing (judgement). Constant keys and values are
    one look-up in a table.
    """
    if not writer.counted(node, 3, None, "decode(key, key1, value1, ..., default?)"):
        return constant(None)
    first, *rest = node.arguments
    key = writer.write_node(first)
    default = writer.write_node(rest.pop()) if len(rest) % 2 else constant(None)
    pairs = list(zip(rest[::2], rest[1::2], strict=True))
    table = _table(pairs)
    if table is None:
        return _compared(writer, key, pairs, default)
    kinds = kinds_of(first)
    if kinds is not None and kinds <= TEXT_OR_NONE:
        found = call(writer.bind("find", table.get), key)
    else:
        found = call("LOOKUP", name(writer.bind("table", table)), key)
    has_default = not isinstance(default, ast.Constant) or default.value is not None
    return first_not_none(writer, [found, default]) if has_default else found


def _compared(
    writer: Writer, key: ast.expr, pairs: list[tuple[Node, Node]], default: ast.expr
) -> ast.expr:
    """One comparison after the other; flat, for there may be hundreds."""
    asked, kept = writer.temporary(), writer.temporary()
    tests: list[ast.expr] = [
        # A list of one item is true whatever the item is.
        expression(
            "BESIDE(ASKED, CANDIDATE) and [(KEPT := VALUE)]",
            ASKED=asked if position else expression("(ASKED := KEY)", ASKED=asked, KEY=key),
            CANDIDATE=writer.write_node(candidate),
            KEPT=kept,
            VALUE=writer.write_node(value),
        )
        for position, (candidate, value) in enumerate(pairs)
    ]
    found = tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), tests)
    return ast.IfExp(found, name(kept), default)


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


def is_beside(key: Value, candidate: Value) -> bool:
    """Are a key and a candidate the same text? At run time; objects and arrays have none."""
    if key is None or candidate is None:
        return False
    if isinstance(key, dict | list) or isinstance(candidate, dict | list):
        return False
    return as_text(key) == as_text(candidate)


INLINE: Final[Mapping[str, Callable[[Writer, Call], ast.expr]]] = {
    "iif": iif,
    "decode": decode,
    "coalesce": coalesce,
    "concat": concat,
    "matches_regex": matches_regex,
    "to_object": to_object,
    "to_map": to_object,
    "to_array": to_array,
    "contains_key": contains_key,
    "is_set": contains_key,
    "is_empty": is_empty,
    "nullify": nullify,
}
