"""A batch that outlived several workers is halved, until the event that kills is alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import structlog

from app.core.errors import UnreadableEvent
from app.core.event import parse_event, peek_event
from app.store.batches import SUSPECT_TAKES
from app.store.settlement import Settlement
from worker.story import Story

log = structlog.get_logger()

# Taken once more, a half is as suspect as the whole was.
_TAKES_OF_A_HALF: Final = SUSPECT_TAKES - 1


def isolate(story: Story, marked: set[int]) -> Settlement:
    """What the store is to book: two halves, due at once, or the dead letter of an event that was
    alone. Neither has what Platform took already: the positions that are `marked`.

    Copies of one event are counted here: a claim is the whole batch's, so halves with a copy each
    would both send it. One half only when there is nothing else, and none when nothing is left.
    """
    taken = story.taken
    delivered = marked & set(range(len(story.batch.bodies)))
    kept = _one_of_each(story, delivered)
    story.delivered += len(delivered)
    story.duplicates += len(story.batch.bodies) - len(delivered) - len(kept)
    if kept and taken.batch_id.events == 1:
        story.poison(0, taken.takes - 1)
        log.error("event.poison", batch=str(taken.batch_id), takes=taken.takes - 1)
        return story.settlement(0)
    if kept:
        log.error("batch.split", batch=str(taken.batch_id), takes=taken.takes - 1)
    middle = len(kept) // 2
    halves = [story.part(half, _TAKES_OF_A_HALF) for half in (kept[:middle], kept[middle:]) if half]
    return replace(story.settlement(0), successors=tuple(halves))


def _one_of_each(story: Story, delivered: set[int]) -> list[int]:
    """The positions that were not delivered, without copies of those, nor of events before them, as
    Pipeline counts them."""
    seen = {_copied_by(story, position) for position in delivered} - {""}
    kept = []
    for position in range(len(story.batch.bodies)):
        if position in delivered:
            continue
        event_id = _copied_by(story, position)
        if event_id not in seen:
            kept.append(position)
        if event_id:
            seen.add(event_id)
    return kept


def _copied_by(story: Story, position: int) -> str:
    """The event id by which copies of an event are known; "" when each counts by itself."""
    body = story.batch.bodies[position]
    if position in story.batch.ready:
        return peek_event(body)[0]
    try:
        event = parse_event(body)
    except UnreadableEvent:
        return ""
    return "" if event.is_send_test else event.event_id
