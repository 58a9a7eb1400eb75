"""What the sandbox's Customer.io holds, and the key it lies under in its application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    from app.sandbox.control.faults import Faults
    from app.sandbox.customerio.reporting.courier import Courier
    from app.sandbox.customerio.workspace import Workspaces


@dataclass(frozen=True, slots=True)
class CustomerIo:
    """`clock`: Unix seconds."""

    clock: Callable[[], float]
    workspaces: Workspaces
    courier: Courier
    faults: Faults


CUSTOMERIO: Final = web.AppKey("customerio", CustomerIo)
