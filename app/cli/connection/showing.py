"""Plans and progress: on a screen, and as JSON lines."""

from __future__ import annotations

import sys
from typing import Final

import orjson
import typer

from app.cli.reading import visible
from app.connect.plan import Action, Difference, Item, Plan
from app.connect.run import Progress

_MARKS: Final = {
    Action.EXISTS: "=",
    Action.CREATE: "+",
    Action.CHANGE: "~",
    Action.REPLACE: "±",
    Action.LEAVE: "=",
    Action.BLOCKED: "!",
}
_COUNTED: Final = {
    Action.CREATE: "to create",
    Action.CHANGE: "to change",
    Action.REPLACE: "to replace",
    Action.EXISTS: "as wanted",
    Action.LEAVE: "left as they are",
    Action.BLOCKED: "cannot be changed",
}
_DIFFERENCES: Final = 12
# A row of a mapping set may have thousands of characters.
_LONGEST: Final = 300
# Without a terminal a countdown is a line now and then.
_EVERY_SECONDS: Final = 30


def show_plan(plan: Plan) -> None:
    """To stdout."""
    width = max((len(item.kind) for item in plan.items), default=0)
    for item in plan.items:
        mark = _MARKS[item.action]
        _say(f"{mark} {item.kind:{width}}  {item.name}  ({item.action.value}){_why(item)}")
        for difference in item.differences[:_DIFFERENCES]:
            _say(f"    {_cut(_told(item, difference))}")
        if (more := len(item.differences) - _DIFFERENCES) > 0:
            _say(f"    and {more} more; --json has all")
    for remark in plan.remarks:
        _say(f"note: {remark}")
    counts = plan.counts()
    said = (f"{counts[each.value]} {word}" for each, word in _COUNTED.items() if each in counts)
    _say(f"\n{plan.setup}: {', '.join(said)}")


class Watch:
    """Tells of an apply as it goes: lines on a screen, or one JSON document a line."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._live = sys.stdout.isatty() and not as_json
        self._counting = False
        self._told_at = 0.0

    def __call__(self, event: Progress) -> None:
        if self._as_json:
            typer.echo(orjson.dumps(event.document()))
            return
        if event.word == "waiting":
            self._count_down(event)
            return
        if self._counting:
            self._counting = False
            typer.echo("")
        item = event.item
        if event.word == "done" and item is not None:
            _say(f"  {item.kind}  {item.name}  done")
        elif event.word == "doing" and item is not None:
            _say(f"{_MARKS[item.action]} {item.kind}  {item.name}  {item.action.value} ...")
        elif event.word in ("note", "asking"):
            _say(f"note: {event.text}")

    def _count_down(self, event: Progress) -> None:
        left = round(event.seconds)
        text = f"{event.text}; the lane opens in {left // 60}:{left % 60:02}"
        if self._live:
            self._counting = True
            typer.echo(f"\r{text} ", nl=False)
        elif not self._told_at or self._told_at - event.seconds >= _EVERY_SECONDS:
            self._told_at = event.seconds
            _say(text)


def _told(item: Item, difference: Difference) -> str:
    # Of what is to be created there is nothing yet that could differ.
    new = item.action is Action.CREATE
    return f"{difference.path}: {difference.wanted}" if new else str(difference)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _why(item: Item) -> str:
    return f": {item.why}" if item.why else ""


def _say(text: str) -> None:
    typer.echo(visible(text, keep="\n"))
