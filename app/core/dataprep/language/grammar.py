"""From the text of a calculated field to its tree (platform.md section 4.3).

The documented grammar is a list of examples; precedence is that of Commons JEXL, its ancestor:
ternary, or, and, |, ^, &, equality, relation, sum, product, unary, access.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, UnexpectedToken

from app.core.dataprep.language.paths import MAX_INDEX, PathInvalid, parse_path, split_names
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
    Step,
    Ternary,
    Unary,
    children,
)

# A calculated field is at most 4,096 characters (platform.md section 4.3).
MAX_CHARACTERS: Final = 4096

# Deeper nesting than people write; it also keeps the generated code below Python's own limits.
MAX_DEPTH: Final = 150

# fmt: off
RESERVED: Final = frozenset({
    "new", "mod", "or", "break", "var", "lt", "for", "false", "while", "eq", "gt", "div", "not",
    "null", "continue", "else", "and", "ne", "true", "le", "if", "ge", "return", "_errors",
})
# fmt: on

_GRAMMAR: Final = r"""
?start: ternary
?ternary: either | either "?" ternary ":" ternary -> choose
?either: both | either ("||" | "or") both -> disjunction
?both: bit_or | both ("&&" | "and") bit_or -> conjunction
?bit_or: bit_xor | bit_or BIT_OR bit_xor -> binary
?bit_xor: bit_and | bit_xor BIT_XOR bit_and -> binary
?bit_and: equality | bit_and BIT_AND equality -> binary
?equality: relation | equality EQUALITY relation -> binary
?relation: sum | relation RELATION sum -> binary
?sum: product | sum (PLUS | MINUS) product -> binary
?product: unary | product PRODUCT unary -> binary
?unary: postfix | ("!" | "not") unary -> negation | MINUS unary -> minus | "+" unary -> plus
?postfix: primary
    | postfix "." name -> member
    | postfix "." NAME "(" arguments ")" -> method
    | postfix "[" INTEGER "]" -> element
    | postfix "[" "*" "]" -> every
    | postfix "[" string "]" -> keyed
?primary: NAME "(" arguments ")" -> call
    | name -> root
    | string -> text
    | (FLOAT | INTEGER) -> number
    | "true" -> true | "false" -> false | "null" -> null
    | "[" arguments "]" -> array
    | "{" [entry ("," entry)*] "}" -> object
    | "(" ternary ")"
