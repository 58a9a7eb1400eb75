"""The short form of the crash suite: every fail point and every kind of fault once, then the judge.

`make crash` is the long form. What it found is a test of its own, in the folder it belongs to.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.crash.chaos.plan import every
from tests.crash.chaos.points import POINTS
from tests.crash.chaos.run import Run, line
from tests.crash.chaos.story import tell_stories

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]

SEED = 1
WEBHOOKS_PER_SECOND = 80


async def test_whatever_breaks_every_acknowledged_event_is_delivered_or_visible(
    tmp_path: Path,
) -> None:
    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s {text}")

    run = Run(tmp_path, SEED, WEBHOOKS_PER_SECOND, tell)
    report = await run.run(every(SEED), None)

    print(line(report))
    tell_stories(tmp_path, report)
    assert (report.verdict.lost, report.verdict.problems) == ([], [])
    assert report.done["kill_at"] == len(POINTS)
