"""The moment and chance: `now`, `timestamp`, `uuid`, `guid` (platform.md section 4.3).

A record that is made again, because an answer got lost or a person replays a dead letter, must come
out the same: Platform keeps every copy (section 2.9). So nothing here asks a clock or rolls dice.
The moment is that at which the event was received, which is stored with it; an id is worked out of
the event, that moment, and the number of the call. Adobe takes the moment of the mapping and a
random id; nobody can tell the difference from one record, and two events never share an id.

Each function gets the values.Occasion of the run as its first argument.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from app.core.dataprep.values import Occasion, RowFault, Value

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def now(occasion: Occasion) -> Value:
    """The date at which the event was received, in UTC."""
    try:
        return _EPOCH + timedelta(milliseconds=occasion.received_ms)
    except OverflowError:
        raise RowFault("a date outside the years 1 to 9999") from None


def timestamp(occasion: Occasion) -> int:
    """Milliseconds since 1970 at which the event was received."""
    return occasion.received_ms


def uuid(occasion: Occasion) -> str:
    """An id that looks like a random UUID (version 4) and is the same on every try.

    The first call for an event gives one id, the second another.
    """
    made = hashlib.sha256(occasion.seed() + occasion.number().to_bytes(8, "big")).digest()
    number = int.from_bytes(made[:16], "big")
    number = number & ~(0xF << 76) | 4 << 76  # the version
    number = number & ~(0x3 << 62) | 0x2 << 62  # the variant of RFC 9562
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


FUNCTIONS_OF_EVENT: Final[Mapping[str, Callable[..., Value]]] = {
    "now": now,
    "timestamp": timestamp,
    "uuid": uuid,
    "guid": uuid,
}
