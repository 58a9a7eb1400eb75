"""From the tree of an expression back to its text: `parse_expression(show(node)) == node`.

For people (previews, differences between sets) and for tests: parentheses only where the grammar
needs them, one spelling for everything that has two.
"""

from __future__ import annotations

import re
from typing import Final

from app.core.dataprep.language.grammar import BINDING, UNARY
from app.core.dataprep.language.lexing import RESERVED
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

_CONDITIONAL: Final = 1
_ACCESS: Final = 12
_NON_CHAINING: Final = (BINDING["=="], BINDING["<"])
_WORDS: Final = frozenset({"not", "empty", "size"})

_PLAIN: Final = re.compile(r"(?:[^\W\d]|\$)[\w$]*")
_DOTTED: Final = re.compile(r"(?:[^\W\d]|\$)[\w$.]*\.[\w$.]*")
_ESCAPED: Final = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029]')
_ESCAPES: Final = {
    '"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f",
}  # fmt: skip


def show(node: Node) -> str:
    """The text of an expression, its operators in symbols but for `and`, `or` and `not`."""
    match node:
        case Literal(value):
            return _literal(value)
        case Path(steps):
            return _name(steps[0]) + _steps(steps[1:])
        case Call(name, arguments):
            return f"{name}({_list(arguments)})"
        case Access() | Index() | Method():
            return _access(node)
        case Unary(operator, operand):
            return _unary(operator, operand)
        case Binary() | Ternary():
            return _operation(node)
        case ArrayOf(items):
            return f"[{_list(items)}]"
    return _braces(node)


def _access(node: Access | Index | Method) -> str:
    match node:
        case Access(base, steps):
            return _base(base) + _steps(steps)
        case Index(base, key):
            return f"{_base(base)}[{show(key)}]"
        case Method(base, name, arguments):
            return f"{_within(base, _ACCESS)}.{name}({_list(arguments)})"


def _braces(node: SetOf | ObjectOf) -> str:
    if isinstance(node, SetOf):
        return f"{{{_list(node.items)}}}"
    pairs = [f"{_within(key, _CONDITIONAL + 1)}: {show(value)}" for key, value in node.entries]
    return f"{{{', '.join(pairs) or ':'}}}"


def show_string(text: str) -> str:
    """A string as an expression writes it, in double quotes."""
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}"


def _literal(value: str | int | float | bool | None) -> str:
    if isinstance(value, str):
        return show_string(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def _operation(node: Binary | Ternary) -> str:
    if isinstance(node, Ternary):
        condition = _within(node.condition, _CONDITIONAL + 1)
        return f"{condition} ? {show(node.then)} : {show(node.other)}"
    strength = BINDING[node.operator]
    if strength == _CONDITIONAL:
        return f"{_within(node.left, strength + 1)} {node.operator} {show(node.right)}"
    left = _within(node.left, strength + (strength in _NON_CHAINING))
    return f"{left} {node.operator} {_within(node.right, strength + 1)}"


def _unary(operator: str, operand: Node) -> str:
    sign = f"{operator} " if operator in _WORDS else operator
    shown = _within(operand, UNARY)
    if _is_number(operand) and operator in "+-" and shown[0] != "-":
        # Without parentheses the sign would be the number's own.
        return f"{sign}({shown})"
    if operator in ("empty", "size") and _starts_with_sign(operand):
        return f"{operator}({show(operand)})"
    return sign + shown


def _is_number(node: Node) -> bool:
    return isinstance(node, Literal) and type(node.value) in (int, float)


def _starts_with_sign(node: Node) -> bool:
    return isinstance(node, Unary) or (_is_number(node) and show(node)[0] == "-")


def _within(node: Node, loosest: int) -> str:
    """The text of a part where only operators that bind at least so tightly can stand."""
    return show(node) if _strength(node) >= loosest else f"({show(node)})"


def _strength(node: Node) -> int:
    match node:
        case Ternary():
            return _CONDITIONAL
        case Binary(operator, _, _):
            return BINDING[operator]
        case Unary():
            return UNARY
        case Literal() if _is_number(node) and show(node)[0] == "-":
            return UNARY
    return _ACCESS


def _base(node: Node) -> str:
    """What stands before an access: in parentheses a loop is taken as a whole."""
    loops = isinstance(node, Path | Access) and Each.EACH in node.steps
    return f"({show(node)})" if loops else _within(node, _ACCESS)


def _list(items: tuple[Node, ...]) -> str:
    return ", ".join(map(show, items))


def _steps(steps: tuple[Step, ...]) -> str:
    text = ""
    for step in steps:
        if isinstance(step, str):
            text += f".{_name(step)}" if step else '[""]'
        else:
            text += "[*]" if isinstance(step, Each) else f"[{step}]"
    return text


def _name(step: Step) -> str:
    name = str(step)
    if _PLAIN.fullmatch(name) and name not in RESERVED:
        return name
    if _DOTTED.fullmatch(name):
        return name.replace(".", "\\.")
    for character in "\\.}":
        name = name.replace(character, "\\" + character)
    return f"${{{name}}}"
