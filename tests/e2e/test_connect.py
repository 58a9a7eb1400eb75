"""From nothing to a delivered event, by one command, with real processes on all sides."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import yaml

from app.sandbox.defaults import APP_KEY, SIGNING_KEY, WORKSPACE
from app.store.lanes import Lanes
from tests.e2e.connecting import LOST_SECONDS, setup_document, write_setup
from tests.e2e.system import Answered, System, running

NAME = "joined"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("connect")
    options = ("--settle-seconds", str(LOST_SECONDS))
    async with running(folder, sandbox=options, environ={"CIO_KEY": APP_KEY}) as started:
        (folder / "key").write_text(SIGNING_KEY)
        yield started


async def webhooks(system: System) -> list[dict[str, Any]]:
    return list((await system.ask(f"/customerio/workspaces/{WORKSPACE}"))["webhooks"])


async def enabled(system: System, joining: asyncio.Task[Answered]) -> None:
    """Returns when Customer.io may send; the command that makes it so must not end before."""
    while not any(not each["disabled"] for each in await webhooks(system)):
        assert not joining.done(), joining.result()
        await asyncio.sleep(0.05)


async def happens(system: System, count: int) -> None:
    """So many events, in Customer.io, which sends them to whoever listens."""
    order = {"count": count, "repeats": 0.0, "families": ["email"], "seed": count}
    await system.ask(f"/customerio/workspaces/{WORKSPACE}/play", "POST", order)


async def delivered(system: System, count: int) -> None:
    deadline = time.monotonic() + 40
    while (row := await system.settled(NAME)).delivered < count:
        assert time.monotonic() < deadline, row
        await asyncio.sleep(0.05)
    assert (row.delivered, row.dead, row.duplicates) == (count, 0, 0)


async def objects(system: System) -> dict[str, int]:
    counts: dict[str, int] = (await system.ask("/objects"))["counts"]
    return {kind: count for kind, count in counts.items() if count}


async def writes(system: System) -> list[str]:
    calls = (await system.ask("/calls"))["calls"]
    return [
        call["path"] for call in calls if call["method"] != "GET" and "/ims/" not in call["path"]
    ]


# Some ten commands one after the other, each a process.
@pytest.mark.timeout(240)
@pytest.mark.asyncio(loop_scope="module")
async def test_one_command_and_events_flow_and_one_command_and_nothing_is_left(
    system: System,
) -> None:
    setup = str(write_setup(system, NAME, setup_document(system)))
    key = str(system.folder / "key")
    words = ("connect", "--from", setup, "--yes", "--signing-key-file", key)

    # Killed when the field group is there, and when the dataflow is.
    for number in (3, 6):
        assert await system.killed_at(number, *words) == -9
    async with system.store() as store:
        held = await Lanes(store).state(NAME)
    # With an end: a command that nobody runs again holds nobody up.
    assert held.reason.startswith("connect:the dataflow is new")
    assert held.seconds
    joining = asyncio.create_task(system.sluice(*words))
    # What comes as soon as Customer.io may send has to wait, or Platform would lose it.
    await enabled(system, joining)
    await happens(system, 25)
    joined = await joining
    assert joined.code == 0, joined.out + joined.err
    await delivered(system, 25)
    inlet = yaml.safe_load((system.folder / "config" / "connections" / f"{NAME}.yaml").read_text())
    inlet_id = inlet["platform"]["url"].rpartition("/")[2]
    lines = await system.ask("/received?ids=true")
    assert sum(line["count"] for line in lines if line["inlet"] == inlet_id) == 25
    assert await system.failed_later() == []
    made = {"connections": 1, "dataSets": 1, "fieldgroups": 1, "flows": 1, "namespaces": 2,
            "schemas": 1, "sourceConnections": 1, "targetConnections": 1}  # fmt: skip
    assert await objects(system) == made
    assert len(await webhooks(system)) == 1

    await system.ask("/calls", "DELETE")
    again = await system.sluice("connection", "apply", NAME, "--yes", "--json")
    assert again.code == 0, again.err
    assert {json.loads(line)["event"] for line in again.out.splitlines()} == {"kept"}
    assert await writes(system) == []
    status = await system.sluice("connection", "status", NAME, "--json")
    assert (status.code, status.json["in_order"], status.json["lane"]) == (0, True, "open")
    plan = await system.sluice("connection", "plan", NAME, "--check", "--show-calls")
    assert plan.code == 0
    assert "curl -X GET" in plan.err
    assert "sandbox-secret" not in plan.err + plan.out
    assert APP_KEY not in plan.err + plan.out

    await a_wrong_key_stops_nothing(system)
    await sent_again(system)
    await switched_off_and_on(system)
    await destroyed(system)
    acts = [entry["what"] for entry in (await system.sluice("audit", "--json")).json]
    assert acts[:4] == [
        "connection.destroy", "connection.enable", "connection.disable", "connection.test",
    ]  # fmt: skip
    assert "connection.apply" in acts


async def a_wrong_key_stops_nothing(system: System) -> None:
    """The one before stays good until Customer.io has signed with a newer."""
    apply, wrong = ("connection", "apply", NAME, "--yes"), system.folder / "wrong"
    wrong.write_text("of another webhook")
    given = await system.sluice(*apply, "--signing-key-file", str(wrong))
    assert given.code == 0, given.err
    beside = await system.sluice(*apply, CUSTOMERIO_SIGNING_KEY="of a third")
    assert (beside.code, "is not taken" in beside.out) == (0, True)
    await happens(system, 5)
    await delivered(system, 30)

    right = await system.sluice(*apply, "--signing-key-file", str(system.folder / "key"))
    assert right.code == 0, right.err
    await happens(system, 7)
    await delivered(system, 37)
    await signed_with_the_newest(system)
    last = await system.sluice(*apply)
    assert "the older one is taken away" in last.out
    file = system.folder / "config" / "connections" / f"{NAME}.yaml"
    assert len(yaml.safe_load(file.read_text())["signing_keys"]) == 1


async def signed_with_the_newest(system: System) -> None:
    """Returns when the doctor says so: receivers write down once a second what they see."""
    deadline, text = time.monotonic() + 20, ""
    while "it signs with the newest key" not in text:
        assert time.monotonic() < deadline, text
        findings = (await system.sluice("doctor", "--connection", NAME, "--json")).json
        [said] = [each for each in findings if each["check"] == "signatures"]
        assert said["level"] == "ok", said
        text = said["text"]


async def sent_again(system: System) -> None:
    """Once more by hand: a worker counts it, and nothing reaches Platform."""
    before = await system.settled(NAME)
    sent = await system.sluice("connection", "test", NAME, "--json")
    assert sent.code == 0, sent.err
    url = f"{system.receiver_url}/webhooks/{NAME}"
    assert sent.json == {"connection": NAME, "url": url, "answered": True, "counted": True}
    after = await system.settled(NAME)
    assert (after.tests, after.delivered) == (before.tests + 1, before.delivered)


async def switched_off_and_on(system: System) -> None:
    """Events of that time wait in Redis."""
    off = await system.sluice("connection", "disable", NAME)
    assert off.code == 0, off.err
    await happens(system, 10)
    status = await system.sluice("connection", "status", NAME, "--json")
    # Platform takes its time, and says so.
    assert status.json["flow_state"] in ("disabling", "disabled")
    assert (status.code, status.json["lane"]) == (1, "paused")
    on = await system.sluice("connection", "enable", NAME)
    assert on.code == 0, on.err
    await delivered(system, 47)


async def destroyed(system: System) -> None:
    refused = await system.sluice("connection", "destroy", NAME, "--dataset", "--yes")
    assert refused.code == 2
    words = ("--dataset", "--yes-delete-the-data", "--yes")
    gone: Answered = await system.sluice("connection", "destroy", NAME, *words)
    assert gone.code == 0, gone.out + gone.err
    # Platform has no call that deletes one.
    assert await objects(system) == {"namespaces": 2}
    assert await webhooks(system) == []
    assert not (system.folder / "config" / "connections" / f"{NAME}.yaml").exists()
    again = await system.sluice("connection", "destroy", NAME, *words)
    assert (again.code, again.out.splitlines()[-1]) == (0, f"{NAME}: there is nothing to destroy")
