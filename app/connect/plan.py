"""What would be done, as a value: shown first, and held against what is found later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final


class Action(StrEnum):
    EXISTS = "exists"  # as it is wanted
    CREATE = "create"
    CHANGE = "change"  # in place
    REPLACE = "replace"  # a new one beside it; the old one stays until it is destroyed
    LEAVE = "leave"  # not as wanted, or not wanted, and that does no harm
    BLOCKED = "cannot be changed"  # a person must act; nothing is done to the rest either


# What calls for something to be done.
WORK: Final = frozenset({Action.CREATE, Action.CHANGE, Action.REPLACE})


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as wanted; texts for people."""

    path: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.path}: {self.found or 'nothing'} -> {self.wanted or 'nothing'}"


def fresh(*parts: tuple[str, object]) -> tuple[Difference, ...]:
    """What an object that is to be made will have: (path, value); None and "" are left out."""
    return tuple(Difference(path, "", said) for path, value in parts if (said := _said(value)))


def _said(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Item:
    """One object. `step`: a stable key, `kind`: the same for people; `id`: "" while there is none;
    `differences`: what is not as wanted; of what is to be created all that it will have (`fresh`).

    `data`: what the step found, for its own use when it acts.
    """

    step: str
    kind: str
    name: str
    action: Action
    id: str = ""
    differences: tuple[Difference, ...] = ()
    why: str = ""
    data: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_work(self) -> bool:
        return self.action in WORK

    def document(self) -> dict[str, Any]:
        """The item for JSON."""
        return {
            "step": self.step,
            "kind": self.kind,
            "name": self.name,
            "action": self.action.value,
            "id": self.id or None,
            "differences": [
                {"path": each.path, "found": each.found, "wanted": each.wanted}
                for each in self.differences
            ],
            "why": self.why or None,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """`items`: in the order in which they would be done; `remarks`: what to know beside it."""

    setup: str
    items: tuple[Item, ...]
    remarks: tuple[str, ...] = ()

    @property
    def work(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.is_work)

    @property
    def blocked(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.action is Action.BLOCKED)

    def counts(self) -> dict[str, int]:
        """How many items of each action, those of which there are none left out."""
        found = {action.value: 0 for action in Action}
        for item in self.items:
            found[item.action.value] += 1
        return {name: count for name, count in found.items() if count}

    def document(self) -> dict[str, Any]:
        """The plan for JSON."""
        return {
            "setup": self.setup,
            "changes": bool(self.work),
            "blocked": bool(self.blocked),
            "counts": self.counts(),
            "items": [item.document() for item in self.items],
            "remarks": list(self.remarks),
        }
