"""Dead letters for the console's pages to show."""

from __future__ import annotations

from dataclasses import replace

import orjson
from arq.connections import ArqRedis

from app.core.dead_letter import DeadLetter
from app.store.dead_letters import DeadLetters, Filter
from app.web.console.config import Console
from tests.dead import bury, letter_of
from tests.web.console.conftest import Browser


def bodies(count: int) -> list[bytes]:
    """Events of two people and two campaigns, which take turns."""
    return [
        orjson.dumps(
            {
                "event_id": f"01HF{at:022d}",
                "object_type": "email",
                "metric": "sent",
                "timestamp": 1_700_000_000,
                "data": {
                    "campaign_id": 5 + at % 2,
                    "identifiers": {"email": f"person{at % 2}@example.com"},
                    "subject": f"Secret {at}",
                },
            }
        )
        for at in range(count)
    ]


async def two_causes(redis: ArqRedis, count: int = 6) -> list[int]:
    """Their numbers. The first cause has the letters 0, 2, 4, ..."""
    letters = [letter_of(body, at, causes=2) for at, body in enumerate(bodies(count))]
    return await bury(redis, letters)


async def marks(console: Console) -> list[str]:
    """Fingerprints, the newest death first."""
    return [summary.fingerprint async for summary in DeadLetters(console.redis).find(Filter())]


def failed(at: int = 0) -> DeadLetter:
    """A letter with body and record, that died at a field which a mapping row wrote."""
    body = orjson.dumps(
        {
            "event_id": f"01HF{at:022d}",
            "object_type": "email",
            "metric": "sent",
            "timestamp": 1_700_000_000,
            "data": {"a0": "seven", "subject": "Secret", "identifiers": {"email": "a@b.example"}},
        }
    )
    record = orjson.dumps({"_id": "x", "_acme": {"field0": "seven", "other": 1}})
    return replace(letter_of(body, at, causes=1), record=record)


def event(**data: object) -> bytes:
    """An event that the example's mapping set takes."""
    document = {"event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ", "object_type": "email", "metric": "sent"}
    return orjson.dumps({**document, "timestamp": 1_700_000_000, "data": data})


GOOD = event(customer_id="c1", delivery_id="D1", identifiers={"id": "c1"}, subject="Hello")


async def an_event(console: Console, body: bytes = GOOD) -> str:
    [number] = await bury(console.redis, [letter_of(body)])
    return f"/dead-letters/{number}/edit"


async def frozen(console: Console, browser: Browser, **asked: str) -> str:
    """The address of a replay whose selection is complete."""
    answer = await browser.post("/replays/freeze", asked)
    assert answer.status == 303
    return answer.headers["Location"]