entry: ternary ":" ternary
arguments: [ternary ("," ternary)*]
name: NAME | ODD_NAME
string: STRING
ODD_NAME.3: /\$\{[^}]*\}/
NAME: /(?:[^\W\d]|\$|\\.)(?:[\w$]|\\.)*/
STRING: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/s
FLOAT.2: /\d+\.\d+(?:[eE][+-]?\d+)?[dDfF]?|\d+[eE][+-]?\d+|\d+[dDfF]\b/
INTEGER: /\d+[lL]?/
EQUALITY: "==" | "!=" | "eq" | "ne"
RELATION: "<=" | ">=" | "<" | ">" | "lt" | "le" | "gt" | "ge"
PRODUCT: "*" | "/" | "%" | "div" | "mod"
PLUS: "+"
MINUS: "-"
BIT_OR: "|"
BIT_XOR: "^"
BIT_AND: "&"
%ignore /\s+/
"""

_SYMBOL_OF: Final = {
    "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "div": "/", "mod": "%",
}  # fmt: skip

_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class ExpressionInvalid(ValueError):
    """The text is no expression. `column` counts characters from 1."""

    def __init__(self, message: str, column: int) -> None:
        self.column = column
        super().__init__(f"{message} (character {column})")


def parse_expression(text: str) -> Node:
    """The tree of an expression. Raises ExpressionInvalid."""
    if len(text) > MAX_CHARACTERS:
        raise ExpressionInvalid(f"longer than {MAX_CHARACTERS} characters", MAX_CHARACTERS)
    try:
        return cast(Node, _parser().parse(text))
    except UnexpectedInput as fault:
        raise _unexpected(text, fault) from None


def _unexpected(text: str, fault: UnexpectedInput) -> ExpressionInvalid:
    at = fault.pos_in_stream
    ended = isinstance(fault, UnexpectedToken) and fault.token.type == "$END"
    if ended or at is None or at >= len(text):
        return ExpressionInvalid("the expression ends too early", len(text) + 1)
    word = re.match(r"\w+", text[at:])
    return ExpressionInvalid(f"unexpected {(word[0] if word else text[at])[:40]!r}", at + 1)


@cache
def _parser() -> Lark:
    """Built once a process: the tables are the same for every expression."""
    return Lark(_GRAMMAR, parser="lalr", transformer=_Builder(), maybe_placeholders=False)


def _name(token: Token) -> Token:
    if token in RESERVED:
        raise ExpressionInvalid(
            f"{str(token)!r} is a reserved word, write ${{{token}}}", (token.start_pos or 0) + 1
        )
    return token


def _depth(node: Node) -> int:
    """Nesting of a node; it was measured at every level, so it is bounded by MAX_DEPTH + 1."""
    return 1 + max(map(_depth, children(node)), default=0)


@v_args(inline=True)
class _Builder(Transformer[Token, Node]):
    """Turns lark's reductions into our nodes as they happen."""

    def name(self, token: Token) -> tuple[str, ...]:
        try:
            return split_names(_name(token))
        except PathInvalid as fault:
            raise ExpressionInvalid(str(fault), (token.start_pos or 0) + 1) from None

    def root(self, names: tuple[str, ...]) -> Node:
        return Path(names)

    def member(self, base: Node, names: tuple[str, ...]) -> Node:
        for name in names:
            base = _step(base, name)
        return base

    def element(self, base: Node, index: Token) -> Node:
        if len(index) > 6 or int(index) > MAX_INDEX:
            raise ExpressionInvalid(f"an index over {MAX_INDEX}", (index.start_pos or 0) + 1)
        return _step(base, int(index))

    def every(self, base: Node) -> Node:
        return _step(base, Each.EACH)

    def keyed(self, base: Node, key: str) -> Node:
        return _step(base, key)

    def string(self, token: Token) -> str:
        return re.sub(r"\\(.)", _unescape, _unescape_unicode(token[1:-1]), flags=re.DOTALL)

    def text(self, text: str) -> Node:
        return Literal(text)

    def number(self, token: Token) -> Node:
        digits = token.rstrip("lLdDfF")
        if len(digits) > 300:
            raise ExpressionInvalid("a number too long", (token.start_pos or 0) + 1)
        return Literal(int(digits) if token.type == "INTEGER" else float(digits))

    def true(self) -> Node:
        return Literal(True)

    def false(self) -> Node:
        return Literal(False)

    def null(self) -> Node:
        return Literal(None)

    def arguments(self, *items: Node) -> tuple[Node, ...]:
        return items

    def entry(self, key: Node, value: Node) -> tuple[Node, Node]:
        return (key, value)

    def call(self, name: Token, arguments: tuple[Node, ...]) -> Node:
        return _shallow(Call(str(name), arguments, (name.start_pos or 0) + 1))

    def method(self, base: Node, name: Token, arguments: tuple[Node, ...]) -> Node:
        return _shallow(Method(base, str(name), arguments, (name.start_pos or 0) + 1))

    def array(self, items: tuple[Node, ...]) -> Node:
        return _shallow(ArrayOf(items))

    def object(self, *entries: Any) -> Node:
        return _shallow(ObjectOf(tuple(entries)))

    def negation(self, operand: Node) -> Node:
        return _shallow(Unary("not", operand))

    def minus(self, _sign: Token, operand: Node) -> Node:
        if isinstance(operand, Literal) and type(operand.value) in (int, float):
            return Literal(-cast(int, operand.value))
        return _shallow(Unary("-", operand))

    def plus(self, operand: Node) -> Node:
        return operand

    def binary(self, left: Node, operator: Token, right: Node) -> Node:
        return _shallow(Binary(_SYMBOL_OF.get(operator, str(operator)), left, right))

    def conjunction(self, left: Node, right: Node) -> Node:
        return _shallow(Binary("and", left, right))

    def disjunction(self, left: Node, right: Node) -> Node:
        return _shallow(Binary("or", left, right))

    def choose(self, condition: Node, then: Node, other: Node) -> Node:
        return _shallow(Ternary(condition, then, other))


def _step(base: Node, step: Step) -> Node:
    if isinstance(base, Path):
        return Path((*base.steps, step))
    if isinstance(base, Access):
        return Access(base.base, (*base.steps, step))
    return _shallow(Access(base, (step,)))


def _shallow(node: Node) -> Node:
    if _depth(node) > MAX_DEPTH:
        raise ExpressionInvalid(f"nested deeper than {MAX_DEPTH} levels", 1)
    return node


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[1])


def _unescape_unicode(text: str) -> str:
    # A lone surrogate is no character: it could not be written to JSON.
    return re.sub(
        r"(?<!\\)\\u([0-9a-cA-CefEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2})",
        lambda match: chr(int(match[1], 16)),
        text,
    )


def path_in(text: str) -> Path:
    """A path given as a string literal, as in `contains_key("a.b")`. Raises PathInvalid."""
    return Path(parse_path(text))
