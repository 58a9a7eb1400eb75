"""Children take up a change of what they run on: restarted one by one, none missing meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from app.web.slot import Slot

log = structlog.get_logger(__name__)


class Configuration(Protocol):
    """What the children run on, which may change."""

    @property
    def handed(self) -> bytes:
        """What each child reads from its control socket first; how many bytes, is the last word of
        its command line."""
        ...

    async def changed(self) -> None:
        """Returns when `handed` is another, and all children must have it."""
        ...

    async def look(self) -> bool:
        """Looks at once. False: what is there is not valid, which was said."""
        ...


class Fixed:
    """Children that find out for themselves what they run on."""

    handed = b""

    async def changed(self) -> None:
        await asyncio.Event().wait()

    async def look(self) -> bool:
        return True


class Rolling:
    """Restarts what is in `slots`, after a change of the configuration and when asked to."""

    def __init__(
        self, slots: Sequence[Slot], configuration: Configuration, roll_again_seconds: float
    ) -> None:
        self._slots = slots
        self._configuration = configuration
        self._roll_again_seconds = roll_again_seconds
        self._asked: asyncio.Task[None] | None = None
        # One roll at a time.
        self._roll_lock = asyncio.Lock()
        self._following = asyncio.create_task(self._follow())

    def ask(self) -> None:
        """Restart all, unless that is under way: look first at what they run on."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(self._roll_now())

    async def _roll_now(self) -> None:
        if await self._configuration.look():
            await self._restart_all()
        else:
            log.error("receiver.restart_abandoned", reason="the configuration is not valid")

    async def _follow(self) -> None:
        """For ever: children that run on what is there now."""
        while True:
            await self._configuration.changed()
            while True:
                if await self._restart_all():
                    break
                await asyncio.sleep(self._roll_again_seconds)

    async def _restart_all(self) -> bool:
        async with self._roll_lock:
            log.info("receiver.restart_began", processes=len(self._slots))
            for slot in self._slots:
                if not await slot.replace():
                    log.error(
                        "receiver.restart_abandoned", reason="the new process did not get ready"
                    )
                    return False
            log.info("receiver.restart_finished")
            return True

    async def close(self) -> None:
        """No more restarts."""
        for task in (self._following, self._asked):
            if task is not None:
                task.cancel()
                await asyncio.wait((task,))
