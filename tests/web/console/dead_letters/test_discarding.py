"""Letters are taken away for good."""

from __future__ import annotations

import pytest

from app.store.dead_letters import DeadLetters
from app.store.ledger import Ledger
from app.web.console.config import Console
from app.web.console.pages.dead_letters import discarding
from tests.web.console.conftest import Visit, field_of
from tests.web.console.dead_letters.letters import (
    marks,
    two_causes,
)


async def test_discarding_takes_a_reason_and_the_number_typed(
    console: Console, visit: Visit
) -> None:
    numbers = await two_causes(console.redis)
    mark = (await marks(console))[0]
    browser = await visit(console, "operator")
    _, page = await browser.get(f"/dead-letters/discard?fingerprint={mark}")
    fields = {"act": "discard", "fingerprint": mark, "up_to": field_of(page, "up_to")}
    assert "Type 3, their number" in page and fields["up_to"] == str(numbers[-1])
    await two_causes(console.redis, 2)

    for wrong in ({"count": "3"}, {"count": "4", "reason": "r"}, {"reason": "r"}):
        answer = await browser.post("/dead-letters/discard", fields | wrong)
        assert answer.status == 422, "and what died since is not in it"
    assert len(await marks(console)) == 8
    right = fields | {"count": "3", "reason": "a <b>test</b>"}
    assert (await browser.post("/dead-letters/discard", right)).status == 303
    left = await marks(console)
    assert (len(left), left.count(mark)) == (5, 1)
    entries, _ = await console.audit.page()
    assert entries[0].what == "dead-letters.discard"
    assert (entries[0].about["letters"], entries[0].about["reason"]) == (3, "a <b>test</b>")
    balance = await Ledger(console.redis).read()
    assert sum(row.discarded for row in balance.rows) == 3 and not balance.faults


async def test_one_letter_is_discarded(console: Console, visit: Visit) -> None:
    await two_causes(console.redis)
    browser = await visit(console, "operator")
    _, page = await browser.get("/dead-letters/discard?number=2")
    assert "Type 1, their number" in page
    fields = {"act": "discard", "number": "2", "count": "1", "reason": "r"}
    assert (await browser.post("/dead-letters/discard", fields)).status == 303
    assert await DeadLetters(console.redis).summaries([2]) == []
    assert len(await marks(console)) == 5
    again = await browser.post("/dead-letters/discard", fields)
    assert again.status == 422
    assert (
        "There is no such dead letter" in (await browser.get("/dead-letters/discard?number=2"))[1]
    )


async def test_more_than_a_browser_waits_for_is_left_to_the_command(
    console: Console, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discarding, "MOST", 3)
    await two_causes(console.redis)
    browser = await visit(console, "operator")
    _, page = await browser.get("/dead-letters/discard")
    assert "sluice dead-letters discard" in page and 'name="count"' not in page
    for count in ("3", "4", "6"):
        fields = {"act": "discard", "count": count, "reason": "r"}
        assert (await browser.post("/dead-letters/discard", fields)).status == 422
    assert len(await marks(console)) == 6
