"""The main job: what Customer.io sent is in Platform once, valid, and the rest is a dead letter."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from app.core.event import SEND_TEST_EVENT_ID
from app.sandbox.traffic import Shares, Shot, ShotKind, every_kind, shots
from app.store.dead_letters import DeadLetters, Filter
from tests.e2e.process import ROOT
from tests.e2e.system import INLETS, System, event_id_of

# The whole of it, as the issue has it: E2E_COUNT=20000.
COUNT = int(os.environ.get("E2E_COUNT", "5000"))
SEED = 20_260_101

FIXTURES = sorted((ROOT / "tests/fixtures/customerio").glob("*.[jr][sa]*"))
SEND_TEST = [path for path in FIXTURES if path.name.startswith("send-test")]
# Several of the published samples share an id: each gets one of its own, or it were a duplicate.
NEW_ID = "01K00000000000000000000{:03d}"


async def dead_bodies(system: System) -> Counter[bytes]:
    async with system.store() as store:
        letters = DeadLetters(store)
        numbers = [letter.number async for letter in letters.find(Filter())]
        return Counter(letter.body for letter in await letters.get(numbers))


@pytest.mark.timeout(600)
async def test_each_event_arrives_once_and_the_dead_letters_are_exactly_the_garbage(
    system: System,
) -> None:
    mix = ["--duplicates", "0.05", "--garbage", "0.01", "--seed", str(SEED)]

    answered = await system.sluice("send", "--count", str(COUNT), *mix, "--json")
    assert answered.code == 0, answered.err
    row = await system.settled(seconds=60 + COUNT / 500)

    summary = answered.json
    sent = list(shots(SEED, COUNT, Shares(duplicates=0.05, garbage=0.01)))
    garbage = Counter(shot.body for shot in sent if shot.kind is ShotKind.GARBAGE)
    events = {event_id_of(shot.body) for shot in sent if shot.kind is ShotKind.EVENT}
    assert len(garbage) > 10
    assert await system.arrived() == dict.fromkeys(events, 1)
    assert await system.failed_later() == []
    # A post whose answer never came was sent again, and then more was received than acknowledged.
    if not summary["unclear"]:
        assert await dead_bodies(system) == garbage
        assert summary["ledger"] == {name: getattr(row, name) for name in summary["ledger"]}
    assert set(await dead_bodies(system)) == set(garbage)
    checked = await system.sluice("ledger", "--check", "--json")
    assert (checked.code, checked.json["balanced"]) == (0, True)
    assert checked.json["rows"][0]["delivered"] == len(events)


@pytest.mark.parametrize("connection", ["example", "raw", "singly"])
async def test_every_published_body_arrives_valid_and_the_send_test_as_a_test(
    system: System, tmp_path: Path, connection: str
) -> None:
    words: list[str] = []
    ids = set()
    for number, path in enumerate(FIXTURES):
        body = path.read_bytes()
        if path not in SEND_TEST:
            new_id = NEW_ID.format(number)
            body = body.replace(event_id_of(body).encode(), new_id.encode())
            ids.add(new_id)
        copy = tmp_path / path.name
        copy.write_bytes(body)
        words += ["--body", str(copy)]
    url = f"{system.receiver_url}/webhooks/{connection}"

    sent = await system.sluice(
        "send", "--json", "--url", url, "--key-env", "EXAMPLE_SIGNING_KEY", *words
    )

    assert sent.code == 0, sent.err
    row = await system.settled(connection)
    assert len(SEND_TEST) == 1
    assert (row.tests, row.delivered, row.dead) == (1, len(FIXTURES) - 1, 0)
    arrived = await system.arrived(connection)
    assert arrived == dict.fromkeys(ids, 1)
    assert SEND_TEST_EVENT_ID not in arrived
    assert await system.failed_later() == []
    assert connection in (await system.balance()).last_tests


async def test_every_kind_of_event_is_a_valid_record(system: System) -> None:
    bodies = every_kind(7)

    await system.send(Shot(ShotKind.EVENT, n, body) for n, body in enumerate(bodies))

    row = await system.settled()
    assert (row.delivered, row.dead) == (len(bodies), 0)
    assert await system.arrived() == {event_id_of(body): 1 for body in bodies}
    assert await system.failed_later() == []


async def test_raw_mode_passes_each_body_on_as_it_came(system: System) -> None:
    body = every_kind(8)[0]

    await system.send([Shot(ShotKind.EVENT, 0, body)], "raw")

    await system.settled("raw")
    page = await system.ask("/received?limit=10")
    [record] = [r for r in page["records"] if r["inlet"] == INLETS["raw"]["id"]]
    assert record["record"] == json.loads(body)
