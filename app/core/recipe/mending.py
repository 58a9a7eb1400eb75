"""All steps of a recipe, on one body: another body, or why there is none. Told without values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from app.core.recipe.steps import Absent, Step, StepFailed, value_at

_EVENT_ID: Final = "/event_id"


class Mended(NamedTuple):
    """`body` None: it cannot be mended; `why` then says the step and the code. `left_out`: optional
    steps that did not apply, and why."""

    body: bytes | None
    why: str = ""
    left_out: tuple[str, ...] = ()


class Difference(NamedTuple):
    """A place that came out otherwise; either value may be Absent."""

    path: str
    before: Any
    after: Any

    def document(self) -> dict[str, Any]:
        """As JSON knows it: a value that is absent is left out."""
        sides = (("before", self.before), ("after", self.after))
        told = {name: value for name, value in sides if not isinstance(value, Absent)}
        return {"path": self.path, **told}


def mend(steps: Sequence[Step], body: bytes) -> Mended:
    """The body after the steps, the one that was given stays.

    The event id is what duplicates are known by, so it stays what it was where there was one.
    """
    if not steps:
        return Mended(body)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Mended(None, "the body is not JSON")
    event_id, left_out = value_at(document, _EVENT_ID), list[str]()
    for number, step in enumerate(steps, 1):
        try:
            step.apply(document)
        except StepFailed as fault:
            told = f"step {number} ({step}): {fault.code}"
            if not step.optional:
                return Mended(None, told)
            left_out.append(told)
    if isinstance(event_id, str) and value_at(document, _EVENT_ID) != event_id:
        return Mended(None, "the event_id would change")
    try:
        return Mended(orjson.dumps(document), "", tuple(left_out))
    except TypeError:  # a text that no JSON in UTF-8 can hold
        return Mended(None, "what comes out is no JSON", tuple(left_out))


def differences(steps: Sequence[Step], before: bytes, after: bytes) -> list[Difference]:
    """Where the steps changed something, in their order. Both bodies are JSON."""
    old, new = orjson.loads(before), orjson.loads(after)
    places = dict.fromkeys(place for step in steps for place in step.places)
    found = [Difference(place, value_at(old, place), value_at(new, place)) for place in places]
    return [each for each in found if _written(each.before) != _written(each.after)]


def _written(value: Any) -> bytes:
    return b"" if isinstance(value, Absent) else orjson.dumps(value)
