"""Real events for `coverage` and `diff`: from files, from the sample of recent traffic, or dead."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final, TypeVar

import orjson
import typer
from rich.console import Console
from rich.progress import track

from app.cli.mappings.events import read_events
from app.cli.mappings.finding import Configuration
from app.cli.reading import with_store
from app.core.dead_letter import DeadLetter
from app.core.errors import ConfigError
from app.settings import Connection
from app.store.connect import Store
from app.store.dead_letters import REPLAY_BATCH, DeadLetters, Filter
from app.store.samples import Sample, Samples

T = TypeVar("T")

EventFiles = Annotated[
    list[str] | None,
    typer.Option("--events", help="Events of this file instead (JSON or NDJSON, - is stdin)."),
]
HowMany = Annotated[
    int, typer.Option("--sample", min=1, help="How many recent events, newest first.")
]

SAMPLE: Final = 1_000

# Fewer pages than this are read before a bar could be looked at.
_PAGES: Final = 5


def from_files(names: Sequence[str]) -> Iterator[Sample]:
    """The events of files, as if they were received now."""
    now_ms = int(time.time() * 1000)
    for name in names:
        for event in read_events(name):
            yield Sample(now_ms, orjson.dumps(event.document))


def from_sample(known: Configuration, connection: str, limit: int) -> list[Sample]:
    """The newest events that came for a connection. Raises SluiceError when Redis is away."""
    keep_events = known.settings.sample_events
    keep_ms = int(known.settings.sample_hours * 3_600_000)
    found = with_store(lambda redis: Samples(redis, keep_events, keep_ms).recent(connection, limit))
    if not found:
        typer.echo(_why_none(connection, keep_events, known.settings.sample_hours), err=True)
    return found


def each_dead_letter(connection: str, take: Callable[[DeadLetter], None], *, quiet: bool) -> None:
    """Hands over a connection's dead letters, newest first, a page in memory at a time.

    Raises SluiceError when Redis is away.
    """

    async def ask(redis: Store) -> None:
        letters = DeadLetters(redis)
        wanted = Filter(connection=connection)
        numbers = [summary.number async for summary in letters.find(wanted)]
        pages = [numbers[at : at + REPLAY_BATCH] for at in range(0, len(numbers), REPLAY_BATCH)]
        for page in progress(pages, "dead letters", quiet=quiet or len(pages) < _PAGES):
            for letter in await letters.get(page):
                # What has a record and no body cannot be mapped again.
                if letter.body or letter.record is None:
                    take(letter)

    with_store(ask)


def progress(things: Sequence[T], what: str, *, quiet: bool) -> Iterator[T]:
    """The things one by one, with a bar on stderr while it lasts."""
    console = Console(stderr=True)
    silent = quiet or not console.is_terminal
    yield from track(things, what, console=console, transient=True, disable=silent)


def one_connection(known: Configuration, found: Connection | None) -> str:
    """Whose traffic. Raises ConfigError when it is not clear."""
    if found is not None:
        return found.name
    names = ", ".join(known.connections) or "none can be read"
    raise ConfigError(
        [f"whose events? --connection NAME ({names}), or --events FILE", *known.faults]
    )


def _why_none(connection: str, keep_events: int, hours: float) -> str:
    if not keep_events:
        return (
            "no sample of recent traffic is kept: SLUICE_SAMPLE_EVENTS is 0. --events FILE instead"
        )
    return (
        f"no sample of {connection}'s traffic: a worker keeps one for {hours:g} hours "
        "(SLUICE_SAMPLE_HOURS) once it works on events. --events FILE instead"
    )
