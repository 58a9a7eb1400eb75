"""The console: may anybody log in?"""

from __future__ import annotations

from app.cli.doctor.finding import Said, ok, warning
from app.cli.doctor.ground import Ground
from app.store.users import Role, Users


async def users(ground: Ground) -> list[Said]:
    """Whether there is a user, and one who may make others."""
    known = await Users(ground.redis).all()
    fix = "sluice users add NAME --role admin"
    if not known:
        return [warning("nobody may log in to the console: it has no users", fix)]
    if all(user.role is not Role.ADMIN for user in known):
        return [warning(f"{len(known)} console user(s), and no admin among them", fix)]
    return [ok(f"{len(known)} console user(s)")]
