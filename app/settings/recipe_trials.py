"""What a recipe would make of dead letters, with the mapping sets on disk. Sends nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.core.dead_letter import DeadLetter
from app.core.recipe import Difference, Recipe, differences, mend
from app.core.selection import OTHERS
from app.core.trial import Side
from app.settings.trials import Trial, Trials

# Of how many letters it shows what changes.
SHOWN: Final = 5


@dataclass(slots=True)
class RecipeTrial:
    """`left_out`: optional steps that did not apply; `changes`: number of a letter that would pass
    -> where it would differ, of the first `shown`."""

    recipe: Recipe
    shown: int = SHOWN
    trial: Trial = field(default_factory=Trial)
    left_out: Counter[str] = field(default_factory=Counter)
    changes: dict[int, list[Difference]] = field(default_factory=dict)

    def judge(self, trials: Trials, letters: Sequence[DeadLetter], now: float) -> None:
        """Some more letters. `now`: Unix seconds."""
        steps = self.recipe.steps
        for letter in letters:
            body, why, left_out = mend(steps, letter.outgoing)
            self.left_out.update(left_out)
            if body is not None:
                why = trials.why_not(letter.sending(body), now)
            self.trial.note(why)
            if body is not None and not why and steps and len(self.changes) < self.shown:
                number = letter.summary.number
                self.changes[number] = differences(steps, letter.outgoing, body)

    def document(self) -> dict[str, Any]:
        """As JSON knows it."""
        return {
            "trial": self.trial.document(),
            "left_out": dict(self.left_out.most_common()),
            "differences": [
                {"number": number, "changes": [change.document() for change in changes]}
                for number, changes in self.changes.items()
            ],
        }


def misfits(recipe: Recipe, trials: Trials, connections: Iterable[str]) -> list[str]:
    """Why a recipe cannot be followed for some of these connections: the mapping version that it
    wants is not the one on disk here. One line each."""
    if not recipe.mapping:
        return []
    named = (name for name in connections if name != OTHERS)
    return [fault for name in named if (fault := _misfit(recipe, trials, name))]


def _misfit(recipe: Recipe, trials: Trials, name: str) -> str:
    match trials.side(name):
        case None:
            return f"{name} is mapped by its dataflow, and not here"
        case Side(mapping=mapping):
            label = mapping.label
            return "" if recipe.fits(label) else f"{name} is mapped with {label}"
        case why:
            return str(why)
