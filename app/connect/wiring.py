"""One setup's two ends: look, plan, apply, and so on. What the command line and the console call.

async with wired(settings, setup, path, redis) as wiring:
    plan = await wiring.plan()
    await wiring.apply(plan, tell=..., ask_key=...)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from app.connect.destroying import Doomed, doomed
from app.connect.documents import read_documents
from app.connect.ends import Ends, open_ends
from app.connect.engine import carry_out, make_plan
from app.connect.lane import Lane
from app.connect.plan import Plan
from app.connect.removing import destroy
from app.connect.run import Places, Progress, Run, Signatures
from app.connect.signing_keys import drop_outdated
from app.connect.standing import Standing, look
from app.connect.state import StateFile
from app.connect.steps import steps_of
from app.connect.switching import switch
from app.connect.testing import send_again
from app.core.curl import Show
from app.settings import Settings
from app.settings.setups import Setup
from app.store.connect import Store
from app.store.signatures import Signatures as SignaturesInRedis

Tell = Callable[[Progress], None]
AskKey = Callable[[str], Awaitable[bytes | None]]

TUTORIALS: Final = ("api", "ui")


def _silent(_event: Progress) -> None:
    """Nobody watches."""


class Wiring:
    """Made by `wired`. Raises SluiceError and its kin: ApiFault for a call that failed,
    StoreUnavailable, CredentialsRefused, ConfigError for files that a setup names."""

    def __init__(
        self,
        setup: Setup,
        places: Places,
        ends: Ends,
        lane: Lane | None,
        *,
        signing_key: bytes = b"",
        first_key: bytes = b"",
        signatures: Signatures | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.setup = setup
        self._signing_key = signing_key
        self._first_key = first_key
        self._signatures = signatures
        self.places = places
        self.ends = ends
        self._lane = lane
        self._clock = clock
        self._sleep = sleep

    async def plan(self, *, like_tutorial: str = "") -> Plan:
        """What apply would do. Only looks. `like_tutorial`: one of TUTORIALS, or "": as it was
        applied before."""
        file = StateFile(self.places.data_dir, self.setup.name)
        run = self._run(file, like_tutorial or file.state.like_tutorial)
        return await make_plan(steps_of(run), run)

    async def apply(
        self,
        plan: Plan,
        *,
        tell: Tell = _silent,
        ask_key: AskKey | None = None,
        like_tutorial: str = "",
    ) -> None:
        """Does what the plan shows; may be run again at any time, after whatever ended it.

        `ask_key`: is told where the signing key is, and gives it, or None. Raises NotPossible,
        Outdated, KeyMissing beside the others.
        """
        file = StateFile(self.places.data_dir, self.setup.name)
        with file.alone():
            run = self._run(file, like_tutorial or file.state.like_tutorial)
            run.tell, run.ask_key = tell, ask_key
            # Status, updates and the like go by what was applied.
            run.state.like_tutorial = run.tutorial
            await carry_out(steps_of(run), run, plan)
            await drop_outdated(run)

    async def status(self) -> Standing:
        """Every object, the lane, what is left of the five minutes. Only looks."""
        file = StateFile(self.places.data_dir, self.setup.name)
        run = self._run(file, file.state.like_tutorial)
        return await look(steps_of(run), run, self._lane)

    async def set_enabled(self, enabled: bool, *, webhook: bool, tell: Tell = _silent) -> None:
        """The dataflow on or off, and with `webhook` Customer.io's sending, too."""
        file = StateFile(self.places.data_dir, self.setup.name)
        with file.alone():
            run = self._run(file, "")
            run.tell = tell
            await switch(run, enabled, webhook=webhook)

    async def test(self, *, tell: Tell = _silent) -> bool:
        """The signed test event of an apply, sent again through the public URL. Whether a worker
        has counted it; one that the lane holds back is counted later."""
        file = StateFile(self.places.data_dir, self.setup.name)
        with file.alone():
            run = self._run(file, "")
            run.tell = tell
            return await send_again(run)

    async def doomed(self, *, dataset: bool = False, retired_only: bool = False) -> Doomed:
        """What destroy would take away, in its order. Only looks."""
        run = self._run(StateFile(self.places.data_dir, self.setup.name), "")
        return await doomed(run, self._lane, dataset=dataset, retired_only=retired_only)

    async def destroy(self, what: Doomed, *, tell: Tell = _silent) -> None:
        """Takes it away; may be run again."""
        file = StateFile(self.places.data_dir, self.setup.name)
        with file.alone():
            run = self._run(file, "")
            run.tell = tell
            await destroy(run, what)

    def _run(self, file: StateFile, tutorial: str) -> Run:
        return Run(
            self.setup,
            read_documents(self.setup, self.places.folders.config),
            self.places,
            self.ends,
            file,
            self._clock,
            self._sleep,
            tutorial,
            self._lane,
            signing_key=self._signing_key,
            first_key=self._first_key,
            signatures=self._signatures,
        )


def places_of(settings: Settings, setup: Setup, path: Path | None = None) -> Places:
    """Where a setup's things lie. `path`: of the setup's own file, if it is not in its folder."""
    folders = settings.folders
    key = setup.customerio.signing_key_file or f"connect/{setup.name}.signing-key"
    return Places(
        folders,
        settings.data_dir,
        path or folders.file("setups", setup.name),
        folders.file("connections", setup.name),
        settings.data_dir / key,
    )


@asynccontextmanager
async def wired(
    settings: Settings,
    setup: Setup,
    redis: Store | None,
    *,
    path: Path | None = None,
    show: Show | None = None,
    signing_key: bytes = b"",
    first_key: bytes = b"",
) -> AsyncIterator[Wiring]:
    """Both ends open. `redis`: None when there is only looking to be done. `show`: is given every
    call as curl, secrets masked. `signing_key`, `first_key`: as in Run."""
    async with open_ends(setup, show) as ends:
        lane = None if redis is None else Lane(redis, setup.name)
        places = places_of(settings, setup, path)
        yield Wiring(
            setup, places, ends, lane, signing_key=signing_key, first_key=first_key,
            signatures=None if redis is None else SignaturesInRedis(redis, setup.name),
        )  # fmt: skip
