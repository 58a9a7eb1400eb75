"""Is anybody at work? Every receiver and worker process leaves a sign of life in Redis."""

from __future__ import annotations

from app.cli.doctor.finding import Said, failed, ok, warning
from app.cli.doctor.ground import Ground
from app.store.batches import Batches
from app.store.signs_of_life import Role, Sign, signs_of_life


async def receivers(ground: Ground) -> list[Said]:
    """Receiver processes that were seen lately."""
    alive, gone = await _of(ground, "receiver")
    if alive:
        return [ok(f"{len(alive)} receiver process(es) at work"), *_silent(gone)]
    text = f"no receiver process is at work{_last(gone)}: webhooks are not answered"
    return [failed(text, "start one: `sluice serve-receiver`, `make up`, or `docker compose up`")]


async def workers(ground: Ground) -> list[Said]:
    """Worker processes that were seen lately."""
    alive, gone = await _of(ground, "worker")
    if alive:
        return [ok(f"{len(alive)} worker(s) at work"), *_silent(gone)]
    waiting = (await Batches(ground.redis).pressure()).backlog_events
    text = f"no worker is at work{_last(gone)}: {waiting:,} event(s) wait"
    return [failed(text, "start one: `sluice work`, `make up`, or `docker compose up`")]


async def _of(ground: Ground, role: Role) -> tuple[list[Sign], list[Sign]]:
    signs = await ground.once("signs of life", lambda: signs_of_life(ground.redis))
    mine = [sign for sign in signs if sign.role == role]
    return [sign for sign in mine if sign.alive], [sign for sign in mine if not sign.alive]


def _silent(gone: list[Sign]) -> list[Said]:
    """A stop takes the sign away: who left one behind was killed, or hangs."""
    return [
        warning(
            f"{sign.role} {sign.name} is silent for {sign.seconds:.0f} s, and did not say good-bye",
            "was it killed? its log says more; after ten minutes it is forgotten",
        )
        for sign in gone
    ]


def _last(gone: list[Sign]) -> str:
    return f" (the last was seen {min(s.seconds for s in gone):.0f} s ago)" if gone else ""
