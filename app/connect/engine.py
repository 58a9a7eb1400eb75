"""Plan and apply: step by step, each looked at right before it is acted upon.

Nothing is made twice: a step looks for its object by name and by the state file; what is about to
be done is on disk before the call; and after an answer that was lost, or a kill, the step looks
again before it does anything. So a plan is only what is shown: an apply goes by what it finds, and
stops when that asks for more than was shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from app.connect.holding import StillUnderWay, as_before
from app.connect.plan import Action, Item, Plan
from app.connect.run import Ambiguous, Progress, Run, Step, blocked
from app.core.errors import ApiFault, PlatformTaken, SluiceError

_ATTEMPTS: Final = 3
# After a lost answer or a kill: what was made may not be in every list at once.
_LOOKS: Final = 3
_LOOK_AGAIN_SECONDS: Final = 1.0

# The step after which nothing may be sent for five minutes.
FLOW: Final = "flow"
# What is replaced rather than changed (platform.md section 1.10).
_REPLACED: Final = frozenset({FLOW, "source", "target", "base"})


class _Before(NamedTuple):
    """What the state file said before an act."""

    changed_at: float
    ids: dict[str, str]
    retired: list[tuple[str, str]]


class NotPossible(SluiceError):
    """The plan has something that a person must see to first."""


class Outdated(SluiceError):
    """What was found asks for more than the plan showed."""


async def make_plan(steps: Sequence[Step], run: Run) -> Plan:
    """Looks at everything, changes nothing. Raises ApiFault and the like."""
    items: list[Item] = []
    for step in steps:
        items += await _look(step, run)
    return Plan(run.setup.name, tuple(items), tuple(run.remarks))


async def carry_out(steps: Sequence[Step], run: Run, plan: Plan) -> None:
    """Does what the plan shows, as far as it is not done yet.

    Raises NotPossible before anything is done, Outdated, and ApiFault and the like when a call
    failed for good: run it again then, it goes on where it stopped.
    """
    if plan.blocked:
        raise NotPossible(
            "; ".join(f"{each.kind} {each.name}: {each.why}" for each in plan.blocked)
        )
    shown = {(item.step, item.name) for item in plan.work}
    for step in steps:
        for item in await _look(step, run):
            if item.action is Action.BLOCKED:
                raise NotPossible(f"{item.kind} {item.name}: {item.why}")
            if not item.is_work:
                _settle(run, item)
                run.tell(Progress("kept", item))
            elif (item.step, item.name) not in shown:
                raise Outdated(
                    f"{item.kind} {item.name} was {_found_as(plan, item)} when the plan was made, "
                    f"now it would be: {item.action.value}. Look at a new plan"
                )
            else:
                await _act(step, run, item)


async def _act(step: Step, run: Run, planned: Item) -> None:
    item = planned
    if run.state.under_way == item.step and item.action is not Action.CHANGE:
        # A killed command may have made it, though no list shows it yet.
        item = await _again(step, run, item)
    if item.is_work:
        before = _Before(run.state.changed_at, dict(run.state.ids), list(run.state.retired))
        _begin(run, item)
        run.tell(Progress("doing", item))
        item = await _done(step, run, item, before)
    if found := run.id(item.step) or item.id:
        _remember(run, item.step, found, made=planned.action is not Action.CHANGE)
    run.state.under_way = ""
    run.file.save()
    run.tell(Progress("done", item))


async def _done(step: Step, run: Run, item: Item, before: _Before) -> Item:
    """The item as it is in the end. Raises ApiFault when a call failed for good, StillUnderWay."""
    maybe_done = False
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            await step.act(run, item)
            return item
        except (ApiFault, StillUnderWay) as fault:
            maybe_done = maybe_done or _is_unsure(fault)
            # What is taken may be so by ourselves.
            if not isinstance(fault, PlatformTaken) and not _is_unsure(fault):
                # A refusal says nothing of the tries before it.
                if not maybe_done:
                    await _never_began(run, before)
                raise
            # Whether it was done is not known: nothing is repeated before that is.
            item = await _again(step, run, item)
            if not item.is_work:
                return item
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError  # the last attempt returns or raises


def _begin(run: Run, item: Item) -> None:
    """What is about to be done, on disk before it is."""
    state = run.state
    if item.step in _REPLACED and item.action is not Action.CHANGE:
        # What is in use until now goes out of use; it may be of another kind of source.
        for old in {item.id, state.ids.pop(item.step, "")} - {""}:
            if (item.step, old) not in state.retired:
                state.retired.append((item.step, old))
    if item.step == FLOW:
        state.changed_at = run.clock()
    state.under_way = item.step
    state.changing = item.id if item.action is Action.CHANGE else ""
    run.file.save()


def _remember(run: Run, step: str, found: str, *, made: bool) -> None:
    run.state.ids[step] = found
    if made and (step, found) not in run.state.made:
        run.state.made.append((step, found))


def _is_unsure(fault: SluiceError) -> bool:
    return isinstance(fault, ApiFault) and fault.maybe_done


async def _never_began(run: Run, before: _Before) -> None:
    """A refusal did nothing: there is nothing to look for, and nothing to wait for."""
    state = run.state
    state.under_way = ""
    state.changed_at, state.ids, state.retired = before
    run.file.save()
    await as_before(run)


def _settle(run: Run, item: Item) -> None:
    """Writes down what is there; what a killed command left open is closed."""
    state = run.state
    ours = state.under_way == item.step
    changed = bool(item.id) and state.ids.get(item.step) != item.id
    if item.id:
        _remember(run, item.step, item.id, made=ours and changed and item.id != state.changing)
    if ours:
        state.under_way = ""
        changed = True
    if changed:
        run.file.save()


async def _look(step: Step, run: Run) -> list[Item]:
    try:
        return await step.look(run)
    except Ambiguous as several:
        return [blocked(step, run.setup.flow_name, str(several))]


async def _again(step: Step, run: Run, item: Item) -> Item:
    """The item as it is found now, which may take a while. Raises SluiceError."""
    found = item
    for _ in range(_LOOKS):
        await run.sleep(_LOOK_AGAIN_SECONDS)
        there = [each for each in await _look(step, run) if each.name == item.name]
        if not there:
            raise SluiceError(f"{item.kind} {item.name} is not to be found any more; apply again")
        found = there[0]
        if found.action is Action.BLOCKED:
            raise NotPossible(f"{found.kind} {found.name}: {found.why}")
        if not found.is_work:
            break
    return found


def _found_as(plan: Plan, item: Item) -> str:
    for each in plan.items:
        if (each.step, each.name) == (item.step, item.name):
            return each.action.value
    return "not there"
