"""Paths of mapping rows: source attributes and XDM destinations (platform.md section 4.2).

`a.b`, `street\\.name` (a dot inside a name), `${First Name}`, `emails[0]`, `emails[*]`.
A name that stands alone in a row may hold any other character; inside an expression the grammar is
stricter (grammar.py) and hands its names to `split_names`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from app.core.dataprep.language.syntax import Each, Step

_PIECE: Final = re.compile(
    r"\$\{(?P<odd>[^}]*)\}"  # ${First Name}
    r"|\[(?P<index>\d+|\*)\]"  # [0] [*]
    r"|(?P<dot>\.)"
    r"|(?P<name>(?:\\.|[^.\[\]\\])+)"  # plain name, a backslash takes the next character as it is
)

MAX_INDEX: Final = 1_000


class PathInvalid(ValueError):
    """The text is no path; the message says where."""


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path. Raises PathInvalid."""
    if not text:
        raise PathInvalid("the path is empty")
    steps: list[Step] = []
    name_wanted = True
    for piece in _pieces(text):
        if piece["dot"]:
            if name_wanted:
                raise PathInvalid(f"a name is missing at character {piece.start() + 1}")
            name_wanted = True
        elif piece["index"]:
            if name_wanted:
                raise PathInvalid(f"an index needs a name before it, at {piece.start() + 1}")
            steps.append(_index(piece["index"]))
        else:
            if not name_wanted:
                raise PathInvalid(f"a dot is missing at character {piece.start() + 1}")
            steps.extend(split_names(piece[0]))
            name_wanted = False
    if name_wanted:
        raise PathInvalid("the path ends with a dot")
    return tuple(steps)


def split_names(text: str) -> tuple[str, ...]:
    """The names in one written name: `${a.b}` is two (section 4.2), `a\\.b` one."""
    if text.startswith("${"):
        names = tuple(text[2:-1].split("."))
        if not all(names):
            raise PathInvalid(f"{text} holds an empty name")
        return names
    return (re.sub(r"\\(.)", r"\1", text),)


def _pieces(text: str) -> Iterator[re.Match[str]]:
    position = 0
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            raise PathInvalid(f"unexpected {text[position]!r} at character {position + 1}")
        yield piece
        position = piece.end()


def _index(text: str) -> Step:
    if text == "*":
        return Each.EACH
    index = int(text)
    if index > MAX_INDEX:
        raise PathInvalid(f"index {index} is over {MAX_INDEX}")
    return index
