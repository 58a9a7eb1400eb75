"""Killed between two lines, from the first word to the lane on: at each such word, each write of
the state file and each wait. The stage looks whether anything would be lost, then or later.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.connect.state import StateFile
from tests.connect.stage import Killed, Stage, staged
from tests.connect.test_kills import KINDS, TINY, changed, left_alone, switched

Act = Callable[[Stage], Awaitable[Any]]

# What is done, and to a connection in which state: with its kind of source.
ACTS: dict[str, tuple[str, Act, Act]] = {
    "first": ("http_api", lambda stage: stage.sleep(0), lambda stage: stage.apply()),
    "mapping": ("customerio", lambda stage: changed(stage, "mapping"), lambda s: s.apply()),
    "dataset": ("http_api", lambda stage: changed(stage, "dataset"), lambda s: s.apply()),
    "disable": ("http_api", lambda stage: stage.apply(), lambda stage: switched(stage, False)),
    "enable": ("http_api", lambda stage: disabled(stage), lambda stage: switched(stage, True)),
}


async def disabled(stage: Stage) -> None:
    await stage.apply()
    await switched(stage, False)
    stage.now += 60


class Fate:
    """Counts moments, and kills at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stage: Stage, at: int = 0) -> None:
        self.moments = 0
        self._at = at
        self._begun = self._over = False
        save, hold, open_, sleep = StateFile.save, stage.lane.hold, stage.lane.open, stage.sleep

        def saved(file: StateFile) -> None:
            save(file)
            self.comes()

        async def held(seconds: float | None, why: str) -> None:
            self._begun = True
            self.comes()
            await hold(seconds, why)
            self.comes()

        async def opened() -> bool:
            self.comes()
            found = await open_()
            self.comes()
            return found

        async def slept(seconds: float) -> None:
            await sleep(seconds)
            # One of the countdown is like another.
            if seconds != 1.0:
                self.comes()

        monkeypatch.setattr(StateFile, "save", saved)
        monkeypatch.setattr(stage.lane, "hold", held)
        monkeypatch.setattr(stage.lane, "open", opened)
        monkeypatch.setattr(stage, "sleep", slept)

    def comes(self) -> None:
        if self._over or not self._begun:
            return
        self.moments += 1
        if self.moments == self._at:
            self._over = True
            raise Killed


@pytest.mark.parametrize("act", ACTS)
async def test_killed_between_any_two_lines_nothing_is_lost_and_it_can_be_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    kind, prepare, do = ACTS[act]
    async with staged(tmp_path / "whole", **KINDS[kind], **TINY) as stage:
        await prepare(stage)
        with monkeypatch.context() as patched:
            fate = Fate(patched, stage)
            await do(stage)
        wanted = await stage.counts()
    assert fate.moments >= 4
    off, switches = act == "disable", act in ("disable", "enable")
    for at in range(1, fate.moments + 1):
        async with staged(tmp_path / str(at), **KINDS[kind], **TINY) as stage:
            await prepare(stage)
            with monkeypatch.context() as patched:
                Fate(patched, stage, at)
                with pytest.raises(Killed):
                    await do(stage)
            left_alone(stage, off=switches)
            stage.now += 700 * (at % 2)
            await do(stage)
            left_alone(stage, off=off)
            assert stage.lane.shut_at(stage.now + 661) == off, at
            assert await stage.counts() == wanted, at
            await stage.apply()
            left_alone(stage, off=off)
            assert (await stage.plan()).work == (), at
