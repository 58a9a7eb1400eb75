"""Paths of mapping rows: source attributes and XDM destinations (platform.md section 4.2).

`a.b`, `street\\.name` (a dot inside a name), `${First Name}`, `emails[0]`, `emails[*]`.
A name that stands alone in a row may hold any other character; inside an expression the grammar is
stricter (grammar.py) and hands its names to `split_names`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from app.core.dataprep.language.syntax import Each, Path, Step

_PIECE: Final = re.compile(
    r"(?P<odd>\$\{(?:\\.|[^}\\])*\})"  # ${First Name}
    r"|\[(?P<index>[0-9]+|\*)\]"  # [0] [*]
    r"|(?P<dot>\.)"
    # A plain name, of which a backslash takes the next character as it is.
    r"|(?P<name>(?!\$\{)(?:\\.|[^.\[\]\\])+)",
    re.DOTALL,
)
_IN_NAME: Final = re.compile(r"\\(?P<escaped>.)|(?P<dot>\.)|(?P<plain>[^.\\]+)", re.DOTALL)

MAX_INDEX: Final = 1_000

# Deeper than data goes, and than the code that reads it may be nested.
MAX_STEPS: Final = 100


class PathInvalid(ValueError):
    """The text is no path. `column`: where in it, in characters from 1."""

    def __init__(self, message: str, column: int = 1) -> None:
        self.column = column
        super().__init__(message)


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path. Raises PathInvalid."""
    if not text:
        raise PathInvalid("the path is empty")
    steps: list[Step] = []
    name_wanted = True
    for piece in _pieces(text):
        column = piece.start() + 1
        if piece["dot"]:
            if name_wanted:
                raise PathInvalid("a name is missing before this dot", column)
            name_wanted = True
        elif piece["index"]:
            if name_wanted:
                raise PathInvalid("an index needs a name before it", column)
            steps.append(_index(piece["index"], column))
        else:
            if not name_wanted:
                raise PathInvalid("a dot is missing before this name", column)
            steps.extend(_names(piece[0], column))
            name_wanted = False
    if name_wanted:
        raise PathInvalid("a name is missing after the last dot", len(text) + 1)
    if len(steps) > MAX_STEPS:
        raise PathInvalid(f"a path of more than {MAX_STEPS} names")
    return tuple(steps)


def path_in(text: str) -> Path:
    """A path given as a string literal, as in `contains_key("a.b")`. Raises PathInvalid."""
    return Path(parse_path(text))


def split_names(text: str) -> tuple[str, ...]:
    """The names in one written name; () when one of them is empty.

    A backslash takes the next character as it is: `a\\.b` is one name, and so is `${a\\.b}`
    (documented), but `${a.b}` is two (section 4.2).
    """
    names = [""]
    for piece in _IN_NAME.finditer(text[2:-1] if text.startswith("${") else text):
        if piece["dot"]:
            names.append("")
        else:
            names[-1] += piece["plain"] or piece["escaped"]
    return tuple(names) if all(names) else ()


def _names(text: str, column: int) -> tuple[str, ...]:
    names = split_names(text)
    if not names:
        raise PathInvalid(f"{text[:40]} holds an empty name", column)
    return names


def _pieces(text: str) -> Iterator[re.Match[str]]:
    position = 0
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            raise PathInvalid(_why_no_piece(text[position]), position + 1)
        yield piece
        position = piece.end()


def _why_no_piece(character: str) -> str:
    if character == "[":
        return "in [ ] stands a number or *; a bracket of the name itself is written \\["
    if character == "]":
        return "there is no [ for this ]; a bracket of the name itself is written \\]"
    if character == "$":
        return "this ${ is not closed: a } is missing"
    return "the path ends with a backslash"


def _index(text: str, column: int) -> Step:
    if text == "*":
        return Each.EACH
    if len(text) > 6 or int(text) > MAX_INDEX:
        raise PathInvalid(f"an index over {MAX_INDEX}", column)
    return int(text)
