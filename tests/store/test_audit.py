"""The audit trail."""

from __future__ import annotations

import pytest
from arq.connections import ArqRedis

from app.store.audit import Audit


async def test_what_was_noted_is_read_newest_first_page_by_page(store: ArqRedis) -> None:
    audit = Audit(store)
    for number in range(7):
        await audit.note("ada", "lane.paused", f"c{number}", "10.0.0.1", reason="why", seconds=None)

    first = await audit.read(count=3)
    second = await audit.read(first[-1].entry_id, count=3)
    third = await audit.read(second[-1].entry_id, count=3)

    targets = [entry.target for page in (first, second, third) for entry in page]
    assert targets == [f"c{number}" for number in reversed(range(7))]
    one = first[0]
    assert (one.actor, one.act, one.origin) == ("ada", "lane.paused", "10.0.0.1")
    assert one.details == {"reason": "why", "seconds": None}
    assert one.at_ms > 1_700_000_000_000


async def test_long_texts_are_cut(store: ArqRedis) -> None:
    audit = Audit(store)
    await audit.note("ada", "x", "t" * 10_000, reason="r" * 10_000)
    (entry,) = await audit.read()
    assert (len(entry.target), len(entry.details["reason"])) == (500, 500)


@pytest.mark.parametrize(
    "before", ["x", "1", "1-x", "-", "+", "(1-1", "1-1\n", "\u00b2-1", "9" * 30 + "-1"]
)
async def test_what_is_no_entry_is_refused(store: ArqRedis, before: str) -> None:
    with pytest.raises(ValueError, match="no entry"):
        await Audit(store).read(before)
