"""Dead letters by the dozen, made as the worker makes them: in the settlement of a batch."""

from __future__ import annotations

from collections.abc import Sequence

from arq.connections import ArqRedis

from app.core.batch import AttemptRun, decode, encode_received
from app.core.batch_id import BatchId
from app.core.dead_letter import DeadLetter, DeadLetterSummary
from app.core.replay import run_of, times_replayed
from app.store.batches import Batches, Taken
from app.store.settlement import Settlement

NOW_MS = 1_800_000_000_000


def letter(
    batch_id: BatchId, body: bytes, failure: str = "contract", history: tuple[AttemptRun, ...] = ()
) -> DeadLetter:
    summary = DeadLetterSummary(
        0, batch_id.connection, batch_id.hour, "send", failure, "DCVS-1106-400", "", "no", "",
        "email.sent", body.decode(), NOW_MS, NOW_MS, "",
        replays=times_replayed(history), run=run_of(history),
    )  # fmt: skip
    return DeadLetter(summary, body, None, history)


async def bury(
    store: ArqRedis, names: Sequence[str], connection: str = "a", failure: str = "contract"
) -> None:
    """Events that were received, and died."""
    batches = Batches(store, "gravedigger")
    bodies = [name.encode() for name in names]
    frame = encode_received(bodies, [NOW_MS] * len(bodies))
    name = await batches.commit(connection, frame, len(bodies))
    [taken], _ = await batches.take([name])
    letters = [letter(taken.batch_id, body, failure) for body in bodies]
    assert await batches.settle(taken.batch_id, Settlement(letters=letters))


async def open_batches(store: ArqRedis) -> list[Taken]:
    """All that is open, taken."""
    batches = Batches(store, "gravedigger")
    names = [str(batch_id) for batch_id, _ in await batches.open_ids()]
    taken, lost = await batches.take(names) if names else ([], [])
    assert not lost
    return taken


async def settle(store: ArqRedis, taken: Taken, dead: int = 0) -> None:
    """The last `dead` events of a batch die again, the others are delivered."""
    batch = decode(taken.frame)
    events = len(batch.bodies)
    run = run_of(batch.history(0))
    letters = [
        letter(taken.batch_id, batch.bodies[at], "contract", batch.history(at))
        for at in range(events - dead, events)
    ]
    settlement = Settlement(delivered=events - dead, letters=letters, run=run)
    assert await Batches(store, "gravedigger").settle(taken.batch_id, settlement)
