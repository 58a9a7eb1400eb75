"""The entries of a 207, placed on the messages they speak of (platform.md section 2.5).

The reference knows two variants that contradict each other, and a sample with fewer entries
than messages. The rule here: a message counts as delivered only when an entry that says so can
belong to no other message. What cannot be placed is None: unknown, to be sent alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

# "…:744:0" behind the batch's own id, "a:b:c:0" without one, "<uuid>-2" in Adobe's Kafka sink.
# A single message's id ("1688068236344:7186:152") ends with a number that is no index.
_FOUR_PARTS: Final = re.compile(r"\d+:\d+:\d+:(\d{1,7})")
_UUID_DASH: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}-(\d{1,7})")
_BEHIND: Final = re.compile(r"[:-](\d{1,7})")

# A key that only failures are documented to carry: without a status it proves neither.
_DOUBTFUL: Final = ("message", "report", "title", "error", "error_code", "errors")

OK: Final = 200
UNCLEAR: Final = 0

# entry -> what its message's outcome is made from
Entry = tuple[int, Any]


def all_delivered(entries: list[Any], count: int) -> bool:
    """Whether every entry is the plain success `{"xactionId": …}`, each once, one per message.

    The usual case, in a few calls into C per batch. As every message has succeeded, it does not
    matter which entry belongs to which.
    """
    if len(entries) != count:
        return False
    try:
        ids = [entry["xactionId"] for entry in entries if len(entry) == 1]
        distinct = set(ids)
    except (TypeError, KeyError, IndexError):
        return False
    return len(distinct) == count and "" not in distinct and set(map(type, ids)) == {str}


def place(entries: list[Any], count: int, batch_id: str) -> list[Entry | None]:
    """For each message its (status, entry), or None where the answer does not say.

    Status OK is a proven success, one of 400 and above a failure.
    """
    read = [(entry_status(entry), entry) for entry in entries]
    index_of = _index_reader(batch_id)
    indexes = [index_of(entry) for entry in entries]
    if len(entries) == count and _positions_hold(read, indexes, count):
        return [entry if entry[0] != UNCLEAR else None for entry in read]
    return _by_index(read, indexes, count)


def entry_status(entry: Any) -> int:
    """OK, a failure's status, or UNCLEAR for an entry that proves neither.

    Both key spellings, numbers and numerals; of two that differ the failure counts.
    """
    if not isinstance(entry, dict):
        return UNCLEAR
    shown = [entry[key] for key in ("status", "statusCode") if key in entry]
    if not shown:
        receipt = entry.get("xactionId")
        plain = isinstance(receipt, str) and receipt and not any(k in entry for k in _DOUBTFUL)
        return OK if plain else UNCLEAR
    numbers = [_number(value) for value in shown]
    worst = max(numbers)
    if 400 <= worst <= 599:
        return worst
    return OK if all(200 <= number <= 299 for number in numbers) else UNCLEAR


def _number(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
        return int(value)
    return UNCLEAR


def _index_reader(batch_id: str) -> Callable[[Any], int | None]:
    def index_of(entry: Any) -> int | None:
        receipt = entry.get("xactionId") if isinstance(entry, dict) else None
        if not isinstance(receipt, str):
            return None
        found = None
        if batch_id and receipt.startswith(batch_id):
            found = _BEHIND.fullmatch(receipt, len(batch_id))
        found = found or _FOUR_PARTS.fullmatch(receipt) or _UUID_DASH.fullmatch(receipt)
        return int(found.group(1)) if found else None

    return index_of


def _positions_hold(read: list[Entry], indexes: list[int | None], count: int) -> bool:
    """Whether entry i speaks of message i, as far as the entries' own indexes tell.

    All indexes one too high is counting from 1. All successes, each another one, is true of
    every message whatever the order.
    """
    receipts = [e["xactionId"] for _, e in read if isinstance(e, dict) and "xactionId" in e]
    if len({r for r in receipts if isinstance(r, str)}) < len(receipts):
        return False  # an entry doubled: then another one is missing
    known = [(at, index) for at, index in enumerate(indexes) if index is not None]
    if all(at == index for at, index in known):
        return True
    if len(known) < count:
        return False
    if all(at + 1 == index for at, index in known):
        return True
    return all(s == OK for s, _ in read) and len({index for _, index in known}) == count


def _by_index(read: list[Entry], indexes: list[int | None], count: int) -> list[Entry | None]:
    placed: list[Entry | None] = [None] * count
    if any(index is not None and index >= count for index in indexes):
        return placed  # counted from 1, or of another batch: nothing here can be trusted
    seen: set[int] = set()
    for entry, index in zip(read, indexes, strict=True):
        if index is None:
            continue
        twice = index in seen
        seen.add(index)
        before = placed[index]
        if entry[0] == UNCLEAR or (twice and (before is None or before[0] != entry[0])):
            placed[index] = None  # two entries that differ about one message
        else:
            placed[index] = entry
    return placed
