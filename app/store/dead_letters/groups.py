"""Causes of death: how many letters, since when, what is affected, and what people say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from app.core.dead_letter import Cause, decode_cause
from app.core.errors import UnreadableFrame
from app.store import keys
from app.store.dead_letters.filter import wants_label
from app.store.faults import store_faults
from app.store.scripting import Script, Store

NOTE_MAX: Final = 2_000
# Groups that a page of a filtered list looks at.
_LOOKED: Final = 200
_LOST: Final = Cause("", "", "lost", "", "the cause is lost; see `sluice dead-letters fsck`", "")


class State(StrEnum):
    """What people made of a group. REOPENED: it was resolved, and came back."""

    NEW = ""
    KNOWN = "known"
    RESOLVED = "resolved"
    REOPENED = "reopened"


class Order(StrEnum):
    """Newest death first, or most letters first."""

    LAST = "last"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Group:
    """Letters of one cause. Times in Unix ms; `ever`: how many there were, `live`: how many there
    are. Those are also counted by connection, kind, campaign and mapping version; what comes after
    some 190 different ones is counted as "*"."""

    fingerprint: str
    cause: Cause
    first_ms: int
    last_ms: int
    ever: int
    live: int
    state: State = State.NEW
    state_by: str = ""
    state_ms: int = 0
    note: str = ""
    note_by: str = ""
    note_ms: int = 0
    connections: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    campaigns: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)


def group_document(group: Group) -> dict[str, Any]:
    """A group in JSON."""
    document = asdict(group)
    document.pop("cause")
    return {"fingerprint": group.fingerprint, **group.cause._asdict(), **document}


@dataclass(frozen=True, slots=True)
class GroupFilter:
    """Which groups. None = any; `empty`: those without letters as well. `mapping`: as in Filter, of
    any of its letters; times in Unix ms, of the last letter."""

    connection: str | None = None
    failure: str | None = None
    state: State | None = None
    text: str | None = None
    empty: bool = False
    kind: str | None = None
    campaign: str | None = None
    mapping: str | None = None
    seen_after_ms: int | None = None
    seen_before_ms: int | None = None

    def wants(self, group: Group) -> bool:
        said = " ".join((group.fingerprint, *group.cause, group.note)).lower()
        return (
            (self.empty or group.live > 0)
            and self.connection in (None, *group.connections)
            and self.kind in (None, *group.kinds)
            and self.campaign in (None, *group.campaigns)
            and self._wants_mapping(group)
            and (self.seen_after_ms is None or group.last_ms >= self.seen_after_ms)
            and (self.seen_before_ms is None or group.last_ms <= self.seen_before_ms)
            and self.failure in (None, group.cause.failure)
            and self.state in (None, group.state)
            and (self.text is None or self.text.lower() in said)
        )

    def _wants_mapping(self, group: Group) -> bool:
        # "*" counts what comes after some 190 different ones: it may be among them.
        return self.mapping is None or any(
            label == "*" or wants_label(self.mapping, label) for label in group.versions
        )


@dataclass(slots=True)
class Groups:
    redis: Store
    _mark: Script = field(init=False)
    _forget: Script = field(init=False)

    def __post_init__(self) -> None:
        self._mark = Script(self.redis, "dead_mark")
        self._forget = Script(self.redis, "dead_forget")

    async def page(
        self, wanted: GroupFilter, cursor: str = "", limit: int = 50, order: Order = Order.LAST
    ) -> tuple[list[Group], str | None]:
        """Groups behind `cursor`, and the cursor; a page may be short, or empty, and yet have one.

        Raises StoreUnavailable, and ValueError on a wrong cursor. A group that moves meanwhile may
        be seen twice, or not.
        """
        index = keys.DEAD_GROUPS_LAST if order is Order.LAST else keys.DEAD_GROUPS_LIVE
        score, skip = _place(cursor)
        with store_faults():
            pairs = await self.redis.zrevrangebyscore(
                index, score, "-inf", start=skip, num=_LOOKED + 1, withscores=True
            )
        groups = await self.get([str(mark, "ascii") for mark, _ in pairs[:_LOOKED]])
        known = {group.fingerprint: group for group in groups}
        found: list[Group] = []
        for at, (mark, points) in enumerate(pairs[:_LOOKED]):
            group = known.get(str(mark, "ascii"))
            if group is not None and wanted.wants(group):
                found.append(group)
            if len(found) == limit or at + 1 == _LOOKED:
                if at + 1 == len(pairs):
                    break
                same = sum(1 for _, other in pairs[: at + 1] if other == points)
                same += skip if str(int(points)) == score else 0
                return found, f"{int(points)}:{same}"
        return found, None

    async def whole_page(
        self, wanted: GroupFilter, cursor: str = "", limit: int = 50, order: Order = Order.LAST
    ) -> tuple[list[Group], str | None]:
        """`limit` groups, of as many pages as that takes, and where to go on. Raises as `page`."""
        found, more = list[Group](), cursor or None
        while True:
            part, more = await self.page(wanted, more or "", limit - len(found), order)
            found += part
            if more is None or len(found) >= limit:
                return found, more

    async def get(self, fingerprints: Sequence[str]) -> list[Group]:
        """The groups that exist, in the order asked for. Raises StoreUnavailable."""
        with store_faults():
            async with self.redis.pipeline(transaction=False) as trip:
                for fingerprint in fingerprints:
                    trip.hgetall(keys.dead_group(fingerprint))
                found = await trip.execute()
        return [
            _group(fingerprint, fields)
            for fingerprint, fields in zip(fingerprints, found, strict=True)
            if fields
        ]

    async def resolve_prefix(self, beginning: str) -> list[str]:
        """Fingerprints that begin so: people type a few digits. Raises StoreUnavailable."""
        with store_faults():
            names = await self.redis.zrange(keys.DEAD_GROUPS_LAST, 0, -1)
        return sorted(mark for name in names if (mark := str(name, "ascii")).startswith(beginning))

    async def note(self, fingerprint: str, text: str, who: str, now_ms: int) -> bool:
        """Writes a note; False when there is no such group. Raises StoreUnavailable."""
        return bool(await self.note_all([fingerprint], text, who, now_ms))

    async def note_all(self, fingerprints: Sequence[str], text: str, who: str, now_ms: int) -> int:
        """The same for many, at once; how many there were."""
        fields = ["note", text[:NOTE_MAX], "note_by", who, "note_ms", now_ms]
        return int(await self._mark([keys.dead_group(each) for each in fingerprints], fields))

    async def mark(self, fingerprint: str, state: State, who: str, now_ms: int) -> bool:
        """Says what is known of a group; False when there is none. Raises StoreUnavailable.

        A resolved one is reopened by the next letter of its cause (scripts/parts/dead_add.lua).
        """
        return bool(await self.mark_all([fingerprint], state, who, now_ms))

    async def mark_all(
        self, fingerprints: Sequence[str], state: State, who: str, now_ms: int
    ) -> int:
        """The same for many, at once; how many there were."""
        fields = ["state", state.value, "state_by", who, "state_ms", now_ms]
        return int(await self._mark([keys.dead_group(each) for each in fingerprints], fields))

    async def forget(self, before_ms: int, limit: int = 1_000) -> int:
        """Drops groups that have no letters and saw their last before; how many."""
        with store_faults():
            names = await self.redis.zrangebyscore(
                keys.DEAD_GROUPS_LIVE, "-inf", 0, start=0, num=limit
            )
        if not names:
            return 0
        return int(await self._forget([keys.DEAD], [before_ms, *names]))


def _place(cursor: str) -> tuple[str, int]:
    if not cursor:
        return "+inf", 0
    score, _, skip = cursor.partition(":")
    if not (score.isdecimal() and skip.isdecimal()):
        raise ValueError(f"{cursor[:20]!r} is no cursor of ours")
    return score, int(skip)


def _group(fingerprint: str, fields: dict[bytes, bytes]) -> Group:
    said = {str(k, "utf-8", "replace"): str(v, "utf-8", "replace") for k, v in fields.items()
            if k != b"cause"}  # fmt: skip
    try:
        cause = decode_cause(fields.get(b"cause", b""))
    except UnreadableFrame:
        cause = _LOST
    return Group(
        fingerprint,
        cause,
        first_ms=int(said.get("first", 0)),
        last_ms=int(said.get("last", 0)),
        ever=int(said.get("ever", 0)),
        live=int(said.get("live", 0)),
        state=State(said.get("state", "")),
        state_by=said.get("state_by", ""),
        state_ms=int(said.get("reopened_ms" if said.get("state") == "reopened" else "state_ms", 0)),
        note=said.get("note", ""),
        note_by=said.get("note_by", ""),
        note_ms=int(said.get("note_ms", 0)),
        connections=_counts(said, "n:"),
        kinds=_counts(said, "k:"),
        campaigns=_counts(said, "g:"),
        versions=_counts(said, "v:"),
    )


def _counts(said: dict[str, str], letter: str) -> dict[str, int]:
    """Most first."""
    found = ((name[2:], int(count)) for name, count in said.items() if name.startswith(letter))
    return dict(sorted(found, key=lambda pair: (-pair[1], pair[0])))
