"""A failed message as the files of a failed batch show it (platform.md section 6.2). Pure."""

from __future__ import annotations

from typing import Any

from app.sandbox.compact import kept_json
from app.sandbox.config import Inlet, LineStyle
from app.sandbox.platform.envelope import record_of
from app.sandbox.platform.validation import Violation


def failed_line(style: LineStyle, message: Any, violations: tuple[Violation, ...]) -> bytes:
    """One line of `…/failed?path=`: the original message and one of the two error keys.

    A message of raw data has no envelope: it is the object that was sent (ours: section 6.2 shows
    only XDM messages).
    """
    original = message if isinstance(message, dict) else {"body": message}
    documented = style == "_validationErrors"
    if style == "byKind":
        documented = violations[0].keyword == "format"
    if documented:
        return kept_json({**original, "_validationErrors": list(map(_documented, violations))})
    sampled = [
        {"code": violation.code, "message": f"{violation.pointer}: {violation.message}"}
        for violation in violations
    ]
    return kept_json({**original, "_errors": {"_streamingValidation": sampled}})


def row_line(inlet: Inlet, message: Any, violations: tuple[Violation, ...]) -> bytes:
    """One line of a row_errors file: the row, what is wrong with its columns, and its file's kind.

    The form of the diagnostics page's sample; section 6.2 names only the files.
    """
    row = record_of(inlet, message)
    errors = [
        {
            "column": violation.pointer.removeprefix("#/").replace("/", "."),
            "code": violation.code,
            "message": violation.message,
        }
        for violation in violations
    ]
    return kept_json({**(row if isinstance(row, dict) else {"row": row}), "_errors": errors})


def _documented(violation: Violation) -> dict[str, Any]:
    return {
        "keyword": violation.keyword,
        "pointerToViolation": violation.pointer,
        "schemaLocation": violation.schema,
        "message": violation.message,
        "causingExceptions": [],
    }
