"""What one running sandbox Platform holds, and the key it lies under in its application."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

from aiohttp import web

from app.sandbox.config import SandboxConfig

if TYPE_CHECKING:
    from app.sandbox.control.calls import Calls
    from app.sandbox.control.faults import Faults
    from app.sandbox.control.received import Received
    from app.sandbox.lake.lake import Lake
    from app.sandbox.lake.meters import Meters
    from app.sandbox.plane.judge import Judge
    from app.sandbox.plane.mint import Mint
    from app.sandbox.plane.state import Plane
    from app.sandbox.platform.ims import Ims
    from app.sandbox.platform.inlets import Inlets
    from app.sandbox.platform.later import Later
    from app.sandbox.platform.limits import Limits


@dataclass(frozen=True, slots=True)
class Sandbox:
    """`clock`: Unix seconds; `chance`: where shares are drawn from."""

    config: SandboxConfig
    clock: Callable[[], float]
    chance: random.Random
    inlets: Inlets
    ims: Ims
    limits: Limits
    faults: Faults
    received: Received
    later: Later
    lake: Lake
    meters: Meters
    transactions: count[int]
    calls: Calls
    mint: Mint
    plane: Plane
    judge: Judge
    sandbox_id: str

    def transaction(self, now_ms: int) -> str:
        """The next xactionId or batchId, in the form of the reference's samples."""
        return f"{now_ms}:{next(self.transactions)}:{self.chance.randrange(1000)}"


SANDBOX: Final = web.AppKey("sandbox", Sandbox)
