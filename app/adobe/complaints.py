"""What a refusal by one of Platform's services means: which exception it is, and its text.

The codes are those of platform.md section 1.11: Flow Service's (`1425-400`), the gateway's
(`403025`), Schema Registry's (`XDM-3005-400`), the namespaces' (`NAMESPACE_CODE_CONFLICT`) and
Observability's (`INSGHT-1003-401`). What to do about each is in app.adobe.remedies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import orjson

from app.adobe.remedies import NO_SANDBOX, TRANSITIONAL, fix_for, wait_for
from app.core.errors import (
    PlatformFault,
    PlatformInUse,
    PlatformMissing,
    PlatformRefused,
    PlatformStale,
    PlatformTaken,
    PlatformUnavailable,
)
from app.core.platform import normalise

_TEXT_MAX_CHARS: Final = 200
_CODE: Final = re.compile(
    r"\b(?:[A-Z]{3,12}-)?\d{4}-\d{3}\b|\b(?:40[0-9]|50[0-9])\d{3}\b|\b[A-Z]{3,}(?:_[A-Z]{3,})+\b"
)
# As some of its answers write Flow Service's own.
_FLOW_PREFIX: Final = "FLOW-"
_CODE_KEYS: Final = ("error_code", "errorCode", "code", "type")
_TEXT_KEYS: Final = ("message", "detail", "title", "description", "error_description")
_DEPTH: Final = 4

_NEW_TOKEN: Final = frozenset({"2114-400", "2115-400", "401013", "403010"})
# A wrong sandbox, not a missing thing in it: Flow Service's codes, and what others may say of it.
# Else a plan would make everything anew, and what is to be taken away would count as gone.
_NO_SANDBOX: Final = frozenset({"2100-404", "2101-404", "2103-404", "2105-400"})
_SANDBOX_TEXT: Final = re.compile(
    r"\bsandbox\b.{0,80}\b(?:not (?:be )?found|not exist)|\b(?:no|unknown|invalid) sandbox\b", re.I
)
_MISSING: Final = frozenset({"1101-404", "1430-400", "1439-400"})
_KINDS: Final[Mapping[str, type[PlatformRefused]]] = {
    "XDM-3005-400": PlatformTaken,
    "NAMESPACE_CODE_CONFLICT": PlatformTaken,
    "1404-412": PlatformStale,
    "1418-400": PlatformInUse,
    "1447-400": PlatformInUse,
}
_KINDS_BY_STATUS: Final[Mapping[int, type[PlatformRefused]]] = {
    409: PlatformTaken,
    412: PlatformStale,
}
_WAIT_MAX_SECONDS: Final = 300.0


class PlatformAnswer(NamedTuple):
    """A bad answer: status, its Retry-After, the beginning of its body."""

    status: int
    retry_after: str
    body: bytes


def fault_of(call: str, answer: PlatformAnswer) -> PlatformFault:
    """The exception for a bad answer. `call`: method, a space, and the path."""
    found = _parsed(answer.body)
    code = _code(found)
    text = normalise(_text(found))[:_TEXT_MAX_CHARS]
    said = " ".join(part for part in (str(answer.status), code, text) if part)
    if answer.status == 429 or answer.status >= 500 or code in TRANSITIONAL:
        detail = f"{said}; {wait_for(code, answer.status)}"
        wait = _seconds(answer.retry_after)
        return PlatformUnavailable(call, detail, status=answer.status, code=code, retry_in=wait)
    path = call.partition(" ")[2]
    if code in _NO_SANDBOX or (answer.status in (400, 404) and _SANDBOX_TEXT.search(text)):
        kind, fix = PlatformRefused, NO_SANDBOX
    else:
        kind = _kind(code, answer.status, found is not None or not answer.body.strip())
        fix = fix_for(code, answer.status, path)
    refused = kind(call, f"{said}; {fix}", status=answer.status, code=code)
    refused.wants_token = answer.status == 401 or code in _NEW_TOKEN
    return refused


def _kind(code: str, status: int, of_platform: bool) -> type[PlatformRefused]:
    """`of_platform`: whether it looks like an answer of Platform's, and not of another server."""
    if code in _MISSING or (status == 404 and of_platform):
        return PlatformMissing
    return _KINDS.get(code) or _KINDS_BY_STATUS.get(status) or PlatformRefused


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
                return hit.group().removeprefix(_FLOW_PREFIX)
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
