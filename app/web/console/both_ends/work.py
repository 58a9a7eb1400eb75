"""One act on both ends, in the background: what is done, what is asked, how it ended.

It lives in this process's memory only. What matters is in the engine's state file: after a console
that was killed the same act is begun again, and goes on where it stopped.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from app.connect.engine import Outdated
from app.connect.plan import Action, Item, Plan
from app.connect.run import Progress
from app.web.console.both_ends.wording import masked, told
from app.web.console.panels import now_ms

# Somebody has to find a page in Customer.io meanwhile; the lock is held so long.
KEY_PATIENCE_SECONDS: Final = 1800.0
# An apply from nothing makes some forty.
CALLS_KEPT: Final = 200


class State(StrEnum):
    """What the act is at."""

    RUNNING = "running"
    ASKING = "asking"  # for the signing key
    DONE = "done"
    OUTDATED = "not begun"  # what is there is not what was shown
    FAILED = "failed"

    @property
    def over(self) -> bool:
        return self not in (State.RUNNING, State.ASKING)


class Changed(Exception):
    """The plan of now is another one than was shown. `plan`: that of now."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        super().__init__("what is there has changed")


@dataclass(slots=True)
class Line:
    """One thing of the act. `state`: to do, doing, done; "" for a remark."""

    kind: str
    name: str
    word: str
    state: str = "to do"


@dataclass(slots=True)
class Work:
    """`what`: apply, enable, disable, test or destroy; `by`: who asked for it. `seconds`: left of a
    wait, `waits`: for what; `where`: the signing key is found; `fault`: why it failed; `plan`: that
    of now, when it is not the one that was shown; `calls`: the newest of those that were made, as
    curl, without secrets."""

    name: str
    what: str
    by: str
    began_ms: int = field(default_factory=now_ms)
    ended_ms: int = 0
    lines: list[Line] = field(default_factory=list)
    state: State = State.RUNNING
    waits: str = ""
    seconds: float = 0.0
    where: str = ""
    fault: str = ""
    plan: Plan | None = None
    calls: deque[str] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    called_in_all: int = 0
    version: int = 0
    _key: asyncio.Future[bytes] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def done(self) -> int:
        """Lines that are done."""
        return sum(line.state == "done" for line in self.lines)

    @property
    def steps(self) -> int:
        """Lines that are no remarks."""
        return sum(bool(line.state) for line in self.lines)

    def expect(self, items: Sequence[Item], word: str = "") -> None:
        """What is to come. `word`: of all of them, else each one's action."""
        self.lines = [Line(e.kind, e.name or e.id, word or e.action.value) for e in items]
        self._tell()

    def heard(self, event: Progress) -> None:
        """Takes in what the engine tells."""
        self.waits, self.seconds = "", 0.0
        item = event.item
        if event.word == "waiting":
            self.waits, self.seconds = event.text, event.seconds
        elif event.word == "note":
            self.lines.append(Line("note", masked(event.text), "", ""))
        elif event.word in ("doing", "done", "kept") and item is not None:
            self._mark(item, "doing" if event.word == "doing" else "done", event.word == "kept")
        self._tell()

    def called(self, command: str) -> None:
        """Takes in a call that is made now."""
        self.calls.append(masked(command))
        self.called_in_all += 1

    async def ask_key(self, where: str) -> bytes | None:
        """Waits until somebody gives the key; None when nobody does."""
        self._key = asyncio.get_running_loop().create_future()
        self.state, self.where = State.ASKING, where
        self._tell()
        try:
            async with asyncio.timeout(KEY_PATIENCE_SECONDS):
                return await self._key
        except TimeoutError:
            return None
        finally:
            self._key, self.where = None, ""
            self.state = State.RUNNING
            self._tell()

    def give_key(self, key: bytes) -> bool:
        """Whether it was waited for."""
        if self._key is None or self._key.done():
            return False
        self._key.set_result(key)
        return True

    async def after(self, version: int) -> None:
        """Waits until there is something else to tell than at `version`."""
        while self.version == version and not self.state.over:
            await self._changed.wait()

    async def run(self, do: Callable[[Work], Awaitable[None]]) -> None:
        """Does it. Raises nothing but cancellation."""
        try:
            await do(self)
            self._end(State.DONE)
        except Changed as changed:
            self.plan = changed.plan
            self._end(State.OUTDATED)
        except asyncio.CancelledError:
            self._end(State.FAILED, "The console was stopped. Begin again: it goes on from there.")
            raise
        except Outdated as fault:
            self._end(State.FAILED, f"{told(fault)}, and begin again.")
        except Exception as fault:
            self._end(State.FAILED, told(fault))

    def _end(self, state: State, fault: str = "") -> None:
        self.state, self.fault, self.ended_ms = state, fault, now_ms()
        self.waits, self.seconds = "", 0.0
        self._tell()

    def _mark(self, item: Item, state: str, kept: bool) -> None:
        for line in self.lines:
            if (line.kind, line.name) == (item.kind, item.name or item.id):
                line.state = state
                return
        if not kept and item.action is not Action.EXISTS:
            self.lines.append(Line(item.kind, item.name or item.id, item.action.value, state))

    def _tell(self) -> None:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()
