"""What the collection service checks at once: the envelope, never the record. Pure.

Sources: platform.md sections 2.3 and 2.6. Texts marked "ours" are not documented.
"""

from __future__ import annotations

from typing import Any

from app.sandbox.config import Inlet
from app.sandbox.platform.answers import Refusal


def check_message(inlet: Inlet, message: Any) -> Refusal | None:
    """None when `message` is an XDM message for `inlet`, else the first thing wrong with it."""
    header = message.get("header") if isinstance(message, dict) else None
    if not isinstance(header, dict) or not header:
        return Refusal(
            400, "The 'header' field is mandatory. Provide a valid 'header' value and try again."
        )
    return _check_header(inlet, header) or _check_body(inlet, header, message.get("body"))


def record_of(inlet: Inlet, message: Any) -> Any:
    """What a taken message carries: the XDM entity, or the raw object (unwrapped when wrapped)."""
    if inlet.mode == "xdm":
        return message["body"]["xdmEntity"]
    if isinstance(message, dict) and set(message) == {"header", "body"}:
        return message["body"]
    return message


def record_id(inlet: Inlet, record: Any) -> str | None:
    """The id to count by: `_id` of a record, `event_id` of a raw Customer.io event."""
    if not isinstance(record, dict):
        return None
    found = record.get("_id" if inlet.mode == "xdm" else "event_id")
    return found if isinstance(found, str) else None


def _check_header(inlet: Inlet, header: dict[str, Any]) -> Refusal | None:
    # Absent: the collection service fills it in (section 2.3).
    if header.get("imsOrgId", inlet.org_id) != inlet.org_id:
        return _refused(inlet, "Message has an absent or wrong ims org in the header")
    if header.get("schemaRef") != _schema_ref(inlet):
        return _refused(inlet, "Message has unknown xdm format")
    if header.get("datasetId") != inlet.dataset_id:
        return _refused(inlet, "Message has an absent or wrong dataset in the header")  # ours
    if header.get("flowId") != inlet.flow_id:
        return _refused(inlet, "Message has an absent or wrong flow id in the header")  # ours
    if "source" in header:
        source = header["source"]
        if not isinstance(source, dict) or not source.get("name"):
            return Refusal(400, "Payload header is missing Source Name")
    return None


def _check_body(inlet: Inlet, header: dict[str, Any], body: Any) -> Refusal | None:
    if not isinstance(body, dict):
        return _refused(inlet, "Message has unknown xdm format")
    meta = body.get("xdmMeta")
    if not isinstance(meta, dict) or meta.get("schemaRef") != header["schemaRef"]:
        return _refused(inlet, "Message has unknown xdm format")
    if not isinstance(body.get("xdmEntity"), dict):
        return Refusal(400, "Payload body is missing xdmEntity")
    return None


def _schema_ref(inlet: Inlet) -> dict[str, str]:
    return {"id": inlet.schema_id, "contentType": inlet.schema_content_type}


def _refused(inlet: Inlet, text: str) -> Refusal:
    return Refusal(400, f"inletId: [{inlet.id}] imsOrgId: [{inlet.org_id}] {text}")
