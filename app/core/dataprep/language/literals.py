"""Numbers and strings as an expression writes them (Commons JEXL's literals)."""

from __future__ import annotations

import math
import re
from typing import Final

from app.core.dataprep.language.lexing import ExpressionInvalid, Token

# No quantity has more; the operators' results are held to the same (operators.py).
MAX_DIGITS: Final = 300

_ESCAPE: Final = re.compile(
    r"\\(?:u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u(?P<code>[0-9a-fA-F]{4})|(?P<other>.))",
    re.DOTALL,
)
_MEANING: Final = {
    "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\",
}  # fmt: skip


def read_number(token: Token) -> int | float:
    """`7`, `7L`, `7H`, `0x1F`, `017` (octal), `1.5`, `1e3`, `7F`, `7D`, `7B`.

    JEXL's kinds of numbers are told apart only as whole and not whole: F, D and B make a double.
    Raises ExpressionInvalid.
    """
    text = token.text.lower()
    if text.startswith("0x"):
        return _bounded(token, int(text.rstrip("lh"), 16))
    if text.isdigit() or text[-1] in "lh":
        return _whole(token, text.rstrip("lh"))
    number = float(text.rstrip("dfb"))
    if not math.isfinite(number):
        raise ExpressionInvalid("this number is too large", token.at + 1)
    return number


def _whole(token: Token, digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ExpressionInvalid(f"this number has over {MAX_DIGITS} digits", token.at + 1)
    if len(digits) == 1 or digits[0] != "0":
        return int(digits)
    if set(digits) <= set("01234567"):
        return int(digits, 8)
    message = "a number that begins with 0 is octal, and has no 8 or 9: leave out the 0"
    raise ExpressionInvalid(message, token.at + 1)


def _bounded(token: Token, number: int) -> int:
    if number >= 10**MAX_DIGITS:
        raise ExpressionInvalid(f"this number has over {MAX_DIGITS} digits", token.at + 1)
    return number


def read_text(token: Token) -> str:
    """A string in either quotes, or `~/.../`, a regular expression, which is its text.

    Escapes: `\\n \\t \\r \\b \\f \\" \\' \\\\ \\uXXXX`. As in JEXL any other backslash stays, so
    that regular expressions need no second one: `"\\d+"` is `\\d+`. Raises ExpressionInvalid.
    """
    if token.text.startswith("~"):
        return token.text[2:-1].replace("\\/", "/")

    def meant(found: re.Match[str]) -> str:
        if found["high"]:
            pair = (int(found["high"], 16) - 0xD800 << 10) + int(found["low"], 16) - 0xDC00
            return chr(0x10000 + pair)
        if found["code"]:
            return _character(int(found["code"], 16), token.at + 1 + found.start())
        return _MEANING.get(found["other"], found[0])

    # Without its first quote, so that places in the text are those after it.
    return _ESCAPE.sub(meant, token.text[1:-1])


def _character(code: int, at: int) -> str:
    if 0xD800 <= code <= 0xDFFF:
        raise ExpressionInvalid("half of a character: \\uD800 to \\uDFFF come in pairs", at + 1)
    return chr(code)
