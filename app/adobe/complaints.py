"""What a refusal by one of Platform's services means, and what a person can do about it.

The codes are those of platform.md section 1.11: Flow Service's (`1425-400`), the gateway's
(`403025`) and Observability's (`INSGHT-1003-401`). Unknown ones fall back to what the status says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import orjson

from app.core.errors import PlatformFault, PlatformRefused, PlatformUnavailable
from app.core.platform import normalise

_TEXT_MAX_CHARS: Final = 200
_CODE: Final = re.compile(r"\b(?:[A-Z]{3,12}-)?\d{4}-\d{3}\b|\b(?:40[0-9]|50[0-9])\d{3}\b")
_CODE_KEYS: Final = ("error_code", "errorCode", "code", "type")
_TEXT_KEYS: Final = ("message", "detail", "title", "description", "error_description")
_DEPTH: Final = 4

# The entity is being changed by somebody: later.
_TRANSITIONAL: Final = frozenset({"1420-400", "1421-400", "1457-400", "1458-400", "1444-400"})
_NEW_TOKEN: Final = frozenset({"2114-400", "2115-400", "401013", "403010"})
_WAIT_MAX_SECONDS: Final = 300.0

_ROLE: Final = "add the credential to a role in Platform's Permissions (API credentials tab)"
_SANDBOX: Final = "platform.sandbox_name must name a sandbox that the credential may use"
_FIX: Final[Mapping[str, str]] = {
    "1100-400": "the organization is not entitled to this",
    "1101-404": "is platform.flow_id the id of a dataflow in this sandbox?",
    "1430-400": "is platform.flow_id the id of a dataflow in this sandbox?",
    "1439-400": "is platform.flow_id the id of a dataflow in this sandbox?",
    "2000-401": "do platform.org_id and the credentials belong together?",
    "2001-401": "do platform.org_id and the credentials belong together?",
    "2002-401": "do platform.org_id and the credentials belong together?",
    "2100-404": _SANDBOX,
    "2101-404": _SANDBOX,
    "2103-404": _SANDBOX,
    "2105-400": _SANDBOX,
    "2118-403": _ROLE,
    "2120-403": _ROLE,
    "2121-403": _ROLE,
    "403000": "platform.credentials.client_id is missing or wrong",
    "403003": "platform.credentials.client_id is missing or wrong",
    "400003": "platform.org_id is missing or wrong",
    "403025": "add the product profile AEP-Default-All-Users to the Developer Console project",
    "INSGHT-1003-401": _ROLE,
}
_FIX_BY_STATUS: Final[Mapping[int, str]] = {
    401: "do platform.org_id and the credentials belong together?",
    403: f"give the credential a product profile, and {_ROLE}",
    404: "are platform.api_url, flow_id, dataset_id and sandbox_name right?",
    412: "somebody else changed it: read it again",
    429: "Platform throttles; it is tried again later",
}


class PlatformAnswer(NamedTuple):
    """A bad answer: status, its Retry-After, the beginning of its body."""

    status: int
    retry_after: str
    body: bytes


def fault_of(call: str, answer: PlatformAnswer) -> PlatformFault:
    """The exception for a bad answer. `call`: method and path, for the text."""
    found = _parsed(answer.body)
    code = _code(found)
    text = normalise(_text(found))[:_TEXT_MAX_CHARS]
    said = " ".join(part for part in (str(answer.status), code, text) if part)
    if answer.status == 429 or answer.status >= 500 or code in _TRANSITIONAL:
        detail = f"{said}; it is tried again later"
        wait = _seconds(answer.retry_after)
        return PlatformUnavailable(call, detail, status=answer.status, code=code, retry_in=wait)
    fix = _FIX.get(code) or _FIX_BY_STATUS.get(answer.status, "what was asked is not allowed")
    refused = PlatformRefused(call, f"{said}; {fix}", status=answer.status, code=code)
    refused.wants_token = answer.status == 401 or code in _NEW_TOKEN
    return refused


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _objects(found: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """The document and what is nested in it (`report`, `errors`, `error`), the outermost first."""
    if depth > _DEPTH:
        return
    if isinstance(found, list):
        for item in found[:_DEPTH]:
            yield from _objects(item, depth + 1)
    elif isinstance(found, dict):
        yield found
        for value in found.values():
            if isinstance(value, dict | list):
                yield from _objects(value, depth + 1)


def _code(found: Any) -> str:
    for each in _objects(found):
        for key in _CODE_KEYS:
            value = each.get(key)
            hit = _CODE.search(str(value)) if isinstance(value, str | int) else None
            if hit:
                return hit.group()
    return ""


def _text(found: Any) -> str:
    for each in _objects(found):
        for key in _TEXT_KEYS:
            value = each.get(key)
            if isinstance(value, str) and value.strip():
                return value
    return ""


def _seconds(text: str) -> float | None:
    return min(float(text), _WAIT_MAX_SECONDS) if text.isdigit() and len(text) < 9 else None
