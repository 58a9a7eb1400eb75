"""`{TENANT}` and other upper-case names in braces: settings of a connection in shared files.

One mapping set and one schema serve every tenant. Adobe knows no such names: they are filled in
before anything is compiled or posted. `${NAME}` is a path of Data Prep's and stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_VARIABLE: Final = re.compile(r"(?<!\$)\{([A-Z][A-Z0-9_]*)\}")

# Values end up inside paths and expressions: nothing in them may read as anything but a name.
_VALUE: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")


class VariableInvalid(ValueError):
    """A variable without a value, or with one that is no plain name.

    `column`: where it stands in the text, from 1.
    """

    def __init__(self, message: str, column: int = 1) -> None:
        self.column = column
        super().__init__(message)


def fill(text: str, variables: Mapping[str, str]) -> str:
    """The text with its variables filled in. Raises VariableInvalid."""

    def value(found: re.Match[str]) -> str:
        filled = variables.get(found[1])
        column = found.start() + 1
        if filled is None:
            raise VariableInvalid(f"the variable {{{found[1]}}} has no value", column)
        if not _VALUE.fullmatch(filled):
            message = f"the value of {{{found[1]}}} is not of letters, digits, - and _"
            raise VariableInvalid(message, column)
        return filled

    return _VARIABLE.sub(value, text)


def written_column(text: str, variables: Mapping[str, str], column: int) -> int:
    """Where a character of the filled text stands in the text as written; both from 1."""
    longer = 0
    for found in _VARIABLE.finditer(text):
        start = found.start() + 1 + longer
        if column < start:
            break
        filled = len(variables.get(found[1], found[0]))
        if column < start + filled:
            return found.start() + 1
        longer += filled - len(found[0])
    return column - longer
