"""What there is to do, whoever does it: `here` beside a Redis, app/cli/afar through a console.

Answers are the same both ways. Every method raises StoreUnavailable here, and ConsoleRefused,
ConsoleUnavailable or ConfigError from afar; `ValueError` where a cursor is none. Times in Unix ms.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from app.core.dead_letter import DeadLetter, DeadLetterSummary
from app.core.replay_run import Orders, ReplayRun, RunState
from app.store.audit import Entry
from app.store.dead_letters import Filter
from app.store.dead_letters.groups import Group, GroupFilter, Order, State
from app.store.dead_letters.searching import Searched
from app.store.recipes import SavedRecipe


class Exported(NamedTuple):
    """Letters as lines (app/core/dead_letter/line.py), and how many could not be read."""

    lines: list[bytes]
    unread: int


class Letters(Protocol):
    """Dead letters."""

    async def page(
        self, wanted: Filter, cursor: str, limit: int
    ) -> tuple[list[DeadLetterSummary], str | None]:
        """`limit` letters behind the cursor, newest first, and where to go on."""

    async def some(self, numbers: Sequence[int]) -> list[DeadLetterSummary]:
        """Those of these numbers that there are."""

    async def whole(self, number: int) -> DeadLetter | None:
        """One, with its body; from afar that is written down."""

    async def search(self, wanted: Filter, word: str, limit: int) -> list[DeadLetterSummary]:
        """By an event id, a person, a campaign, a cause, or what the error says."""

    def bodies(self, wanted: Filter, text: str) -> AsyncIterator[Searched]:
        """By what bodies say, a step at a time; who has enough stops asking."""

    async def edit(self, number: int, patch: bytes | None) -> bool:
        """What a replay sends instead; None: the body again. False: there is no such letter."""

    def replay(self, numbers: Sequence[int]) -> AsyncIterator[int]:
        """On the queue at once; step by step, how many were."""

    def discard(self, letters: Sequence[DeadLetterSummary], reason: str) -> AsyncIterator[int]:
        """Away for good; step by step, how many were."""

    def export(self, wanted: Filter) -> AsyncIterator[Exported]:
        """Whole letters, as they are now, oldest first."""

    def take_in(
        self, batches: Iterable[Sequence[DeadLetter]], *, dry: bool = False
    ) -> AsyncIterator[int]:
        """Letters from elsewhere; of each batch, how many were not there yet. `dry`: none is taken
        in."""

    async def try_out(self, wanted: Filter, sample: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a replay would select, and how a sample of it fares: documents of Census, Trial."""


class Groups(Protocol):
    """Causes."""

    async def page(
        self, wanted: GroupFilter, cursor: str, limit: int, order: Order
    ) -> tuple[list[Group], str | None]:
        """As of letters."""

    async def get(self, fingerprint: str) -> Group | None:
        """One of them."""

    async def beginning(self, beginning: str) -> list[str]:
        """Fingerprints that begin so."""

    async def note(self, fingerprint: str, text: str) -> bool:
        """What people say of it; False: there is no such group."""

    async def mark(self, fingerprint: str, state: State) -> bool:
        """Known, resolved or open again; False: there is no such group."""


class Runs(Protocol):
    """Bulk replays."""

    async def newest(self, limit: int) -> list[ReplayRun]:
        """The newest first."""

    async def get(self, number: int) -> ReplayRun | None:
        """One of them."""

    async def freeze(
        self,
        wanted: Filter,
        orders: Orders,
        recipe: tuple[str, str] | None,
        told: Callable[[int], None],
    ) -> ReplayRun:
        """A new one, its selection complete; cancelled when that is empty. `told` hears how many
        there are so far; `recipe`: NAME@VERSION and text."""

    async def start(self, run: ReplayRun) -> RunState | None:
        """A frozen one goes; the state it was in."""

    async def turn(
        self, number: int, then: RunState, reason: str = "", rate: float | None = None
    ) -> RunState | None:
        """To paused, running or cancelled, if its state, which is the answer, allows that."""

    async def drop(self, number: int, why: str) -> None:
        """One that was frozen and is not wanted."""


class Recipes(Protocol):
    """Repairs that are saved by name."""

    async def all(self) -> list[SavedRecipe]:
        """By name."""

    async def get(self, name: str) -> SavedRecipe | None:
        """One of them."""

    async def save(self, name: str, text: str) -> int:
        """Its version now."""

    async def delete(self, name: str) -> bool:
        """False: there was none."""

    async def try_out(
        self, text: str, wanted: Filter, sample: int, shown: int, told: Callable[[int, int], None]
    ) -> dict[str, Any]:
        """What a recipe would do: selection, trial, left_out, differences. `told` hears how many
        of how many were tried."""

    async def unfit(self, text: str, connections: Sequence[str]) -> list[str]:
        """Which of these connections are not mapped by the version that a recipe wants, and why."""


class Books(Protocol):
    """Ledger, lanes, events, the audit trail."""

    async def ledger(self, hours: bool, connection: str | None) -> dict[str, Any]:
        """app.store.ledger_lines.ledger_document."""

    async def lanes(self) -> list[dict[str, Any]]:
        """app.store.documents.lane_document, of each."""

    async def lane_names(self) -> set[str]:
        """Connections that there are."""

    async def pause_lane(self, name: str, reason: str, seconds: float | None) -> None:
        """Holds it back, for so long or until it is resumed."""

    async def resume_lane(self, name: str) -> bool:
        """Lets it go; False: it was not held back."""

    async def trace(
        self, event_id: str, connection: str | None, timestamp: int
    ) -> list[dict[str, Any]]:
        """app.store.documents.trace_document, of each connection that knows the event."""

    async def audit(self, cursor: str, limit: int) -> tuple[list[Entry], str | None]:
        """Who did what, newest first, and where to go on."""


class Face(Protocol):
    """All of it."""

    @property
    def letters(self) -> Letters: ...
    @property
    def groups(self) -> Groups: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def recipes(self) -> Recipes: ...
    @property
    def books(self) -> Books: ...
