"""The bodies of the collection service's answers (platform.md section 2.5). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

INLET_PROBLEM: Final = "http://ns.adobe.com/adobecloud/problem/data-collection-service/inlet"
AUTHORIZATION_PROBLEM: Final = (
    "https://ns.adobe.com/adobecloud/problem/data-collection-service-authorization"
)
INVALID_FORMAT: Final = "Invalid XDM Message Format"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one message, or a whole request, is not taken. `cause`: the sync validation's tree."""

    status: int
    message: str
    title: str = INVALID_FORMAT
    cause: dict[str, Any] | None = None


def accepted(inlet_id: str, xaction_id: str, now_ms: int) -> dict[str, Any]:
    """A single message was received; not: ingested."""
    return {"inletId": inlet_id, "xactionId": xaction_id, "receivedTimeMs": now_ms}


def problem(refusal: Refusal) -> dict[str, Any]:
    """The error object of a single message or of a whole request. `status` is a number."""
    report: dict[str, Any] = {"message": refusal.message}
    if refusal.cause is not None:
        report["cause"] = {"_streamingValidation": [refusal.cause]}
    return {
        "type": INLET_PROBLEM,
        "status": refusal.status,
        "title": refusal.title,
        "report": report,
    }


def unauthorized(status: int, message: str) -> dict[str, Any]:
    """The authorization error; its `status` is a string, as the reference notes."""
    return {
        "type": AUTHORIZATION_PROBLEM,
        "status": str(status),
        "title": "Authorization",
        "report": {"message": message},
    }


def multi_status(
    inlet_id: str, batch_id: str, now_ms: int, entries: list[dict[str, Any]]
) -> dict[str, Any]:
    """The 207 body; also when every message was refused."""
    return {
        "inletId": inlet_id,
        "batchId": batch_id,
        "receivedTimeMs": now_ms,
        "responses": entries,
    }


def batch_entries(
    style: Literal["statusCode", "status"],
    batch_id: str,
    transaction: str,
    refusals: Sequence[Refusal | None],
) -> list[dict[str, Any]]:
    """One entry per message, None meaning taken.

    `statusCode`: the documentation's shape, a failure has no xactionId. `status`: the shape that
    Adobe's own client reads, the index is the number after the last `-` of the xactionId.
    """
    if style == "statusCode":
        return [
            {"xactionId": f"{batch_id}:{index}"}
            if refusal is None
            else {"statusCode": refusal.status, "message": refusal.message}
            for index, refusal in enumerate(refusals)
        ]
    return [
        {"xactionId": f"{transaction}-{index}"}
        if refusal is None
        else {
            "xactionId": f"{transaction}-{index}",
            "status": refusal.status,
            "message": refusal.message,
        }
        for index, refusal in enumerate(refusals)
    ]
