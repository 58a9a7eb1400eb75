"""What the log says of a batch: a line per cause, never per event, and never a value of one.

A flood of garbage must not become a flood of logs.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import structlog

from app.core.dead_letter import DeadLetterSummary
from app.core.xdm import PROFILE_LIMIT_BYTES
from worker.metrics import Metrics
from worker.story import Story

log = structlog.get_logger()

# Lines per batch and kind of line; what is beyond shares one.
CAUSES_MAX: Final = 20


def tell_of_deaths(story: Story) -> None:
    """Which of the batch's events became dead letters, and why."""
    causes = Counter(
        (x.stage, x.failure, x.code, _place(x), x.mapping)
        for x in (letter.summary for letter in story.letters)
    )
    shown = causes.most_common(CAUSES_MAX)
    for (stage, failure, code, path, mapping), times in shown:
        log.warning(
            "events.died",
            **_where(story),
            stage=stage,
            failure=failure,
            code=code,
            path=path,
            mapping=mapping,
            times=times,
        )
    if rest := causes.total() - sum(times for _, times in shown):
        log.warning("events.died", **_where(story), code="other_causes", times=rest)


def tell_of_remarks(story: Story, metrics: Metrics) -> None:
    """What is to be said of the records that were made."""
    remarks, connection = story.remarks, story.taken.batch_id.connection
    for at, (warning, times) in enumerate(remarks.failed.values()):
        metrics.row_failed(connection, str(warning.number), times)
        if at < CAUSES_MAX:
            log.warning(
                "row.failed",
                **_where(story),
                mapping=story.mapping,
                row=str(warning.number),
                path=warning.path,
                code=warning.code,
                reason=warning.detail,
                times=times,
            )
    if remarks.over_limit:
        metrics.over_profile_limit.labels(connection).inc(remarks.over_limit)
        log.warning(
            "records.over_profile_limit",
            **_where(story),
            mapping=story.mapping,
            limit_bytes=PROFILE_LIMIT_BYTES,
            reason="sent all the same; the data lake keeps them, Profile drops them",
            times=remarks.over_limit,
        )


def _where(story: Story) -> dict[str, str | int]:
    batch_id = story.taken.batch_id
    return {"connection": batch_id.connection, "batch": batch_id.number}


def _place(letter: DeadLetterSummary) -> str:
    """The row's destination rather than the exact path: below it may be keys out of an event."""
    return letter.row.rpartition(" -> ")[2] or letter.path
