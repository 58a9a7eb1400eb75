"""What a mapping set makes of one event, in the shape of Adobe's own preview (section 4.1)."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from app.core.dataprep import MappingSet, Row, RowWarning
from app.core.dataprep.values import Value
from app.core.xdm import Schema, Violation

Severity = Literal["warning", "error"]

_ERROR: Final = "error"


class PreviewError(NamedTuple):
    """One thing that went wrong, under Adobe's names (TransformErrorInfo of API:data-prep).

    `severity` is ours: a "warning" leaves its field out, an "error" rejects the record.
    `columnName`, which no page explains, is the place that is left out or at fault (judgement).
    """

    source: str | None
    destination: str | None
    sourceType: str | None
    columnName: str | None
    exception: str
    severity: Severity


class Preview(NamedTuple):
    """`data`: the record without the fields that failed, also when it would be rejected."""

    data: dict[str, Value]
    errors: tuple[PreviewError, ...] | None

    @property
    def rejected(self) -> bool:
        """Would the event be a dead letter?"""
        return any(error.severity == _ERROR for error in self.errors or ())


def preview(
    mapping_set: MappingSet,
    schema: Schema | None,
    document: dict[str, Any],
    received_ms: int = 0,
    now: float | None = None,
) -> Preview:
    """The record of a document, and all that is wrong with it.

    `received_ms` (Unix milliseconds) is the event's, `now` (Unix seconds) dates the check.
    Without a schema nothing is required and everything fits.
    """
    record, warnings = mapping_set.trial(document, received_ms)
    violations = () if schema is None else schema.check(record, now)
    missing = {violation.path for violation in violations if violation.keyword == "required"}
    errors = [_of_warning(mapping_set, warning, missing) for warning in warnings]
    failed = {error.destination for error in errors if error.severity == _ERROR}
    for violation in violations:
        row = mapping_set.row_at(violation.path)
        # A required field that is missing because its row failed is told by the row.
        if not (row and row.destination in failed and violation.path in missing):
            errors.append(_of_violation(violation, row))
    return Preview(record, tuple(errors) or None)


def checked(schema: Schema | None, record: dict[str, Any], now: float | None = None) -> Preview:
    """The same for what is a record already."""
    found = () if schema is None else schema.check(record, now)
    return Preview(record, tuple(_of_violation(each, None) for each in found) or None)


def _of_warning(mapping_set: MappingSet, warning: RowWarning, missing: set[str]) -> PreviewError:
    row = mapping_set.row(warning.number)
    rejects = any(mapping_set.row_at(path) == row for path in missing)
    return PreviewError(
        None if row is None else str(row.source),
        warning.path,
        None if row is None else row.kind,
        warning.path,
        warning.detail,
        _ERROR if rejects else "warning",
    )


def _of_violation(violation: Violation, row: Row | None) -> PreviewError:
    return PreviewError(
        None if row is None else str(row.source),
        None if row is None else row.destination,
        None if row is None else row.kind,
        violation.path or None,
        f"{violation.path or 'the record'}: {violation.message}",
        _ERROR,
    )
