"""The text of an expression as tokens: the lexical half of Commons JEXL's grammar.

White space and JEXL's comments (`// ...`, `## ...`, `/* ... */`) stand between tokens. Words and
symbols that mean the same give the same kind of token: `and` is `&&`, `eq` is `==`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple


class ExpressionInvalid(ValueError):
    """The text is no expression. `column` counts characters from 1; the message leaves it out."""

    def __init__(self, message: str, column: int) -> None:
        self.column = column
        super().__init__(message)


class Token(NamedTuple):
    """One token. `kind`: what it is, for operators and brackets their symbol; `at`: from 0."""

    kind: str
    text: str
    at: int

    @property
    def end(self) -> int:
        return self.at + len(self.text)


# Words that are operators, each with its symbol.
OPERATOR_WORDS: Final = {
    "or": "or", "and": "and", "not": "not", "eq": "==", "ne": "!=", "lt": "<", "le": "<=",
    "gt": ">", "ge": ">=", "div": "/", "mod": "%", "empty": "empty", "size": "size",
}  # fmt: skip
CONSTANT_WORDS: Final = {"true": True, "false": False, "null": None}

# Words of JEXL's statements: a calculated field has none, it is one expression.
STATEMENT_WORDS: Final = frozenset(
    {"if", "else", "for", "while", "do", "var", "return", "break", "continue", "new", "function"}
)

# The 24 words of platform.md section 4.3, and do, function, empty, size of the newest function
# page. That page also counts the names of functions among them; a field may have one here (our
# judgement), for platform.md's own example reads the field `timestamp`.
RESERVED: Final = frozenset({*OPERATOR_WORDS, *CONSTANT_WORDS, *STATEMENT_WORDS, "_errors"})

_SYMBOLS: Final = {"&&": "and", "||": "or", "!": "not"}

_TOKEN: Final = re.compile(
    r"""
      (?P<blank> \s+ | //[^\r\n]* | \#\#[^\r\n]* | /\*.*?\*/ )
    | (?P<odd> \$\{ (?: \\. | [^}\\] )* \} )
    | (?P<name> (?: [^\W\d] | \$(?!\{) | \\. ) (?: \w | \$(?!\{) | \\. )* )
    | (?P<number>
        0[xX][0-9a-fA-F]+[lLhH]?
        | [0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?[dDfFbB]?
        | [0-9]+(?:[eE][+-]?[0-9]+[dDfFbB]?|[dDfFbB])
        | [0-9]+[lLhH]? )
    | (?P<text>
        "(?: \\[^\r\n] | [^"\\\r\n] )*"
        | '(?: \\[^\r\n] | [^'\\\r\n] )*'
        | ~/(?: \\. | [^/\\\r\n] )*/ )
    | (?P<symbol>
        &&|\|\||===?|!==?|=~|=\^|=\$(?!\{)|=>|!~|!\^|!\$(?!\{)|<=|>=|<<|>>>?
        |\+=|-=|\*=|/=|%=|&=|\|=|\^=|->|\?\.|\?\?|\?:|\?\[|/(?!\*)|~(?!/)
        |[-+*%<>!&|^?:.,()\[\]{}=;] )
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of an expression, the last of kind `end`. Raises ExpressionInvalid."""
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise _unreadable(text, position)
        position = found.end()
        if found.lastgroup != "blank":
            yield _token(found)
        if found.lastgroup == "number" and re.match(r"[\w$]", text[position : position + 1]):
            message = "this number runs into letters: put a space or an operator between them"
            raise ExpressionInvalid(message, found.start() + 1)
    yield Token("end", "", len(text))


def _token(found: re.Match[str]) -> Token:
    text, kind = found[0], found.lastgroup or ""
    if kind == "symbol":
        kind = _SYMBOLS.get(text, text)
    elif kind == "name" and text in RESERVED:
        kind = OPERATOR_WORDS.get(text) or ("constant" if text in CONSTANT_WORDS else "word")
    return Token(kind, text, found.start())


def _unreadable(text: str, at: int) -> ExpressionInvalid:
    """Why no token begins here."""
    here = text[at]
    if here in "\"'":
        over = re.match(r"""["'][^\r\n]*[\r\n]""", text[at:])
        message = f"this {here} is not closed" + (
            " on its line: write a line break in a string as \\n" if over else ""
        )
    elif text.startswith("${", at):
        message = "this ${ is not closed: a } is missing"
    elif here in "\u201c\u201d\u201e\u2018\u2019":
        message = f"{here} is no quote here: write \" or '"
    elif text.startswith("/*", at):
        message = "this comment is not closed: a */ is missing"
    elif here == "~":
        message = "this regular expression is not closed: a / is missing"
    elif here == "`":
        message = "back quotes are not for calculated fields: put a text together with concat()"
    elif here == "\\":
        message = "a backslash with nothing behind it"
    else:
        message = f"{here!r} means nothing here: a name that holds it is written ${{...}}"
    return ExpressionInvalid(message, at + 1)
