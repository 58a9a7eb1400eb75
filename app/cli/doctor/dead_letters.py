"""Dead letters: do events die just now?"""

from __future__ import annotations

from typing import Final

from app.cli.doctor.finding import Said, ok, warning
from app.cli.doctor.ground import Ground
from app.settings import Connection
from app.store.dead_letters import DeadLetters, Filter

_HOUR_SECONDS: Final = 3_600.0
_PAGE: Final = 500


async def growing(ground: Ground, connection: Connection) -> list[Said]:
    """How many there are, and how many died in the last hour."""
    letters, name = DeadLetters(ground.redis), connection.name
    count = await letters.count(name)
    since = int((ground.clock() - _HOUR_SECONDS) * 1000)
    page = await letters.page(Filter(connection=name, died_after_ms=since), limit=_PAGE)
    lately = len(page.letters)
    more = "or more " if lately == _PAGE else ""
    if lately:
        text = f"{lately:,} {more}died in the last hour, of {count:,} dead letter(s)"
        return [warning(text, f"sluice dead-letters groups --connection {name}")]
    return [ok(f"{count:,} dead letter(s), none of the last hour")]
