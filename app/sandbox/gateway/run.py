"""The form of one flow run (platform.md section 6.1). Pure.

One `promotionActivity` per micro-batch: each names its Platform batches, and where their row errors
are. (The reference shows a run with one micro-batch.)
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from app.sandbox.lake.cut import Cut

_NAMESPACE: Final = uuid.UUID("00000000-0000-4000-8000-0000000000a1")
PROMOTION_FAILED: Final = {
    "code": "CONNECTOR-2001-500",
    "message": "Error occurred at promotion activity.",
}


def run_id(cuts: Sequence[Cut]) -> str:
    """The id of the run of one flow's hour."""
    return str(uuid.uuid5(_NAMESPACE, f"{cuts[0].flow_id} {cuts[0].hour.start}"))


def run_of(cuts: Sequence[Cut], batches_url: str, late_s: float, off: int) -> dict[str, Any]:
    """The run of the hour of `cuts`, completed `late_s` after it, its counts wrong by `off`."""
    first = cuts[0]
    started = int(first.hour.start * 1000)
    completed = int((first.hour.end + late_s) * 1000)
    failed = any(cut.unpromoted for cut in cuts)
    landed = sum(cut.landed for cut in cuts)
    refused = sum(cut.failed for cut in cuts)
    return {
        "id": run_id(cuts),
        "flowId": first.flow_id,
        "etag": f'"{run_id(cuts)[:8]}-0000-0200-0000-{completed // 1000:x}0000"',
        "createdAt": completed,
        "updatedAt": completed,
        "metrics": {
            "durationSummary": {"startedAtUTC": started, "completedAtUTC": completed},
            "sizeSummary": _sizes(cuts),
            "recordSummary": {
                "inputRecordCount": max(0, landed + refused + off),
                "outputRecordCount": max(0, landed + off),
                "failedRecordCount": refused,
            },
            "fileSummary": _files(cuts),
            "statusSummary": {
                "status": "failed" if failed else "success",
                "errors": [PROMOTION_FAILED] if failed else [],
            },
        },
        "activities": [_activity(cut, batches_url) for cut in cuts],
    }


def so_far(run: dict[str, Any]) -> dict[str, Any]:
    """The run of an hour that is not over. The reference has no such sample: ours."""
    metrics = run["metrics"]
    started = metrics["durationSummary"]["startedAtUTC"]
    return {
        **run,
        "createdAt": started,
        "updatedAt": started,
        "metrics": {
            **metrics,
            "durationSummary": {"startedAtUTC": started},
            "statusSummary": {"status": "processing", "errors": []},
        },
    }


def without_counts(run: dict[str, Any]) -> dict[str, Any]:
    """The run with nothing counted but what went out: no summary is promised to be whole."""
    metrics = run["metrics"]
    output = metrics["recordSummary"]["outputRecordCount"]
    del metrics["sizeSummary"], metrics["fileSummary"]
    return {**run, "metrics": {**metrics, "recordSummary": {"outputRecordCount": output}}}


def _sizes(cuts: Sequence[Cut]) -> dict[str, int]:
    output = sum(cut.size for cut in cuts)
    lost = sum(
        cut.refused.size + cut.unpromoted_size + sum(pile.size for pile in cut.rows.values())
        for cut in cuts
    )
    return {"inputBytes": output + lost, "outputBytes": output}


def _files(cuts: Sequence[Cut]) -> dict[str, int]:
    return {
        "inputFileCount": len(cuts),
        "outputFileCount": sum(1 for cut in cuts if cut.landed),
    }


def _activity(cut: Cut, batches_url: str) -> dict[str, Any]:
    return {
        "id": "promotionActivity",
        "statusSummary": {
            "status": "failed" if cut.unpromoted else "success",
            "extensions": _extensions(cut, batches_url),
        },
        "targetInfo": [
            {
                "type": "TargetConnection",
                "reference": {
                    "type": "Batch",
                    "ids": [cut.batch_id(kind) for kind in cut.kinds()],
                },
            }
        ],
    }


def _extensions(cut: Cut, batches_url: str) -> dict[str, Any]:
    extensions: dict[str, Any] = {}
    if cut.row_errors:
        meta = f"{batches_url}/{cut.batch_id('landed')}/meta?path="
        extensions["manifest"] = {
            "failedRecords": f"{meta}row_errors",
            "sampleErrors": f"{meta}row_error_samples.json",
        }
    counts: Counter[str] = Counter(cut.refused.by_code)
    for pile in cut.rows.values():
        counts.update(pile.by_code)
    if cut.unpromoted:
        counts[PROMOTION_FAILED["code"]] += cut.unpromoted
    if counts:
        extensions["errors"] = [
            {"code": code, "recordCount": count, "message": message_of(code)}
            for code, count in counts.items()
        ]
    return extensions


_MESSAGES: Final = {
    PROMOTION_FAILED["code"]: PROMOTION_FAILED["message"],
    "MAPPER-3700-400": "Mapper Transform Error",
    "INGEST-1401-400": "The row has corrupted data and cannot be read or parsed.",
    "INGEST-1555-400": "A required field is either missing or has a value of null.",
}


def message_of(code: str) -> str:
    """What the samples say for a code; for DCVS codes none is known (section 2.6)."""
    return _MESSAGES.get(code, "Streaming validation failed.")
