"""One part of a page, on its own: what goes wrong in it is said in it, beside what was known last.

So a page stands while Redis is away, and says how old its data is.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import structlog
from aiohttp import web

from app.core.errors import ConfigError, StoreUnavailable

log = structlog.get_logger(__name__)

T = TypeVar("T")

_PATIENCE_SECONDS: Final = 8.0
_KEPT: Final = 64

_WHY: Final = {
    "away": "Redis cannot be reached",
    "loading": "Redis is loading its data",
    "readonly": "Redis takes no writes",
    "full": "Redis is full",
    "busy": "Redis is busy with a long command",
    "disk": "Redis cannot write to its disk",
}


@dataclass(frozen=True, slots=True)
class Panel(Generic[T]):
    """`data` as of `at_ms`, None when there never was any; `fault`: why it is not of now, or ""."""

    data: T | None
    at_ms: int
    fault: str = ""

    @property
    def age_seconds(self) -> float:
        """How old the data is."""
        return max(0.0, time.time() - self.at_ms / 1000)


class Panels:
    """Asks for parts of pages, and remembers the last answers."""

    def __init__(self) -> None:
        self._last: OrderedDict[Hashable, Panel[Any]] = OrderedDict()

    async def show(
        self, key: Hashable, ask: Callable[[], Awaitable[T]], *, keep: bool = True
    ) -> Panel[T]:
        """What `ask` answers, or why it does not and what it answered last. Raises nothing
        but web.HTTPException.

        `keep` False: personal data, which is not to lie about here.
        """
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                panel = Panel(await ask(), now_ms())
        except web.HTTPException:
            raise  # an answer to what was asked, and of the whole page
        except Exception as fault:
            last = self._last.get(key)
            told = explain(fault)
            return Panel(last.data, last.at_ms, told) if last else Panel(None, now_ms(), told)
        if keep:
            self._last[key] = panel
            self._last.move_to_end(key)
            while len(self._last) > _KEPT:
                self._last.popitem(last=False)
        return panel


def explain(fault: Exception) -> str:
    """A fault in a sentence for operators. What is a bug of ours goes to the log."""
    match fault:
        case StoreUnavailable(reason=reason):
            return f"{_WHY.get(reason, 'Redis cannot be used')}."
        case ConfigError(faults=faults):
            return "The configuration cannot be read: " + "; ".join(faults)
        case TimeoutError():
            return f"This took longer than {_PATIENCE_SECONDS:.0f} seconds."
    # Not its text: that may hold values of events.
    log.error("console.panel_failed", exc_info=fault)
    return f"A fault of the console's own ({type(fault).__name__}); its log says more."


def now_ms() -> int:
    """Unix ms."""
    return time.time_ns() // 1_000_000
