"""From the text of a calculated field to its tree (platform.md section 4.3).

Adobe documents the language by examples; the grammar is that of its ancestor Apache Commons JEXL
(Parser.jjt), as far as it is one of expressions: no statements, assignments, lambdas or ranges.
From the loosest to the tightest, each group reading its right side as its number says:

    1  a ? b : c   a ?: b   a ?? b       to the right: `a ? b : c ? d : e` is `a ? b : (c ? d : e)`
    2  or                                 to the left, as are the other groups of two sides
    3  and
    4  |
    5  ^
    6  &
    7  == !=                              once: `a == b == c` is an error in JEXL, too
    8  < <= > >= =~ !~ =^ !^ =$ !$        once
    9  + -
    10 * / %
    11 - + ~ ! empty size                 before one value: `-a.b * c` is `(-(a.b)) * c`
    12 a.b  a?.b  a[b]  a?[b]  a.b(c)     to the left
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.core.dataprep.language import complaints
from app.core.dataprep.language.lexing import CONSTANT_WORDS, ExpressionInvalid, Token, tokens
from app.core.dataprep.language.literals import read_number, read_text
from app.core.dataprep.language.paths import MAX_INDEX, MAX_STEPS, split_names
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
    children,
)

__all__ = ["MAX_CHARACTERS", "MAX_DEPTH", "ExpressionInvalid", "parse_expression"]

# A calculated field is at most 4,096 characters (platform.md section 4.3).
MAX_CHARACTERS: Final = 4096

# Deeper nesting than people write; it also keeps the generated code below Python's own limits.
MAX_DEPTH: Final = 150

_CONDITIONAL: Final = frozenset({"?", "?:", "??"})
_LEFTWARD: Final = {
    "or": 2, "and": 3, "|": 4, "^": 5, "&": 6, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10,
}  # fmt: skip
_ONCE: Final = {
    "==": 7, "!=": 7,
    **dict.fromkeys(("<", "<=", ">", ">=", "=~", "!~", "=^", "!^", "=$", "!$"), 8),
}  # fmt: skip
BINDING: Final = {**dict.fromkeys(_CONDITIONAL, 1), **_LEFTWARD, **_ONCE}
UNARY: Final = 11
_SIGNS: Final = frozenset({"not", "-", "+", "~", "empty", "size"})
_CLOSING: Final = {"(": ")", "[": "]", "?[": "]", "{": "}"}


def parse_expression(text: str) -> Node:
    """The tree of an expression. Raises ExpressionInvalid."""
    if len(text) > MAX_CHARACTERS:
        message = f"longer than {MAX_CHARACTERS} characters: split it over several rows"
        raise ExpressionInvalid(message, MAX_CHARACTERS + 1)
    return _Parser(text).whole()


class _Parser:
    """Operator precedence by recursive descent: one look ahead, no going back."""

    def __init__(self, text: str) -> None:
        self._tokens = list(tokens(text))
        self._position = 0
        self._nesting = 0
        self._brackets: list[Token] = []
        # How deep the nodes made so far are; keeping them keeps their ids their own.
        self._depths: dict[int, tuple[int, Node]] = {}

    def whole(self) -> Node:
        """The expression up to the end of the text."""
        node = self._expression()
        if self._next.kind != "end":
            raise complaints.beyond(self._next)
        return node

    # -- tokens ---------------------------------------------------------------------------

    @property
    def _next(self) -> Token:
        return self._tokens[self._position]

    def _take(self) -> Token:
        token = self._tokens[self._position]
        if token.kind != "end":
            self._position += 1
        return token

    def _taken(self, kind: str) -> bool:
        if self._next.kind != kind:
            return False
        self._position += 1
        return True

    def _open(self) -> Token:
        self._brackets.append(self._take())
        return self._brackets[-1]

    def _close(self) -> None:
        opened = self._brackets.pop()
        if not self._taken(_CLOSING[opened.kind]):
            raise complaints.unclosed(opened, _CLOSING[opened.kind], self._next)

    # -- operators ------------------------------------------------------------------------

    def _expression(self, loosest: int = 1) -> Node:
        """A value and the operators after it that bind at least as tightly as `loosest`."""
        self._nesting += 1
        if self._nesting > MAX_DEPTH:
            raise complaints.too_deep(MAX_DEPTH, self._next)
        left = self._value()
        while (strength := BINDING.get(self._next.kind, 0)) >= loosest:
            operator = self._take()
            if operator.kind in _CONDITIONAL:
                left = self._conditional(left, operator)
                break
            right = self._expression(strength + 1)
            left = self._made(Binary(operator.kind, left, right, operator.at + 1), operator)
            if operator.kind in _ONCE and BINDING.get(self._next.kind) == strength:
                raise complaints.chained(self._next)
        self._nesting -= 1
        return left

    def _conditional(self, left: Node, operator: Token) -> Node:
        then = self._expression()
        if operator.kind != "?":
            return self._made(Binary(operator.kind, left, then, operator.at + 1), operator)
        if not self._taken(":"):
            raise complaints.no_else(operator, self._next)
        return self._made(Ternary(left, then, self._expression()), operator)

    def _value(self) -> Node:
        """A primary with its signs before and its accesses behind."""
        token = self._next
        if token.kind in _SIGNS:
            return self._signed()
        if token.kind == "(":
            self._open()
            inner = self._expression()
            self._close()
            return self._accesses(inner, closed=True)
        read = _PRIMARIES.get(token.kind)
        if read is None:
            raise complaints.no_value(token, self._brackets)
        return self._accesses(read(self))

    def _signed(self) -> Node:
        sign = self._take()
        if sign.kind in ("empty", "size") and not complaints.may_begin(self._next):
            raise complaints.reserved(sign)
        if sign.kind in "+-" and self._next.kind == "number" and not self._accessed():
            number = read_number(self._take())
            return Literal(-number if sign.kind == "-" else number)
        return self._made(Unary(sign.kind, self._expression(UNARY)), sign)

    def _accessed(self) -> bool:
        return self._tokens[self._position + 1].kind in _ACCESSES

    # -- values ---------------------------------------------------------------------------

    def _name(self) -> Node:
        token = self._take()
        if self._next.kind == "(":
            if token.kind == "odd" or "\\" in token.text:
                raise complaints.no_function(token)
            return self._made(Call(token.text, self._items(), token.at + 1), token)
        return Path(self._names(token))

    def _names(self, token: Token) -> tuple[str, ...]:
        names = split_names(token.text)
        if not names:
            raise ExpressionInvalid("an empty name", token.at + 1)
        return names

    def _constant(self) -> Node:
        return Literal(CONSTANT_WORDS[self._take().text])

    def _number(self) -> Node:
        return Literal(read_number(self._take()))

    def _text(self) -> Node:
        return Literal(read_text(self._take()))

    def _items(self) -> tuple[Node, ...]:
        """Values between brackets, with commas between them."""
        opened = self._open()
        items: list[Node] = []
        if self._next.kind != _CLOSING[opened.kind]:
            items.append(self._expression())
        while items and self._taken(","):
            items.append(self._expression())
        self._close()
        return tuple(items)

    def _array(self) -> Node:
        opened = self._next
        return self._made(ArrayOf(self._items()), opened)

    def _set_or_object(self) -> Node:
        opened = self._open()
        node: Node
        if self._next.kind == "}":
            node = SetOf(())
        elif self._taken(":"):
            node = ObjectOf(())
        else:
            first = self._expression()
            node = self._object(first) if self._next.kind == ":" else self._set(first)
        self._close()
        return self._made(node, opened)

    def _set(self, first: Node) -> Node:
        items = [first]
        while self._taken(","):
            items.append(self._expression())
        return SetOf(tuple(items))

    def _object(self, key: Node) -> Node:
        entries = [(key, self._entry_value())]
        while self._taken(","):
            entries.append((self._expression(), self._entry_value()))
        return ObjectOf(tuple(entries))

    def _entry_value(self) -> Node:
        if not self._taken(":"):
            raise complaints.no_colon(self._next)
        return self._expression()

    # -- accesses -------------------------------------------------------------------------

    def _accesses(self, node: Node, closed: bool = False) -> Node:
        """What stands behind a value. `closed`: in parentheses, so that what follows is for the
        value as a whole: `(a[*].b)[0]` is not `a[*].b[0]`."""
        while (token := self._next).kind in _ACCESSES:
            node = self._bracket(node, closed) if "[" in token.kind else self._dot(node, closed)
            closed = False
        return node

    def _dot(self, base: Node, closed: bool) -> Node:
        dot = self._take()
        token = self._take()
        if self._next.kind == "(" and token.kind in _METHOD_NAMES:
            node = Method(base, token.text, self._items(), token.at + 1)
            return self._made(node, token)
        if token.kind == "text":
            return self._stepped(base, (read_text(token),), token, closed)
        if token.kind not in ("name", "odd"):
            raise complaints.no_name(dot, token)
        return self._stepped(base, self._names(token), token, closed)

    def _bracket(self, base: Node, closed: bool) -> Node:
        opened = self._open()
        if self._next.kind == "*":
            self._take()
            self._close()
            return self._stepped(base, (Each.EACH,), opened, closed)
        key_at = self._next
        key = self._expression()
        self._close()
        if isinstance(key, Literal) and type(key.value) is str:
            return self._stepped(base, (key.value,), opened, closed)
        if isinstance(key, Literal) and type(key.value) is int and key.value >= 0:
            if key.value > MAX_INDEX:
                raise ExpressionInvalid(f"an index over {MAX_INDEX}", key_at.at + 1)
            return self._stepped(base, (key.value,), opened, closed)
        if not closed and isinstance(base, Path | Access) and Each.EACH in base.steps:
            raise complaints.computed_after_each(opened)
        return self._made(Index(base, key), opened)

    def _stepped(self, base: Node, steps: tuple[Step, ...], token: Token, closed: bool) -> Node:
        node: Path | Access
        if isinstance(base, Path | Access) and not (closed and Each.EACH in base.steps):
            steps = (*base.steps, *steps)
            node = Path(steps) if isinstance(base, Path) else Access(base.base, steps)
        else:
            node = Access(base, steps)
        if len(steps) > MAX_STEPS:
            raise ExpressionInvalid(f"a path of more than {MAX_STEPS} names", token.at + 1)
        return self._made(node, token)

    def _made(self, node: Node, token: Token) -> Node:
        """A new node, if it is not too deep."""
        below = (self._depths[id(n)][0] for n in children(node) if id(n) in self._depths)
        depth = 1 + max(below, default=1)
        if depth > MAX_DEPTH:
            raise complaints.too_deep(MAX_DEPTH, token)
        self._depths[id(node)] = (depth, node)
        return node


_ACCESSES: Final = frozenset({".", "?.", "[", "?["})

# `size` and `empty` are methods, too, in JEXL.
_METHOD_NAMES: Final = frozenset({"name", "size", "empty"})

_PRIMARIES: Final[dict[str, Callable[[_Parser], Node]]] = {
    "name": _Parser._name,
    "odd": _Parser._name,
    "number": _Parser._number,
    "text": _Parser._text,
    "constant": _Parser._constant,
    "[": _Parser._array,
    "{": _Parser._set_or_object,
}
