"""Acts of commands in the audit trail: written down first, then done."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from app.cli.reading import with_store
from app.store.audit import Audit
from app.store.connect import Store

T = TypeVar("T")


def audited(act: str, target: str, do: Callable[[Store], Awaitable[T]], **details: object) -> T:
    """What `do` answers. Raises ConfigError, and SluiceError when Redis is away."""

    async def both(redis: Store) -> T:
        await Audit(redis).record(_me(), act, on=target, **details, origin=socket.gethostname())
        return await do(redis)

    return with_store(both)


def _me() -> str:
    """Who called the command, as far as the machine knows."""
    with suppress(KeyError, OSError):  # a container's user need not have a name
        return f"cli:{getpass.getuser()}"
    return "cli"
