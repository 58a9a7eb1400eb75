"""Faults are planted one by one into a whole connection: the doctor finds each, and its fix."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from tests.cli.doctor.planted import (
    PLANTED,
)
from tests.cli.doctor.whole import Whole, troubles

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("name", PLANTED)
async def test_the_doctor_finds_a_planted_fault_and_names_its_fix(whole: Whole, name: str) -> None:
    fault = PLANTED[name]
    await done(fault.plant(whole))
    try:
        found = troubles(await whole.examined())
    finally:
        if fault.undo is not None:
            await done(fault.undo(whole))

    said = [
        each for each in found if each.check == fault.check and each.subject.endswith(fault.subject)
    ]
    told = [each for each in said if fault.text in each.text]
    assert len(told) == 1, said
    assert told[0].level is fault.level
    assert fault.fix in told[0].fix


async def done(act: Awaitable[Any] | None) -> None:
    if act is not None:
        await act
