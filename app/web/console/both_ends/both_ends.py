"""The setups that there are, and what is asked of them: looks, plans, and acts in the background.

One act at a time for each connection: here by the work that is under way, and between processes by
the engine's own lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from aiohttp import web

from app.connect.destroying import Doomed
from app.connect.lane import Lane
from app.connect.plan import Action, Item, Plan
from app.connect.standing import Standing
from app.connect.wiring import Wiring, wired
from app.core.curl import Show
from app.core.errors import SluiceError, StoreUnavailable
from app.settings import Settings, load_settings
from app.settings.load_setups import load_setup, setup_names
from app.settings.setups import Setup
from app.store.connect import Store
from app.web.console.both_ends.looking import Looks
from app.web.console.both_ends.wording import digest, digest_of
from app.web.console.both_ends.work import Changed, Work


class Open(Protocol):
    """As app.connect.wiring.wired."""

    def __call__(
        self,
        settings: Settings,
        setup: Setup,
        redis: Store | None,
        *,
        show: Show | None = None,
        signing_key: bytes = b"",
    ) -> AbstractAsyncContextManager[Wiring]: ...


# What another signing key leads to, and nothing else.
_OF_A_KEY: Final = frozenset({"signing_key", "test", "webhook_on", "lane", "test_counted"})

# A dataset goes with its data, and that is typed, too.
DATA_WORDS: Final = "delete the data"


def _of_a_key(item: Item) -> bool:
    if item.step == "connection_file" and item.action is Action.CHANGE:
        return all(each.path.startswith("signing_keys") for each in item.differences)
    return item.step in _OF_A_KEY


class BothEnds:
    """`environ`: for the settings, and for what setups refer to. What is read is read anew each
    time. Raises ConfigError for files that cannot be used, SluiceError and its kin for the rest."""

    def __init__(self, environ: Mapping[str, str], redis: Store, open_ends: Open = wired) -> None:
        self.environ = environ
        self.looks = Looks(self._standing)
        self._redis = redis
        self._open = open_ends
        self._works: dict[str, Work] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # --- what there is ---

    @property
    def settings(self) -> Settings:
        """Those of now."""
        return load_settings(self.environ)

    def names(self) -> list[str]:
        """The setups, by name."""
        return setup_names(self.settings.folders)

    def setup(self, name: str) -> Setup:
        """Raises ConfigError with all that is wrong with it."""
        return load_setup(self.settings.folders, name, self.environ)

    def work(self, name: str) -> Work | None:
        """The act that is under way, or was the last one since this console began."""
        return self._works.get(name)

    async def plan(self, name: str, *, like_tutorial: str = "") -> Plan:
        """What apply would do now, or would, were it to make what Adobe's tutorial does (one of
        TUTORIALS). Only looks."""
        setup = await asyncio.to_thread(self.setup, name)
        async with self._open(self.settings, setup, await self._usable(name)) as wiring:
            return await wiring.plan(like_tutorial=like_tutorial)

    async def doomed(self, name: str, *, dataset: bool, retired_only: bool = False) -> Doomed:
        """What destroy would take away; `retired_only`: what was replaced, and nothing else. Only
        looks."""
        setup = await asyncio.to_thread(self.setup, name)
        async with self._open(self.settings, setup, self._redis) as wiring:
            return await wiring.doomed(dataset=dataset, retired_only=retired_only)

    # --- acts ---

    def apply(self, name: str, by: str, expected: str) -> Work:
        """Does what the plan with the digest `expected` shows. Raises HTTPConflict when another act
        is under way, here and below."""

        async def do(work: Work, wiring: Wiring) -> None:
            plan = await wiring.plan()
            if digest(plan) != expected:
                raise Changed(plan)
            work.expect(plan.work)
            await wiring.apply(plan, tell=work.heard, ask_key=work.ask_key)

        return self._begin(name, "apply", by, do)

    def rekey(self, name: str, by: str, key: bytes) -> Work:
        """Another signing key before the one that is kept, and a test with it."""

        async def do(work: Work, wiring: Wiring) -> None:
            plan = await wiring.plan()
            if not all(_of_a_key(item) for item in plan.work):
                raise SluiceError("There is more to do than the signing key: apply the plan first")
            work.expect(plan.work)
            await wiring.apply(plan, tell=work.heard)

        return self._begin(name, "signing key", by, do, signing_key=key)

    def switch(self, name: str, by: str, *, enabled: bool, webhook: bool) -> Work:
        """The dataflow on or off, and with `webhook` Customer.io's sending."""

        async def do(work: Work, wiring: Wiring) -> None:
            await wiring.set_enabled(enabled, webhook=webhook, tell=work.heard)

        return self._begin(name, "enable" if enabled else "disable", by, do)

    def test(self, name: str, by: str) -> Work:
        """A signed test event through the public URL."""

        async def do(work: Work, wiring: Wiring) -> None:
            await wiring.test(tell=work.heard)

        return self._begin(name, "test", by, do)

    def destroy(
        self, name: str, by: str, expected: str, *, dataset: bool, retired_only: bool = False
    ) -> Work:
        """Takes away what was shown."""

        async def do(work: Work, wiring: Wiring) -> None:
            what = await wiring.doomed(dataset=dataset, retired_only=retired_only)
            if digest_of(what.document()) != expected:
                raise SluiceError("What would go is not what you were shown any more: look again")
            work.expect(what.items, "destroy")
            await wiring.destroy(what, tell=work.heard)

        return self._begin(name, "destroy", by, do)

    async def close(self) -> None:
        """Ends what is under way; it can be begun again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.looks.close()

    def _begin(
        self,
        name: str,
        what: str,
        by: str,
        do: Callable[[Work, Wiring], Awaitable[None]],
        signing_key: bytes = b"",
    ) -> Work:
        before = self._works.get(name)
        if before is not None and not before.state.over:
            raise web.HTTPConflict(text=f"{before.by}'s {before.what} of {name} is under way.")
        work = self._works[name] = Work(name, what, by)

        async def wire(work: Work) -> None:
            setup = await asyncio.to_thread(self.setup, name)
            opened = self._open(
                self.settings, setup, self._redis, show=work.called, signing_key=signing_key
            )
            async with opened as wiring:
                await do(work, wiring)

        async def run() -> None:
            try:
                await work.run(wire)
            finally:
                self.looks.stale(name)

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return work

    async def _standing(self, name: str) -> Standing:
        setup = await asyncio.to_thread(self.setup, name)
        async with self._open(self.settings, setup, await self._usable(name)) as wiring:
            return await wiring.status()

    async def _usable(self, name: str) -> Store | None:
        """Redis, or None when it is away: both ends can be looked at without it."""
        try:
            await Lane(self._redis, name).held()
        except StoreUnavailable:
            return None
        return self._redis
