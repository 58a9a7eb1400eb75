"""The tree of a parsed expression (platform.md section 4.3). Data only: no evaluation here.

Every node is frozen and hashable, so that two equal expressions are equal values. `column` is
where a node's name or operator stands in the text, from 1; it is not part of its value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Each(Enum):
    """The step `[*]`: every element of an array."""

    EACH = "[*]"


# One step of a path: a name, an index into an array, or every element of it.
Step = str | int | Each


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A constant: string, number, boolean or null. Unlike Python's, 1, 1.0 and true differ."""

    value: str | int | float | bool | None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[type, str]:
        # By text, too: 0.0 and -0.0 are two constants.
        return type(self.value), repr(self.value)


@dataclass(frozen=True, slots=True)
class Path:
    """A place in the source, from its root: `data.recipients[0].device_id`."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """A place below a computed value: `json_to_object(x).a.b`, `split(x, ",")[0]`."""

    base: Node
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """A child whose name or position is computed: `data[metric]`, `items[size_of(items) - 1]`."""

    base: Node
    key: Node


@dataclass(frozen=True, slots=True)
class Call:
    """`name(arguments)`."""

    name: str
    arguments: tuple[Node, ...]
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Method:
    """`base.name(arguments)`."""

    base: Node
    name: str
    arguments: tuple[Node, ...]
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`not x`, `-x`, `+x`, `~x`, `empty x`, `size x`; `!` is already `not`."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`; word operators are already their symbols, but for `and` and `or`."""

    operator: str
    left: Node
    right: Node
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Ternary:
    """`condition ? then : other`."""

    condition: Node
    then: Node
    other: Node


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class SetOf:
    """`{a, b}`: the different ones among its items; `{}` is an empty set."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ObjectOf:
    """`{"a": 1}`; `{:}` is an empty object."""

    entries: tuple[tuple[Node, Node], ...]


Node = (
    Literal | Path | Access | Index | Call | Method | Unary | Binary | Ternary
    | ArrayOf | SetOf | ObjectOf
)  # fmt: skip


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below a node."""
    match node:
        case Call(_, items) | ArrayOf(items) | SetOf(items):
            return items
        case Method(base, _, items):
            return (base, *items)
        case Unary(_, base) | Access(base, _):
            return (base,)
        case Binary(_, left, right) | Index(left, right):
            return (left, right)
        case Ternary(condition, then, other):
            return (condition, then, other)
        case ObjectOf(entries):
            return tuple(item for entry in entries for item in entry)
    return ()


def show_path(steps: tuple[Step, ...]) -> str:
    """A path as the rows of a set write it: `a.b[0].c[*]`."""
    text = ""
    for step in steps:
        if isinstance(step, str):
            text += ("." if text else "") + _escaped(step)
        else:
            text += "[*]" if isinstance(step, Each) else f"[{step}]"
    return text


def _escaped(name: str) -> str:
    for character in "\\.[]":
        name = name.replace(character, "\\" + character)
    return "\\" + name if name.startswith("${") else name
