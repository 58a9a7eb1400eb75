"""What the steps of one plan or apply share. A step looks after one kind of object."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from app.connect.documents import Documents
from app.connect.ends import Ends
from app.connect.plan import Action, Item
from app.connect.state import State, StateFile
from app.core.errors import SluiceError
from app.settings.folders import Folders
from app.settings.setups import Setup

Word = Literal["kept", "doing", "done", "waiting", "asking", "note"]

# What stands for an id that is not known before apply.
LATER: Final = "(known after apply)"


@dataclass(frozen=True, slots=True)
class Progress:
    """One thing that happened in an apply. `seconds`: left of a wait."""

    word: Word
    item: Item | None = None
    text: str = ""
    seconds: float = 0.0

    def document(self) -> dict[str, Any]:
        """The event for JSON."""
        item = self.item
        return {
            "event": self.word,
            "step": item.step if item else None,
            "kind": item.kind if item else None,
            "name": item.name if item else None,
            "action": item.action.value if item else None,
            "text": self.text or None,
            "seconds": round(self.seconds, 1) or None,
        }


class Lane(Protocol):
    """app.connect.lane.Lane, as far as steps are concerned."""

    async def hold(self, seconds: float | None, why: str) -> None: ...
    async def open(self) -> bool: ...
    async def held(self) -> bool: ...
    async def held_for(self) -> float | None: ...
    async def under_way(self) -> int: ...
    async def inlets(self) -> list[str | None]: ...
    async def said(self) -> tuple[str, str]: ...
    async def in_flight(self) -> int: ...
    async def tests(self) -> int: ...


class Signatures(Protocol):
    """app.store.signatures.Signatures, as far as steps are concerned."""

    async def believed(self) -> Mapping[str, float]: ...
    async def forget(self, key: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie on this machine. `signing_key`: the file that the first key is put into."""

    folders: Folders
    data_dir: Path
    setup: Path
    connection: Path
    signing_key: Path


@dataclass(slots=True)
class Run:
    """One plan or apply. `ids`: step -> id, "" while there is none; `tutorial`: "", "api" or "ui":
    which of Adobe's pages is followed to the letter. `lane`, `signatures`: None when only looking.
    `signing_key`: one that was given for just this, and goes before those that are kept;
    `first_key`: one for a connection that has none yet. b"" = none."""

    setup: Setup
    documents: Documents
    places: Places
    ends: Ends
    file: StateFile
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    tutorial: str = ""
    lane: Lane | None = None
    tell: Callable[[Progress], None] = lambda _event: None
    ask_key: Callable[[str], Awaitable[bytes | None]] | None = None
    signing_key: bytes = b""
    first_key: bytes = b""
    signatures: Signatures | None = None
    tenant: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def state(self) -> State:
        return self.file.state

    def id(self, step: str) -> str:
        """The id of a step's object; "" while it is not known."""
        return self.ids.get(step, "")

    def retired(self, step: str) -> set[str]:
        """Ids that are to be taken for absent: others were made in their place."""
        return {found for kind, found in self.state.retired if kind == step}

    def pick(
        self, step: str, found: list[Mapping[str, Any]], key: str = "id"
    ) -> Mapping[str, Any] | None:
        """Of objects with the wanted name the one in use. Raises Ambiguous when nobody can say."""
        left = [each for each in found if each.get(key) not in self.retired(step)]
        known = self.state.ids.get(step)
        for each in left:
            if each.get(key) == known:
                return each
        if len(left) > 1:
            raise Ambiguous(step, [str(each.get(key)) for each in left])
        return left[0] if left else None

    def note(self, text: str) -> None:
        """A remark, once; also to whoever watches."""
        if text not in self.remarks:
            self.remarks.append(text)
            self.tell(Progress("note", text=text))


class Ambiguous(SluiceError):
    """Several objects have the name that is looked for. `ids`: theirs."""

    def __init__(self, step: str, ids: list[str]) -> None:
        self.ids = ids
        super().__init__(
            f"there are {len(ids)} of this name ({step} {', '.join(ids)}), and nobody knows which "
            "is ours: delete all but one, or choose another name in the setup"
        )


class Step(Protocol):
    """`key`: stable, of plan, state and tests; `kind`: the same for people."""

    key: str
    kind: str

    async def look(self, run: Run) -> list[Item]:
        """What there is against what is wanted; calls nothing that changes anything. Fills in
        `run.ids`. Raises PlatformFault and the like, and Ambiguous."""
        ...

    async def act(self, run: Run, item: Item) -> None:
        """Does what the item says: one changing call, or none. Fills in `run.ids`."""
        ...


def blocked(step: Step, name: str, why: str, found: str = "") -> Item:
    """An item that a person must see to."""
    return Item(step.key, step.kind, name, Action.BLOCKED, found, why=why)
