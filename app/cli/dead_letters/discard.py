"""`sluice dead-letters discard`."""

from __future__ import annotations

from app.cli.dead_letters.choosing import (
    All,
    Class,
    Code,
    Connection,
    EventId,
    Kind,
    Mapping,
    Newer,
    Numbers,
    Older,
    Yes,
    chosen,
    confirm,
    filter_,
    report,
)
from app.cli.reading import Json, with_store
from app.store.dead_letters import DeadLetters


def discard(
    numbers: Numbers = None,
    everything: All = False,
    connection: Connection = None,
    failure: Class = None,
    kind: Kind = None,
    code: Code = None,
    event_id: EventId = None,
    mapping: Mapping = None,
    older: Older = None,
    newer: Newer = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Take dead letters away for good. The ledger books them as discarded."""
    wanted = filter_(connection, failure, kind, code, event_id, mapping, older, newer)
    letters = chosen(numbers, everything, wanted)
    confirm(f"discard {len(letters)} dead letter(s) for good?", yes or not letters)
    found = with_store(lambda redis: DeadLetters(redis).discard(letters)) if letters else 0
    report("discarded", found, len(letters), as_json)
