"""Platform's error bodies: a code, the text as Platform said it, and the XDM path.

The shapes are those of platform.md section 2.5 (data collection), 1.11 (gateway) and 6.2
(validation errors), read so that no body whatever can raise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import orjson

# Causes nest (`causingExceptions`); five errors end validation of a message (section 2.4).
_MAX_DEPTH: Final = 8
_MAX_CAUSES: Final = 16
_MAX_TEXTS: Final = 5

# Texts about the envelope (section 2.6). Sluice makes it, the same for every message of a
# connection, so these speak of configuration before they speak of an event.
_ENVELOPE_TEXTS: Final = {
    "absent or wrong ims org": "envelope_org",
    "'header' field is mandatory": "envelope_header",
    "missing source name": "envelope_source",
    "missing xdmentity": "envelope_entity",
    "unknown xdm format": "envelope_schema",
}
# A code goes into logs and metrics as it is: only what can be no value of an event.
_SHORT_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,47}|\d{3,8}")
_OWN_CODE: Final = re.compile(r"\b[A-Z]{3,12}-\d{4}-\d{3}\b")

# What a text may quote of an event, or what differs in each: made alike, in this order.
_VARYING: Final = (
    (re.compile(r"[^\s\[\]\"'<>:,;]+@[^\s\[\]\"'<>:,;]+"), "<address>"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\[[^\]]*\]?"), "[..]"),
    (re.compile(r'"[^"]*"?'), '".."'),
    # An apostrophe inside a word ("can't") quotes nothing.
    (re.compile(r"(?<!\w)'[^']*'?"), "'..'"),
    (re.compile(r"\bhttps?://\S+"), "<url>"),
    (re.compile(r"\b(?=\w*\d)[0-9A-Za-z]{20,}\b"), "<id>"),
    (re.compile(r"\d+"), "<n>"),
)
# Schema key names that Platform puts in brackets name a field, not a value: they stay.
_KEY_NAMED: Final = re.compile(r"((?:required|extraneous) key )\[([\w:.$@-]{1,80})\]")
_ENVELOPE_QUOTE: Final = re.compile(r"'(header|body|xdmEntity|xdmMeta)'")


class Problem(NamedTuple):
    """`code`: Platform's own (DCVS-1106-400), a validation keyword, or a short name of ours."""

    code: str = ""
    message: str = ""
    path: str = ""


def read_problem(body: bytes) -> Problem:
    """The problem in an error body. Never raises; an unreadable body is named, not quoted."""
    if not body.strip():
        return Problem("empty", "the answer had no body")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Problem("unreadable", f"the answer was not JSON ({len(body)} bytes)")
    return problem_of(found)


def problem_of(found: Any) -> Problem:
    """The problem in a parsed error body, or in a failed entry of a 207."""
    if not isinstance(found, Mapping):
        return Problem("unreadable", "the answer was not a JSON object")
    report = found.get("report")
    report = report if isinstance(report, Mapping) else {}
    causes = list(_causes(report.get("cause")))[:_MAX_CAUSES] or list(_causes(found))[:_MAX_CAUSES]
    says = _text(report, "message") or _text(found, "message", "detail", "error_description")
    title = _text(found, "title", "error")
    texts = [says or title, *(_described(cause) for cause in causes[:_MAX_TEXTS])]
    message = "; ".join(dict.fromkeys(text for text in texts if text))
    path = next((at for cause in causes if (at := _pointer(cause))), "")
    return Problem(_code(found, f"{title} {message}", causes), message, path)


def is_envelope_fault(code: str) -> bool:
    """Whether a code says that the envelope, so our configuration, is what Platform refuses."""
    return code.startswith("envelope_")


def normalise(message: str) -> str:
    """A text without what varies or may be personal: fit for logs, metrics and fingerprints.

    Quoted and bracketed values, addresses, ids, URLs and numbers are replaced; the names of
    schema keys and of envelope fields stay, for they are what tells two problems apart.
    """
    kept = _KEY_NAMED.sub(r"\1\2", message)
    kept = _ENVELOPE_QUOTE.sub(r"\1", kept)
    for pattern, label in _VARYING:
        kept = pattern.sub(label, kept)
    return " ".join(kept.split())


def _code(found: Mapping[Any, Any], text: str, causes: list[Mapping[Any, Any]]) -> str:
    for source in (*causes, found):
        own = _text(source, "code", "error_code")
        if _SHORT_NAME.fullmatch(own):
            return own
    in_text = _OWN_CODE.search(text)
    if in_text:
        return in_text.group()
    lowered = text.lower()
    for part, name in _ENVELOPE_TEXTS.items():
        if part in lowered:
            return name
    words = (_text(cause, "keyword") for cause in causes)
    return next((word for word in words if _SHORT_NAME.fullmatch(word)), "refused")


def _causes(found: Any, depth: int = 0) -> Iterator[Mapping[Any, Any]]:
    """The innermost causes: those with no causes of their own."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(found, list):
        for item in found[:_MAX_CAUSES]:
            yield from _causes(item, depth + 1)
        return
    if not isinstance(found, Mapping):
        return
    inner = [
        found[key]
        for key in ("_streamingValidation", "_validationErrors", "_errors", "causingExceptions")
        if found.get(key)
    ]
    deeper = [cause for item in inner for cause in _causes(item, depth + 1)]
    if deeper:
        yield from deeper
    elif depth:
        yield found


def _described(cause: Mapping[Any, Any]) -> str:
    at, says = _pointer(cause), _text(cause, "message")
    return f"{at}: {says}" if at and says and at not in says else says


def _pointer(cause: Mapping[Any, Any]) -> str:
    """`#/_id` -> `/_id`; the root says nothing, so it is empty."""
    return _text(cause, "pointerToViolation").removeprefix("#")[:256]


def _text(found: Mapping[Any, Any], *keys: str) -> str:
    for key in keys:
        value = found.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if key in ("code", "error_code") and type(value) is int:
            return str(value)
    return ""
