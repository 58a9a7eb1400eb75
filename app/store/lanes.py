"""What the workers share about a lane: whether it is held back, and its IMS token.

Every method raises StoreUnavailable when Redis cannot answer. Times are Redis's own, so workers
need no common clock. How fast a lane may send is budgets.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from app.store import keys
from app.store.faults import store_faults
from app.store.scripting import Script, Store

# However often a probe fails, the next one comes within this time.
LONGEST_PAUSE_SECONDS: Final = 600.0

# The class of a pause that a person asked for.
OPERATOR: Final = "operator"


class Gate(Enum):
    OPEN = "open"
    PAUSED = "paused"  # nothing may be sent
    PROBE = "probe"  # the pause is over: the asker may send one request, to find out
    PROBING = "probing"  # somebody else is finding out


@dataclass(frozen=True, slots=True)
class LaneState:
    """`seconds`: how long PAUSED or PROBING lasts at most; None = until an operator resumes.
    `strikes`: pauses of one class since the lane was last open. `held_seconds`: how long ago it
    was open. `hold`: how long connect holds it, whoever else does; None = without an end, 0 = it
    does not. Of several reasons the one that lasts longest is told."""

    gate: Gate
    seconds: float | None = 0.0
    reason: str = ""
    strikes: int = 0
    held_seconds: float = 0.0
    hold: float | None = 0.0


class Lanes:
    """Shared state of all lanes; one per process. Also the token shelf of app.adobe.ims."""

    def __init__(self, redis: Store) -> None:
        self._redis = redis
        self._gate = Script(redis, "lane_gate")
        self._pause = Script(redis, "lane_pause")
        self._resume = Script(redis, "lane_resume")
        self._give_back = Script(redis, "lane_give_back")
        self._release = Script(redis, "lane_release")
        self._hold = Script(redis, "lane_hold")
        self._unhold = Script(redis, "lane_unhold")
        self._busy = Script(redis, "lane_busy")

    async def state(
        self, connection: str, *, probe_seconds: float = 0.0, asker: str = ""
    ) -> LaneState:
        """Whether the lane may send.

        With `probe_seconds` a due probe is reserved for `asker` for that long; without, PROBE
        only says that one is due.
        """
        answer = await self._gate(
            [keys.lane_state(connection), keys.lane_hold(connection), *_backlog(connection)],
            [int(probe_seconds * 1000), asker],
        )
        word, wait, reason, strikes, held, hold = answer
        return LaneState(
            Gate(_text(word)), _seconds(wait), _text(reason), int(strikes), held / 1000,
            _seconds(hold),
        )  # fmt: skip

    async def give_back(self, connection: str, asker: str) -> bool:
        """Frees a probe that `asker` does not send after all; False when it was not (or no more)
        the asker's."""
        return bool(await self._give_back([keys.lane_state(connection)], [asker]))

    async def pause(
        self,
        connection: str,
        reason: str,
        seconds: float | None,
        *,
        longest: float = LONGEST_PAUSE_SECONDS,
        by_operator: bool = False,
    ) -> tuple[float | None, bool]:
        """Holds the lane back; None = until `resume`. Gives (seconds it lasts, whether new).

        `reason`: "class:detail". A pause after a failed probe lasts twice as long as the one before
        of the same class, at most `longest`. Of several that come together the first one counts;
        an operator's goes before all.
        """
        wait, _, new = await self._pause(
            [keys.lane_state(connection)],
            [
                reason,
                -1 if seconds is None else int(seconds * 1000),
                int(max(longest, seconds or 0.0) * 1000),
                int(by_operator),
            ],
        )
        return (None if wait < 0 else wait / 1000), bool(new)

    async def resume(self, connection: str, *, by_probe: bool = False) -> bool:
        """Ends a pause; whether there was one. What waits from before is the backlog now.
        `by_probe`: not one that somebody asked for since the probe was let in."""
        held_ms = await self._resume(
            [keys.lane_state(connection), *_backlog(connection)], [int(by_probe)]
        )
        return int(held_ms) >= 0

    async def open(self, connection: str) -> bool:
        """What a person's word does: it ends the pause, and where there is none connect's hold.
        Whether anything was ended; the lane may still be held by the other."""
        return await self.resume(connection) or await self.end_hold(connection)

    async def hold(self, connection: str, why: str, seconds: float | None) -> None:
        """Connect's hold, for so long from now; None = without an end. It is beside all pauses:
        neither ends the other."""
        milliseconds = -1 if seconds is None else int(seconds * 1000)
        await self._hold([keys.lane_hold(connection)], [why, milliseconds])

    async def end_hold(self, connection: str) -> bool:
        """Ends connect's hold; whether there was one."""
        names = [keys.lane_hold(connection), keys.lane_state(connection), *_backlog(connection)]
        return bool(await self._unhold(names, []))

    async def under_way(self, connection: str) -> int:
        """Batches in work: events of which may be sent now, and be booked as delivered. What a
        worker forgot is taken from it, so that it counts no more."""
        return int(await self._busy([keys.HELD], [f"{connection}:"]))

    async def get_token(self, fingerprint: str) -> bytes | None:
        with store_faults():
            found: bytes | None = await self._redis.get(keys.ims_token(fingerprint))
            return found

    async def put_token(self, fingerprint: str, token: bytes, seconds: float) -> None:
        """Shares a token for its life."""
        with store_faults():
            await self._redis.set(
                keys.ims_token(fingerprint), token, px=max(1, int(seconds * 1000))
            )

    async def drop_token(self, fingerprint: str, token: bytes) -> None:
        """Takes a token off the shelf, unless another one is there already."""
        await self._release([keys.ims_token(fingerprint)], [token])

    async def lock_token(self, fingerprint: str, owner: str, seconds: float) -> bool:
        """Whether `owner` may fetch the token now; the lock frees itself after `seconds`."""
        with store_faults():
            before = await self._redis.set(
                keys.ims_lock(fingerprint), owner, nx=True, get=True, px=int(seconds * 1000)
            )
        # A command that was sent again over a new connection finds its own lock.
        return before is None or _text(before) == owner

    async def unlock_token(self, fingerprint: str, owner: str) -> None:
        await self._release([keys.ims_lock(fingerprint)], [owner])


def _backlog(connection: str) -> list[str]:
    """Where a lane that goes on remembers what its backlog is."""
    return [keys.lane_pace(connection), keys.BATCH_NUMBER]


def _seconds(milliseconds: int) -> float | None:
    return None if milliseconds < 0 else milliseconds / 1000


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
