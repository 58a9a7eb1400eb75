"""What is wrong with the text of an expression, in words that say how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.core.dataprep.language.lexing import (
    OPERATOR_WORDS,
    RESERVED,
    STATEMENT_WORDS,
    ExpressionInvalid,
    Token,
)

_BEGINNINGS: Final = frozenset({"name", "odd", "number", "text", "constant", "(", "[", "{"})
_OPENING: Final = {")": "(", "]": "[", "}": "{"}
_INSTEAD: Final = {
    "if": "iif(condition, a, b) chooses between two values",
    "else": "iif(condition, a, b) chooses between two values",
    "for": "a path with [*] goes through an array",
    "while": "a path with [*] goes through an array",
    "do": "a path with [*] goes through an array",
    "return": "leave it out, its value is the field's",
    "new": "functions such as date() and to_object() make values",
}
_ASSIGNING: Final = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="})
_FOREIGN: Final = {
    ";": "a calculated field is one expression: leave out the ;",
    "===": "=== is no operator here: write ==",
    "!==": "!== is no operator here: write !=",
    "->": "functions cannot be defined in a calculated field",
    "=>": "functions cannot be defined in a calculated field",
    **dict.fromkeys(("<<", ">>", ">>>"), "there are no shift operators: multiply or divide"),
}
# Two operators written together: JEXL reads the longest symbol that it knows.
_GLUED: Final = {"!~": "! ~", "!^": "! ^", "!$": "! $", "=^": "= ^", "=$": "= $"}


def may_begin(token: Token) -> bool:
    """Can a value begin with this token, signs apart?"""
    return token.kind in _BEGINNINGS


def no_value(token: Token, brackets: Sequence[Token]) -> ExpressionInvalid:
    """Where a value must stand there is none."""
    if token.kind == "end":
        if brackets:
            return _not_closed(brackets[-1])
        if token.at == 0:
            return _at(token, "the expression is empty")
        return _at(token, "the expression ends too early: a value is missing")
    if token.kind == "word":
        return reserved(token)
    if token.kind in _FOREIGN or token.kind in _ASSIGNING:
        return _foreign(token)
    if token.kind in _OPENING and not brackets:
        return _no_opening(token)
    if token.kind in _GLUED and token.text[0] == "!":
        spaced = _GLUED[token.kind]
        return _at(token, f"a value is missing before {token.text}; for two operators {spaced}")
    if token.kind == "," and brackets and brackets[-1].kind == "[":
        return _at(token, "a value is missing before this comma; an absent one is null")
    before = "this comma" if token.kind == "," else token.text
    return _at(token, f"a value is missing before {before}")


def beyond(token: Token) -> ExpressionInvalid:
    """After a whole expression something follows."""
    if token.kind in _OPENING:
        return _no_opening(token)
    if token.kind == ":":
        return _at(token, "a : without its ?")
    if token.kind == ",":
        return _at(token, "a comma outside of parentheses: a calculated field is one value")
    return _no_operator(token)


def unclosed(opened: Token, closing: str, found: Token) -> ExpressionInvalid:
    """A bracket is not followed by its closing one."""
    if found.kind == "end":
        return _not_closed(opened)
    if found.kind in _OPENING:
        where = f"the {opened.text} at character {opened.at + 1}"
        return _at(found, f"{where} is closed by {found.text}: a {closing} is missing")
    if found.kind == ":":
        return _at(found, "a : without its ?" if opened.kind == "(" else "unexpected :")
    if found.kind == ",":
        return _at(found, "a comma where one value stands")
    return _no_operator(found)


def no_else(condition: Token, found: Token) -> ExpressionInvalid:
    """`a ? b` without `: c`."""
    if found.kind in ("end", ")", "]", "}", ","):
        return _at(condition, "this ? has no : behind it: write condition ? a : b")
    return _no_operator(found)


def no_colon(found: Token) -> ExpressionInvalid:
    """An object's entry without its value."""
    if found.kind in ("end", "}", ","):
        return _at(found, 'a : and a value are missing: write {"name": value}')
    return _no_operator(found)


def no_name(dot: Token, found: Token) -> ExpressionInvalid:
    """Behind a dot stands no name."""
    if found.kind == "end":
        return _at(found, "the expression ends too early: a name is missing after the dot")
    if found.kind == "number":
        return _at(found, f"a name is missing after the dot: an index is written [{found.text}]")
    if found.text in RESERVED:
        return _reserved_name(found)
    place = Token(found.kind, found.text, dot.end)
    return _at(place, f"a name is missing after {'the dot' if dot.kind == '.' else dot.text}")


def no_function(token: Token) -> ExpressionInvalid:
    """`${name}(...)`."""
    return _at(token, f"{token.text} is no function: functions are written without ${{}} and \\")


def chained(token: Token) -> ExpressionInvalid:
    """`a == b == c`, which JEXL refuses, too."""
    return _at(token, "comparisons do not follow each other: join them with and, or parentheses")


def reserved(token: Token) -> ExpressionInvalid:
    """A reserved word where a name or value stands (platform.md section 4.3)."""
    if token.text not in STATEMENT_WORDS:
        return _reserved_name(token)
    instead = f" ({_INSTEAD[token.text]})" if token.text in _INSTEAD else ""
    message = f"{token.text} is a reserved word: a calculated field is one expression, no statement"
    return _at(token, f"{message}{instead}; a field of this name is written ${{{token.text}}}")


def computed_after_each(opened: Token) -> ExpressionInvalid:
    """`a[*].b[i]`."""
    message = "after [*] an index must be a number: for one of the whole list write (a[*].b)[i]"
    return _at(opened, message)


def too_deep(limit: int, token: Token) -> ExpressionInvalid:
    """More nesting than the compiler takes."""
    return _at(token, f"nested deeper than {limit} levels: split it over several rows")


def _reserved_name(token: Token) -> ExpressionInvalid:
    word = token.text
    return _at(token, f"{word} is a reserved word: a field of this name is written ${{{word}}}")


def _no_operator(token: Token) -> ExpressionInvalid:
    """A value follows a value."""
    lower = token.text.lower()
    if token.kind in _FOREIGN or token.kind in _ASSIGNING:
        return _foreign(token)
    if token.kind == "word":
        return reserved(token)
    if token.kind == "name" and lower in OPERATOR_WORDS:
        return _at(token, f"operators are written in small letters: {lower}")
    return _at(token, f"an operator or a comma is missing before {_shown(token)}")


def _foreign(token: Token) -> ExpressionInvalid:
    if token.kind in _ASSIGNING:
        return _at(token, f"{token.text} assigns, which a calculated field cannot: == compares")
    return _at(token, _FOREIGN[token.kind])


def _not_closed(opened: Token) -> ExpressionInvalid:
    closing = {"(": ")", "{": "}"}.get(opened.kind, "]")
    return _at(opened, f"this {opened.text} is not closed: a {closing} is missing")


def _no_opening(token: Token) -> ExpressionInvalid:
    return _at(token, f"there is no {_OPENING[token.kind]} for this {token.text}")


def _shown(token: Token) -> str:
    return "this string" if token.kind == "text" else token.text[:40]


def _at(token: Token, message: str) -> ExpressionInvalid:
    return ExpressionInvalid(message, token.at + 1)
