"""The form of one Platform batch in Catalog (platform.md section 6.2, point 1). Pure."""

from __future__ import annotations

from typing import Any

from app.sandbox.gateway.run import PROMOTION_FAILED, message_of
from app.sandbox.lake.cut import Cut, Kind


def batch_of(cut: Cut, kind: Kind, batches_url: str) -> dict[str, Any]:
    """The batch of `kind` that `cut` came to. It is made when its micro-batch is over."""
    batch_id = cut.batch_id(kind)
    ended = int(cut.span.end * 1000)
    taken, landed, size, errors = _ends(cut, kind)
    batch: dict[str, Any] = {
        "id": batch_id,
        "externalId": batch_id,
        "imsOrg": cut.org_id,
        "status": "success" if kind == "landed" else "failed",
        "relatedObjects": [{"type": "dataSet", "id": cut.dataset_id}],
        "started": int(cut.span.start * 1000),
        "created": ended,
        "updated": ended,
        "completed": ended,
        "metrics": {
            "inputByteSize": size,
            "inputFileCount": 1,
            "inputRecordCount": taken,
            "outputRecordCount": landed,
            "failedRecordCount": taken - landed,
        },
        "version": "1.0.0",
    }
    if errors:
        batch["errors"] = errors
    if kind == "refused":
        batch["failedBatchLocation"] = f"{batches_url}/{batch_id}/failed"
    return batch


def _ends(cut: Cut, kind: Kind) -> tuple[int, int, int, list[dict[str, Any]]]:
    """Records taken and landed, bytes, and errors."""
    if kind == "refused":
        errors = [_error(code, count) for code, count in cut.refused.by_code.items()]
        return cut.refused.count, 0, cut.refused.size, errors
    if kind == "unpromoted":
        errors = [_error(PROMOTION_FAILED["code"], cut.unpromoted)]
        return cut.unpromoted, 0, cut.unpromoted_size, errors
    piles = list(cut.rows.values())
    size = cut.size + sum(pile.size for pile in piles)
    return cut.landed + cut.row_errors, cut.landed, size, _row_errors(cut)


def _row_errors(cut: Cut) -> list[dict[str, Any]]:
    if not cut.rows:
        return []
    text = (
        f"Encountered {cut.row_errors} errors in the data. Successfully ingested {cut.landed} "
        "rows. Please review the associated diagnostic files for more details."
    )
    total = {"code": "INGEST-1212-400", "description": text}
    piles = cut.rows.values()
    return [total, *(_error(code, n) for pile in piles for code, n in pile.by_code.items())]


def _error(code: str, count: int) -> dict[str, Any]:
    return {"code": code, "description": message_of(code), "recordCount": count}
