"""What was read, as JSON says it: the same from the command line and from the console's API."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from app.core.lane import messages_per_second
from app.core.moments import hour_text, moment
from app.store.lane_views import LaneView
from app.store.lanes import Gate
from app.store.ledger import Balance, Row
from app.store.traces import EventTrace


def ledger_document(balance: Balance, rows: Iterable[Row], *, by_hour: bool) -> dict[str, Any]:
    """Those rows of a reading, and whether all of it adds up."""

    def plain(row: Row) -> dict[str, Any]:
        found = {**asdict(row), "difference": row.difference}
        hour = found.pop("hour")
        return {**found, "hour": hour_text(hour)} if by_hour else found

    return {
        "rows": [plain(row) for row in rows],
        "balanced": not balance.faults,
        "faults": list(balance.faults),
        "last_send_test": {name: moment(ms) for name, ms in balance.last_tests.items()},
    }


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
