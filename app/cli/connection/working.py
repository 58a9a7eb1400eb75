"""What these commands share: a setup, its two ends and Redis, for as long as one command takes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from app.cli.acting import operator
from app.connect.lane import Lane
from app.connect.wiring import TUTORIALS, Wiring, wired
from app.core.errors import SluiceError, StoreUnavailable
from app.settings import environment, load_settings
from app.settings.load_setups import load_setup, read_setup, setup_names
from app.settings.setups import Setup
from app.store.audit import Audit
from app.store.connect import Store, open_store

T = TypeVar("T")


def names(incomplete: str) -> list[str]:
    """Setups, for a shell's Tab; whatever is wrong, there are none."""
    try:
        settings = load_settings(environment())
        return [n for n in setup_names(settings.folders) if n.startswith(incomplete)]
    except (SluiceError, OSError):
        return []


Name = Annotated[
    str, typer.Argument(help="The setup: config/setups/NAME.yaml.", autocompletion=names)
]
ShowCalls = Annotated[
    bool, typer.Option("--show-calls", help="Print every call as curl, secrets masked (stderr).")
]
LikeTutorial = Annotated[
    str,
    typer.Option(
        "--like-tutorial",
        metavar="api|ui",
        help=(
            "Exactly the objects of Adobe's Customer.io tutorial, by API or by UI; later commands "
            "keep to it."
        ),
    ),
]


def chosen_tutorial(given: str) -> str:
    """Raises typer.BadParameter."""
    if given and given not in TUTORIALS:
        raise typer.BadParameter("it is `api` or `ui`", param_hint="--like-tutorial")
    return given


def the_setup(name: str, path: Path | None = None) -> Setup:
    """Raises ConfigError with all that is wrong with it."""
    environ = environment()
    folders = load_settings(environ).folders
    if path is not None:
        return read_setup(path, folders.config, environ)
    return load_setup(folders, name, environ)


# As long as a look usually takes, and longer than a person waits without a word.
_SLOW_SECONDS: Final = 5.0


@contextmanager
def told_when_slow() -> Iterator[None]:
    """Says, once and to stderr, that a look at both ends takes its time."""
    text = "still looking: Platform, IMS or Customer.io is slow to answer; --show-calls says which"
    loop = asyncio.get_running_loop()
    timer = loop.call_later(_SLOW_SECONDS, lambda: typer.echo(text, err=True))
    try:
        yield
    finally:
        timer.cancel()


# Writes an act into the audit trail: right before it is done.
Record = Callable[[str], Awaitable[None]]


def with_wiring(
    setup: Setup,
    do: Callable[[Wiring, Record], Awaitable[T]],
    *,
    show_calls: bool = False,
    needs_redis: bool = True,
    signing_key: bytes = b"",
    first_key: bytes = b"",
) -> T:
    """What `do` answers. Raises SluiceError and its kin. `signing_key`, `first_key`: as in Run.

    Without `needs_redis` a Redis that is away is done without: who only looks needs none.
    """

    async def run() -> T:
        async def record(act: str) -> None:
            machine = socket.gethostname()
            await Audit(store).record(operator(), act, on=setup.name, origin=machine)

        settings = load_settings(environment())
        store = open_store(settings.redis, data_dir=settings.data_dir)
        try:
            redis = store if needs_redis else await _usable(store, setup.name)
            show = _show if show_calls else None
            opened = wired(
                settings, setup, redis, show=show, signing_key=signing_key, first_key=first_key
            )
            async with opened as wiring:
                return await do(wiring, record)
        except StoreUnavailable as fault:
            raise SluiceError(
                f"Redis cannot be used ({fault}); the lane is held there while a dataflow is new. "
                "Is it running? SLUICE_REDIS_URL says where it is."
            ) from fault
        finally:
            await store.aclose(close_connection_pool=True)

    return asyncio.run(run())


async def _usable(store: Store, name: str) -> Store | None:
    """The store, or None when it is away: who only looks is told less then."""
    try:
        await Lane(store, name).held()
    except StoreUnavailable:
        return None
    return store


def _show(command: str) -> None:
    typer.echo(f"\n{command}\n", err=True)
