"""One event by its id: where it was, and when."""

from __future__ import annotations

from typing import Final, NamedTuple

from aiohttp import web

from app.core.event import EVENT_ID_MAX_CHARS, SEND_TEST_EVENT_ID
from app.core.outcome import Verdict
from app.store.documents import trace_document
from app.store.traces import BatchTrace, EventTrace, find_event
from app.web.console import look
from app.web.console.config import CONSOLE


class Step(NamedTuple):
    """One thing that happened. `tone`: good, bad, wait or plain."""

    at_ms: int
    title: str
    text: str
    tone: str = "plain"


async def page(request: web.Request) -> web.Response:
    """GET /events?id=...&timestamp=..."""
    console = request.app[CONSOLE]
    event_id = request.query.get("id", "").strip()
    timestamp = request.query.get("timestamp", "").strip()
    panel, hint = None, _hint(event_id, timestamp)
    if event_id and not hint:
        panel = await console.panels.show(
            ("event", event_id, timestamp),
            lambda: find_event(console.redis, event_id, None, int(timestamp or 0)),
            keep=False,
        )
    found = [(trace, steps_of(trace)) for trace in (panel.data or [] if panel else [])]
    context = {"event_id": event_id, "timestamp": timestamp, "hint": hint, "panel": panel}
    return look.render(request, "events.html", {**context, "found": found})


async def document(request: web.Request) -> web.Response:
    """GET /api/events/{event_id}, the same as `sluice trace --json`."""
    event_id, timestamp = request.match_info["event_id"], request.query.get("timestamp", "")
    if hint := _hint(event_id, timestamp):
        raise web.HTTPBadRequest(text=hint)
    found = await find_event(request.app[CONSOLE].redis, event_id, None, int(timestamp or 0))
    return look.json_response([trace_document(each) for each in found], 200 if found else 404)


def steps_of(trace: EventTrace) -> list[Step]:
    """The event's story, oldest first."""
    steps = [step for batch in trace.settled for step in _batch_steps(batch)]
    for letter in trace.letters:
        why = " ".join(filter(None, (letter.failure, letter.code, letter.path, letter.detail)))
        steps.append(Step(letter.dead_ms, f"Dead letter {letter.number}", why, "bad"))
    steps.sort(key=lambda step: step.at_ms)
    if waiting := trace.waiting:
        who = f"worked on by {waiting.owner}" if waiting.owner else "waiting"
        text = f"{who} in batch {waiting.batch_id}, tried {waiting.tries} times so far"
        steps.append(Step(waiting.due_ms, "In flight, due", text, "wait"))
    return steps


_TONES: Final = {Verdict.DELIVERED.value: "good", Verdict.REJECTED.value: "bad"}


def _batch_steps(batch: BatchTrace) -> list[Step]:
    parts = (("delivered", batch.delivered), ("duplicates", batch.duplicates),
             ("tests", batch.tests), ("dead", batch.dead))  # fmt: skip
    ends = ", ".join(f"{number:,} {name}" for name, number in parts if number)
    mapped = f"; mapped by {batch.mapping}" if batch.mapping else ""
    rest = f"; the rest went on in batch {', '.join(map(str, batch.successors))}"
    received = f"in batch {batch.number}, with {batch.events - 1:,} others"
    steps = [Step(batch.received_ms, "Received", received)]
    for sent in batch.requests:
        receipt = f", Platform's receipt {sent.receipt}" if sent.receipt else ""
        text = f"{sent.events:,} events in the request: status {sent.status}{receipt}"
        title = f"Sent: {Verdict(sent.verdict).words}"
        steps.append(Step(sent.at_ms, title, text, _TONES.get(sent.verdict, "wait")))
    text = f"of its {batch.events:,} events: {ends or 'none ended'}{mapped}"
    steps.append(
        Step(
            batch.settled_ms,
            f"Batch {batch.number} settled",
            text + (rest if batch.successors else ""),
            "wait" if batch.successors else "plain",
        )
    )
    return steps


def _hint(event_id: str, timestamp: str) -> str:
    """Why there is nothing to look up, or ""."""
    if event_id == SEND_TEST_EVENT_ID:
        return (
            "This is the id of Customer.io's Send Test. Tests are counted, never delivered and not "
            "traced: the ledger says when the last one came."
        )
    if len(event_id) > EVENT_ID_MAX_CHARS:
        return f"An event id has at most {EVENT_ID_MAX_CHARS} characters."
    if timestamp and not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return "The timestamp is in Unix seconds, such as 1700000000."
    return ""
