"""What commands ask: the Redis beside them, or a console elsewhere; they need not know which."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.cli.acting import operator
from app.cli.afar.choice import Elsewhere, elsewhere
from app.cli.reading import with_store
from app.core.errors import ConsoleUnavailable, UnreadableFrame
from app.operations.face import Face
from app.settings import environment
from app.store.connect import Store

T = TypeVar("T")


def with_face(ask: Callable[[Face], Awaitable[T]]) -> T:
    """Asks, and closes what it took. Raises ConfigError; SluiceError when Redis or the console is
    away, or the console says no."""
    console = elsewhere()
    if console is None:
        return with_store(lambda redis: ask(_here(redis)))
    return asyncio.run(_through(console, ask))


def _here(redis: Store) -> Face:
    # With the mapping engine, for dry runs: a start is quicker without what is not needed.
    from app.cli.mappings.finding import say
    from app.operations.actor import Actor
    from app.operations.here import Here
    from app.operations.trying import Surroundings
    from app.settings.mapping_sets import Configuration

    actor = Actor(operator(), socket.gethostname())
    return Here(redis, actor, Surroundings(lambda: Configuration(environment()), say))


async def _through(console: Elsewhere, ask: Callable[[Face], Awaitable[T]]) -> T:
    # The client's library costs a tenth of a second: only who needs it loads it.
    from app.cli.afar.client import opened
    from app.cli.afar.elsewhere import Afar

    try:
        async with opened(console) as client:
            return await ask(Afar(client))
    except (KeyError, UnreadableFrame) as fault:
        raise ConsoleUnavailable(
            f"the console at {console.url} answers otherwise than this release expects ({fault}): "
            "is one of the two older?"
        ) from None
