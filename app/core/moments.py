"""Times as people write and read them: always UTC, and ages such as 15m."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

HOUR_MS: Final = 3_600_000

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def moment(ms: int) -> str:
    """A time in Unix ms as people and machines can read it, UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def moment_ms(text: str) -> int:
    """`2026-01-31`, `2026-01-31 18:00`, `2026-01-31T18:00:30Z` in Unix ms, UTC; a day is its
    beginning. Raises ValueError."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.utcoffset() not in (None, timedelta(0)):
        raise ValueError(f"{text[:40]!r} is no time in UTC: write 2026-01-31, or 2026-01-31 18:00")
    return int(found.replace(tzinfo=UTC).timestamp() * 1000)


def hour_text(hour: int) -> str:
    """An hour of the ledger (Unix time / 3600 s), UTC."""
    return datetime.fromtimestamp(hour * 3600, UTC).strftime("%Y-%m-%d %H:00")


def span_ms(text: str) -> int:
    """`90s`, `15m`, `2h`, `7d` in ms. Raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip(), re.ASCII)
    if not found:
        raise ValueError(f"{text!r} is no age: write 90s, 15m, 2h or 7d")
    return int(float(found[1]) * _UNITS[found[2]] * 1000)


def span_text(seconds: float) -> str:
    """A length of time in its two largest units: `42 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    left = max(0, round(seconds))
    parts: list[str] = []
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count or (parts and len(parts) < 2):
            parts.append(f"{count} {unit}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(filter(None, parts)) or "0 s"
