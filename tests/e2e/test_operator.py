"""What an operator asks a running system, and what it answers: words, JSON, exit codes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from app.sandbox.traffic import Shot, ShotKind, generate
from app.store.signs_of_life import signs_of_life
from tests.e2e.system import System, event_id_of

GOOD, MARKED, LATER = generate(11, 3)
BROKEN = b'{"event_id": "01K0000000000000000000DEAD", "metric"'


@pytest.fixture(autouse=True)
async def _letters(system: System) -> None:
    """One delivered event, one dead letter of garbage, one that Platform refused, one waiting."""
    await system.send([Shot(ShotKind.EVENT, 0, GOOD), Shot(ShotKind.GARBAGE, 1, BROKEN)])
    await system.settled()
    await system.fault(partial=1.0, partial_status=400)
    await system.send([Shot(ShotKind.EVENT, 2, MARKED)])
    await system.settled()
    await system.recover()
    await system.fault(status=503)
    await system.send([Shot(ShotKind.EVENT, 3, LATER)])
    await system.fault_hit()


async def traced(system: System, body: bytes) -> dict[str, Any]:
    answered = await system.sluice("trace", event_id_of(body), "--json")
    assert answered.code == 0
    [found] = answered.json
    return dict(found)


async def test_a_trace_tells_delivered_waiting_dead_and_unknown_apart(system: System) -> None:
    # So that what waits stays where it is while it is looked for.
    system.workers[0].terminate()
    await system.workers[0].ended()

    delivered, dead, waiting, unknown, said = await asyncio.gather(
        traced(system, GOOD),
        traced(system, MARKED),
        traced(system, LATER),
        system.sluice("trace", "01K00000000000000000000000", "--json"),
        system.sluice("trace", event_id_of(GOOD)),
    )

    [batch] = delivered["batches"]
    [request] = batch["requests"]
    newest = (await system.ask(f"/received?id={event_id_of(GOOD)}"))["newest"]
    assert (request["verdict"], delivered["waiting"]) == ("delivered", None)
    assert newest["xactionId"].startswith(request["receipt"])
    assert [letter["failure"] for letter in dead["dead_letters"]] == ["contract"]
    assert waiting["waiting"]["tries"] >= 1
    assert waiting["dead_letters"] == []
    assert (unknown.code, unknown.json) == (1, [])
    assert (said.code, request["receipt"] in said.out) == (0, True)


async def test_an_answer_that_was_lost_is_shown_as_maybe_delivered(system: System) -> None:
    [body] = generate(12, 1)
    await system.recover()
    await system.settled()
    await system.fault(garbage=True)
    await system.send([Shot(ShotKind.EVENT, 0, body)])
    await system.fault_hit()
    await system.recover()
    await system.settled()

    said = await system.sluice("trace", event_id_of(body))

    assert "1 sent, maybe delivered" in said.out
    assert "1 sent, delivered" in said.out


async def test_the_ledger_says_where_every_event_is(system: System) -> None:
    in_words, checked = await asyncio.gather(
        system.sluice("ledger"), system.sluice("ledger", "--check", "--json")
    )

    assert (checked.code, checked.json["balanced"]) == (0, True)
    [row] = checked.json["rows"]
    wanted = {"received": 4, "delivered": 1, "dead": 2, "in_flight": 1, "difference": 0}
    assert {name: row[name] for name in wanted} == wanted
    assert (in_words.code, "adds up" in in_words.out) == (0, True)


async def test_dead_letters_are_listed_shown_replayed_and_discarded(system: System) -> None:
    listed, contract, nobody = await asyncio.gather(
        system.sluice("dead-letters", "list", "--json"),
        system.sluice("dead-letters", "list", "--class", "contract", "--json"),
        system.sluice("dead-letters", "list", "--connection", "raw", "--json"),
    )
    [refused] = contract.json
    [garbage] = [letter for letter in listed.json if letter["failure"] == "unreadable"]
    assert (len(listed.json), nobody.json) == (2, [])
    assert (garbage["stage"], garbage["code"]) == ("parse", "not_json")

    shown, gone = await asyncio.gather(
        system.sluice("dead-letters", "show", str(refused["number"]), "--json"),
        system.sluice("dead-letters", "show", "999", "--json"),
    )
    assert shown.json["body"] == MARKED.decode()
    assert shown.json["record"]["_id"] == event_id_of(MARKED)
    assert [run["status"] for run in shown.json["attempts"]] == [400]
    assert gone.code == 1

    await system.recover()
    number = str(refused["number"])
    replayed = await system.sluice("dead-letters", "replay", number, "--json")
    again = await system.sluice("dead-letters", "replay", number, "--json")
    assert (replayed.code, replayed.json) == (0, {"replayed": 1, "chosen": 1})
    assert again.code == 1
    row = await system.settled()
    assert (row.delivered, row.dead) == (3, 1)
    assert event_id_of(MARKED) in await system.arrived()

    which = await system.sluice("dead-letters", "discard", "--yes")
    number = str(garbage["number"])
    discarded = await system.sluice("dead-letters", "discard", number, "--yes", "--json")
    assert which.code == 2
    assert (discarded.code, discarded.json) == (0, {"discarded": 1, "chosen": 1})
    row = await system.row()
    assert (row.received, row.delivered, row.dead, row.discarded) == (4, 3, 0, 1)


async def test_the_doctor_finds_nothing_wrong_and_says_what_is(system: System) -> None:
    broken = system.folder / "config/connections/broken.yaml"

    # Both are seen again, after the test before threw everything away.
    async with system.store() as store:
        while len(await signs_of_life(store)) < 2:  # noqa: ASYNC110  # Redis tells nobody
            await asyncio.sleep(0.05)
    well = await system.sluice("doctor", "--json")
    broken.write_text("name: broken\ntenent: acme\n")
    try:
        wrong = await system.sluice("doctor", "--json")
    finally:
        broken.unlink()

    # The inlets of this system are not all those of the sandbox's dataflow, which it also says.
    levels = {(each["subject"], each["check"]): each["level"] for each in well.json}
    own = {level for (name, _), level in levels.items() if name != "connection guarded"}
    assert "failed" not in own, well.out
    assert levels["connection guarded", "token"] == "ok"
    assert levels["connection guarded", "flow's inlet"] == "failed"
    assert well.code == 1
    assert wrong.code == 1
    assert any("tenent" in json.dumps(finding) for finding in wrong.json)
