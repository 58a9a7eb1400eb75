"""What waits: for how long, and for whom."""

from __future__ import annotations

from typing import Final

from app.cli.doctor.finding import Said, failed, ok, warning
from app.cli.doctor.ground import Ground
from app.core.moments import span_text
from app.settings import Connection
from app.store.batches import Batches
from app.store.lane_views import LaneView, LaneViews

_OLD_SECONDS: Final = 600.0
_TOO_OLD_SECONDS: Final = 6 * 3600.0
_OVERDUE_SECONDS: Final = 60.0


async def age(ground: Ground, connection: Connection) -> list[Said]:
    """How long the oldest event of a connection waits."""
    views = await ground.once("lane views", lambda: _views(ground))
    view = views.get(connection.name)
    if view is None or view.oldest_ms is None:
        return [ok("nothing waits")]
    seconds = max(0.0, ground.clock() - view.oldest_ms / 1000)
    said = f"{view.waiting_events:,} event(s) wait, the oldest for {span_text(seconds)}"
    days = ground.settings.retry_max_age_days
    fix = f"`sluice lanes` says why; after {days:g} days (SLUICE_RETRY_MAX_AGE_DAYS) they die"
    if seconds > _TOO_OLD_SECONDS:
        return [failed(said, fix)]
    return [warning(said, fix) if seconds > _OLD_SECONDS else ok(said)]


async def unknown(ground: Ground) -> list[Said]:
    """Events of connections that are not configured: they wait for them."""
    views = await ground.once("lane views", lambda: _views(ground))
    known = ground.configured.connections
    if not known:
        return []
    found = []
    for name, view in sorted(views.items()):
        events = view.waiting_events + view.in_work_events
        if name not in known and events:
            fix = f"put config/connections/{name}.yaml back; nothing of them is lost"
            found.append(warning(f"{events:,} event(s) of {name} wait, which has no file", fix))
    return found or [ok("no event waits for a connection that is not configured")]


async def overdue(ground: Ground) -> list[Said]:
    """Whether batches are due that nobody takes."""
    seconds = await Batches(ground.redis).overdue_ms() / 1000
    if seconds > _OVERDUE_SECONDS:
        text = f"a batch is due for {span_text(seconds)}, and nobody takes it"
        return [failed(text, "look into the workers' logs; `sluice work` starts one more")]
    return [ok("no batch is overdue")]


async def _views(ground: Ground) -> dict[str, LaneView]:
    views = LaneViews(ground.redis)
    names = await views.known() | set(ground.configured.connections)
    return {view.connection: view for view in await views.look(names)}
