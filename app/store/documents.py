"""What was read, as JSON says it: the same from the command line and from the console's API."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from app.core.lane import messages_per_second
from app.core.moments import moment
from app.store.lane_views import LaneView
from app.store.lanes import Gate
from app.store.traces import EventTrace


def lane_document(view: LaneView, limit: float | None) -> dict[str, Any]:
    """One lane. `limit`: messages/s that its connection is configured for, None when unknown."""
    state, now = view.state, time.time()
    held = state.gate is not Gate.OPEN
    allowed = None if limit is None else round(messages_per_second(view.pace, limit), 1)
    paused = state.gate is Gate.PAUSED and state.seconds is not None
    return {
        "connection": view.connection,
        "state": state.gate.value,
        "since": _time(now - state.held_seconds) if held else None,
        "reason": state.reason or None,
        "next_probe": _time(now + (state.seconds or 0)) if paused else None,
        "allowed_messages_per_second": allowed,
        "in_flight_batches": view.in_work_batches,
        "in_flight_events": view.in_work_events,
        "waiting_batches": view.waiting_batches,
        "waiting_events": view.waiting_events,
        "oldest": moment(view.oldest_ms) if view.oldest_ms is not None else None,
    }


def trace_document(trace: EventTrace) -> dict[str, Any]:
    """What is known of one event on one connection."""
    waiting = trace.waiting
    return {
        "connection": trace.connection,
        "claimed_by_batch": trace.claimed_by,
        "complete": trace.complete,
        "batches": [
            {**asdict(batch), "requests": [r._asdict() for r in batch.requests]}
            for batch in trace.settled
        ],
        "waiting": {**asdict(waiting), "batch_id": str(waiting.batch_id)} if waiting else None,
        "dead_letters": [asdict(letter) for letter in trace.letters],
    }


def _time(seconds: float) -> str:
    return moment(int(seconds * 1000))
