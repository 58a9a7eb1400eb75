"""Plan and apply against both sandboxes, from nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.connect.plan import Action
from tests.connect.stage import Stage, staged

KINDS = {
    "xdm": {},
    "raw": {"platform__source": {"kind": "http_api", "data_type": "raw"}},
    "customerio": {"platform__source": {"kind": "customerio"}},
}


@pytest.fixture(params=KINDS)
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, **KINDS[request.param]) as found:
        yield found


async def test_apply_makes_everything_and_a_second_one_only_looks(stage: Stage) -> None:
    plan = await stage.apply()
    assert {item.action for item in plan.items} <= {
        Action.CREATE, Action.CHANGE, Action.EXISTS, Action.LEAVE,
    }  # fmt: skip
    assert not (await stage.webhook())["disabled"]
    made = await stage.counts()
    print(made)
    await stage.forget()

    again = await stage.apply()

    assert again.work == ()
    assert await stage.writes() == []
    assert await stage.counts() == made
