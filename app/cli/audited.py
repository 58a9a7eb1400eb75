"""Acts of commands in the audit trail: written down first, then done."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.cli.acting import operator
from app.cli.reading import with_store
from app.store.audit import Audit
from app.store.connect import Store

T = TypeVar("T")


def audited(act: str, target: str, do: Callable[[Store], Awaitable[T]], **details: object) -> T:
    """What `do` answers. Raises ConfigError, and SluiceError when Redis is away."""

    async def both(redis: Store) -> T:
        machine = socket.gethostname()
        await Audit(redis).record(operator(), act, on=target, **details, origin=machine)
        return await do(redis)

    return with_store(both)
