"""One expression over one source, through a whole mapping set."""

from __future__ import annotations

from typing import Any

from app.core.dataprep import Mapped, compile_mapping_set


def row(source: Any, destination: str = "out", kind: str = "EXPRESSION") -> dict[str, Any]:
    return {"sourceType": kind, "source": source, "destination": destination}


def run(expression: str, source: dict[str, Any] | None = None) -> Mapped:
    return compile_mapping_set({"mappings": [row(expression)]}).transform(source or {})


def value(expression: str, source: dict[str, Any] | None = None) -> Any:
    """The value of an expression; None when nothing is left of it. Warnings fail the test."""
    record, warnings = run(expression, source)
    assert warnings == ()
    return record.get("out")


def warning(expression: str, source: dict[str, Any] | None = None) -> str:
    """What the warning says."""
    record, [found] = run(expression, source)
    assert record == {}
    return found.detail
