"""`sluice dead-letters replay`."""

from __future__ import annotations

import time

from rich.progress import track

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
from app.store.dead_letters import REPLAY_BATCH, DeadLetters


def replay(
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
    """Put dead letters back on the queue, as if they had just been received."""
    wanted = filter_(connection, failure, kind, code, event_id, mapping, older, newer)
    letters = chosen(numbers, everything, wanted)
    confirm(f"replay {len(letters)} dead letter(s)?", yes or as_json or not letters)
    batches: list[str] = []
    pages = [letters[i : i + REPLAY_BATCH] for i in range(0, len(letters), REPLAY_BATCH)]
    for page in track(pages, "replaying", disable=as_json or len(pages) < 2, transient=True):
        batches += with_store(
            lambda redis, page=page: DeadLetters(redis).replay(  # type: ignore[misc]  # bound now
                [letter.number for letter in page], int(time.time() * 1000)
            )
        )
    replayed = sum(int(batch.split(":")[2]) for batch in batches)
    report("replayed", replayed, len(letters), as_json)
