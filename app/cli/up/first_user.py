"""Somebody who may log in to the console of a system that was just made."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from app.core.errors import StoreUnavailable
from app.settings import Settings
from app.store.audit import Audit
from app.store.connect import open_store
from app.store.users import Role, Users

FIRST_USER: Final = "admin"

# Letters and digits that no font confuses; four groups of five make 98 bits.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


def first_password(settings: Settings) -> str:
    """Makes the first user, an admin, and gives the password, which is kept nowhere.

    "" when there are users, or Redis does not answer. May be called inside an event loop.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(_make(settings))).result()


async def _make(settings: Settings) -> str:
    redis = open_store(settings.redis, timeout_seconds=5)
    users = Users(redis)
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))
    try:
        if await users.all():
            return ""
        await Audit(redis).record("cli:up", "users.add", on=FIRST_USER, role=Role.ADMIN.value)
        return password if await users.add(FIRST_USER, Role.ADMIN, password) else ""
    except StoreUnavailable:
        return ""
    finally:
        await redis.aclose(close_connection_pool=True)
