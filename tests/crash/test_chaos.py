"""The short form of the crash suite: every fail point and every kind of fault once, then the judge.

`make crash` is the long form. What it found is a test of its own, in the folder it belongs to.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress

import pytest

from tests.crash.chaos.points import POINTS
from tests.e2e.process import ROOT

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]

SEED = 1
WEBHOOKS_PER_SECOND = 80


async def test_whatever_breaks_every_acknowledged_event_is_delivered_or_visible() -> None:
    words = ("--short", "--seed", str(SEED), "--rate", str(WEBHOOKS_PER_SECOND))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.crash.chaos", *words,
        cwd=ROOT, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await process.communicate()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()

    # With a test that failed: what was done, the stories, and where the logs are.
    print(err.decode())
    assert process.returncode == 0
    report = json.loads(out)
    assert (report["lost"], report["problems"]) == (0, [])
    assert report["acknowledged"] > 1_000
    assert report["by_kind"]["kill_at"] == len(POINTS)
