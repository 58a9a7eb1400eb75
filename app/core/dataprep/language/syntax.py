"""The tree of a parsed expression (platform.md section 4.3). Data only: no evaluation here.

Every node is frozen and hashable, so that two equal expressions are equal values.
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
class Call:
    """`name(arguments)`; `column` is where it starts in the text, from 1."""

    name: str
    arguments: tuple[Node, ...]
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Method:
    """`base.name(arguments)`; the same functions, the base being their first argument."""

    base: Node
    name: str
    arguments: tuple[Node, ...]
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`not x` or `-x`; the operator in its word form (`not`, `-`, `~`)."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`; word operators are already their symbols, but for `and` and `or`."""

    operator: str
    left: Node
    right: Node


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
class ObjectOf:
    """`{"a": 1}`."""

    entries: tuple[tuple[Node, Node], ...]


Node = Literal | Path | Access | Call | Method | Unary | Binary | Ternary | ArrayOf | ObjectOf


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below a node."""
    match node:
        case Call(_, items) | ArrayOf(items):
            return items
        case Method(base, _, items):
            return (base, *items)
        case Unary(_, base) | Access(base, _):
            return (base,)
        case Binary(_, left, right):
            return (left, right)
        case Ternary(condition, then, other):
            return (condition, then, other)
        case ObjectOf(entries):
            return tuple(item for entry in entries for item in entry)
    return ()


def show_path(steps: tuple[Step, ...]) -> str:
    """A path as people write it: `a.b[0].c[*]`."""
    text = ""
    for step in steps:
        if isinstance(step, str):
            text += ("." if text else "") + step.replace("\\", "\\\\").replace(".", "\\.")
        else:
            text += "[*]" if isinstance(step, Each) else f"[{step}]"
    return text
