"""A replay's dry run: what is selected, and how much of it would pass now. Writes nothing."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import typer

from app.cli.mappings.comparing import Side
from app.cli.mappings.finding import Configuration, compiled, find
from app.cli.reading import echo_json, with_store
from app.core.dead_letter import DeadLetter
from app.core.errors import ConfigError, EventFault
from app.core.event import parse_event
from app.core.replay_words import census_lines
from app.core.selection import Census
from app.store.connect import Store
from app.store.dead_letters import REPLAY_BATCH, DeadLetters, Filter

SAMPLE: Final = 1_000


@dataclass(slots=True)
class Trial:
    """How many of the letters tried would pass; why the others would not."""

    tried: int = 0
    passing: int = 0
    why: Counter[str] = field(default_factory=Counter)

    def document(self) -> dict[str, Any]:
        return {
            "tried": self.tried,
            "would_pass": self.passing,
            "why": dict(self.why.most_common()),
        }


def dry_run(wanted: Filter, sample: int, *, as_json: bool) -> None:
    """Tells what a replay of `wanted` would select, and tries `sample` of it, drawn by lot, with
    the connections' mapping sets and schemas as they are on disk now."""
    known = Configuration()
    census, trial = with_store(lambda redis: _try(redis, known, wanted, sample))
    if as_json:
        echo_json({"selection": census.document(), "trial": trial.document()})
        return
    for line in census_lines(census.document()):
        typer.echo(line)
    typer.echo(f"{trial.passing:,} of {trial.tried:,} tried would pass mapping and schema now")
    for why, times in trial.why.most_common():
        typer.echo(f"{times:,} would die again: {why}")


async def _try(
    redis: Store, known: Configuration, wanted: Filter, sample: int
) -> tuple[Census, Trial]:
    letters = DeadLetters(redis)
    census, drawn = await draw(letters, wanted, sample)
    trial, tests = Trial(), Tests(known)
    for start in range(0, len(drawn), REPLAY_BATCH):
        _judge(trial, tests, await letters.get(drawn[start : start + REPLAY_BATCH]))
    return census, trial


async def draw(letters: DeadLetters, wanted: Filter, sample: int) -> tuple[Census, list[int]]:
    """What the filter finds, and the numbers of `sample` of it."""
    census, drawn = Census(), list[int]()
    async for letter in letters.find(wanted):
        # Reservoir sampling: each letter is as likely to be drawn as any other.
        if len(drawn) < sample:
            drawn.append(letter.number)
        elif (at := random.randrange(census.letters + 1)) < sample:
            drawn[at] = letter.number
        census.add(letter)
    return census, drawn


def _judge(trial: Trial, tests: Tests, letters: Sequence[DeadLetter]) -> None:
    now = time.time()
    for letter in letters:
        trial.tried += 1
        why = tests.why_not(letter, now)
        if why:
            trial.why[why] += 1
        else:
            trial.passing += 1


class Tests:
    """What each connection would say to a letter."""

    def __init__(self, known: Configuration) -> None:
        self._known = known
        self._sides: dict[str, Side | str | None] = {}

    def why_not(self, letter: DeadLetter, now: float) -> str:
        """Why it would not pass; "" when it would."""
        side = self._side(letter.summary.connection)
        if isinstance(side, Side):
            return side.outcome(letter.outgoing, letter.summary.received_ms, now).why
        if side is not None:
            return side
        try:
            parse_event(letter.outgoing)
        except EventFault as fault:
            return f"{fault.stage} {fault.code}"
        return ""

    def _side(self, connection: str) -> Side | str | None:
        """Its mapping and schema; None: the dataflow maps; a text: why that cannot be said."""
        if connection not in self._sides:
            self._sides[connection] = self._find(connection)
        return self._sides[connection]

    def _find(self, name: str) -> Side | str | None:
        try:
            connection = self._known.connection(name)
            if connection.platform.mode == "raw":
                return None
            found = find(connection.mapping_set, connection, configuration=self._known)
            return Side(*compiled(found))
        except ConfigError as error:
            return f"{name} cannot be tried: {error.faults[0]}"
