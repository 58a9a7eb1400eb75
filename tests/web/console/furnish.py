"""A Redis that has something to show, all of it hostile: whoever sends an event may put any text
into it, and so may who types a reason."""

from __future__ import annotations

import time

import orjson
from arq.connections import ArqRedis

from app.core.batch import AttemptRun, encode_received
from app.core.batch_id import BatchId
from app.core.dead_letter import DeadLetter, DeadLetterSummary
from app.core.event import parse_event
from app.core.replay_run import Orders
from app.store.audit import Audit
from app.store.batches import Batches
from app.store.claims import Claims
from app.store.dead_letters import Filter
from app.store.lanes import Lanes
from app.store.recipes import Recipes
from app.store.replay_runs import ReplayRuns
from app.store.samples import Samples
from app.store.settlement import Settlement
from app.store.traces import RequestTrace, encode_trace

# For HTML, attributes, JSON islands, templates, URLs and spreadsheets at once.
HOSTILE = (
    "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}${7*7}"
    "<!--]]>=cmd|' /C calc'!A0\u202e\x00"
)
DELIVERED = "01HF0000000000000000000001"
DEAD = "01HF0000000000000000000002"
WAITING = "01HF0000000000000000000003"
TAIL = "01HF0000000000000000000004"
RECIPE = "hostile"


def body_of(event_id: str, **data: object) -> bytes:
    """A webhook's body."""
    document = {"event_id": event_id, "object_type": "email", "metric": "sent"}
    return orjson.dumps({**document, "timestamp": 1_700_000_000, "data": data})


def recipe_text() -> str:
    """A recipe that may be read, and says nothing good."""
    document = {
        "about": HOSTILE,
        "selection": {"connection": "example", "text": HOSTILE[:40]},
        "steps": [
            {"set": f"/data/{HOSTILE.replace('~', '')}", "value": HOSTILE},
            {"map_value": "/data/subject", "values": {HOSTILE: HOSTILE}, "optional": True},
        ],
    }
    return orjson.dumps(document).decode()


async def furnish(redis: ArqRedis, connection: str = "example") -> int:
    """One event delivered, one dead, one waiting behind a lane that is held back; the number of
    the dead letter."""
    batches, now = Batches(redis, "one"), 1_700_000_000_000
    bodies = [body_of(DELIVERED), body_of(DEAD, subject=HOSTILE)]
    for body in bodies:
        parse_event(body)
    name = await batches.commit(connection, encode_received(bodies, [now, now]), 2)
    batch_id = BatchId.parse(name)
    await Claims(redis).claim(
        connection, batch_id.number, [(DELIVERED, 1_700_000_000), (DEAD, 1_700_000_000)]
    )
    await batches.take([name])
    sent = RequestTrace(now + 50, "delivered", 200, HOSTILE, 1)
    trace = encode_trace(now, 2, 0, 0, 1, 1, [sent], HOSTILE, batch_id.hour)
    letters = [_letter(batch_id, bodies[1])]
    await batches.settle(batch_id, Settlement(delivered=1, letters=letters, trace=trace))
    runs = ReplayRuns(redis)
    run = await runs.begin(Filter(connection=connection), Orders(), HOSTILE)
    await runs.freeze(run, Filter(connection=connection))
    await runs.start(run.number)
    await runs.pause(run.number, HOSTILE)
    await Recipes(redis).save(RECIPE, recipe_text(), HOSTILE)
    frame = encode_received([body_of(WAITING)], [now])
    await batches.commit(connection, frame, 1)
    await Lanes(redis).pause(connection, f"operator:{HOSTILE}", None, by_operator=True)
    sampled = [body_of(TAIL, subject=HOSTILE), body_of(HOSTILE[:256])]
    now = int(time.time() * 1000)
    await Samples(redis, 1000, 3_600_000).keep(connection, sampled, now)
    about = {"on": HOSTILE, "origin": HOSTILE, "reason": HOSTILE, HOSTILE: HOSTILE}
    await Audit(redis).record(HOSTILE, "lanes.pause", **about)
    await Audit(redis).record("cli:root", HOSTILE, **about)
    return 1


def _letter(batch_id: BatchId, body: bytes) -> DeadLetter:
    summary = DeadLetterSummary(
        0, batch_id.connection, batch_id.hour, "check", HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE,
        HOSTILE, DEAD, 1_700_000_000_000, 1_700_000_000_100, HOSTILE,
    )  # fmt: skip
    record = orjson.dumps({"_id": DEAD, HOSTILE: HOSTILE})
    run = AttemptRun(1, 2, 3, HOSTILE, 400, HOSTILE, HOSTILE, HOSTILE)
    return DeadLetter(summary, body, record, (run,))
