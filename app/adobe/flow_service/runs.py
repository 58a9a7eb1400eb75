"""The runs of a dataflow (platform.md section 6.1). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from app.adobe.reading import at, count, items, text

_UNDER_WAY: Final = frozenset(
    {"processing", "inprogress", "in_progress", "pending", "queued", "running", "started"}
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run. Times in Unix ms, 0 = not said. `landed` and `failed`: records; `batch_ids`: the
    batches it wrote; `codes`: of its errors. `counted`: whether both counts were there."""

    run_id: str
    started_ms: int
    completed_ms: int
    status: str
    landed: int
    failed: int
    batch_ids: tuple[str, ...]
    codes: tuple[str, ...]
    counted: bool = True

    @property
    def finished(self) -> bool:
        """Whether its counts are its last word, as far as it says."""
        over = self.completed_ms > 0 and self.status.lower() not in _UNDER_WAY
        return over and self.counted


def run(item: Any) -> Run:
    metrics = at(item, "metrics")
    records = at(metrics, "recordSummary")
    failed = count(at(records, "failedRecordCount"))
    landed = count(at(records, "outputRecordCount"))
    came = count(at(records, "inputRecordCount"))
    counted = failed is not None and (landed is not None or came is not None)
    if landed is None:
        landed = max(0, (came or 0) - (failed or 0))
    duration = at(metrics, "durationSummary")
    # The model spells it `activites`, the guide's sample `activities`.
    activities = items(at(item, "activities")) + items(at(item, "activites"))
    codes = [text(at(e, "code")) for e in items(at(metrics, "statusSummary", "errors"))]
    for activity in activities:
        errors = items(at(activity, "statusSummary", "extensions", "errors"))
        codes += [text(at(error, "code")) for error in errors]
    return Run(
        text(at(item, "id")),
        count(at(duration, "startedAtUTC")) or count(at(item, "createdAt")) or 0,
        count(at(duration, "completedAtUTC")) or 0,
        text(at(metrics, "statusSummary", "status")),
        landed,
        failed or 0,
        tuple(dict.fromkeys(_batch_ids(activities))),
        tuple(dict.fromkeys(code for code in codes if code)),
        counted,
    )


def _batch_ids(activities: list[Any]) -> list[str]:
    found: list[str] = []
    for activity in activities:
        for target in items(at(activity, "targetInfo")):
            reference = at(target, "reference")
            if text(at(reference, "type")).lower() == "batch":
                found += [text(each) for each in items(at(reference, "ids")) if text(each)]
    return found
