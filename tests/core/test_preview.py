"""Previews: Adobe's answer shape, warnings apart from errors (platform.md sections 4.1, 4.4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.dataprep import compile_mapping_set
from app.core.preview import Preview, PreviewError, preview
from app.core.xdm import compile_schema, schema_of_types
from tests.core.dataprep.default_set import default_set
from tests.core.dataprep.evaluate import row

SET, SCHEMA = default_set()
NOW = 1_900_000_000.0


def previewed(rows: list[Any], source: dict[str, Any], types: dict[str, str] | None) -> Preview:
    schema = compile_schema(schema_of_types(types)) if types else None
    return preview(compile_mapping_set({"mappings": rows}, {}, types), schema, source, 0, NOW)


def test_the_sample_of_adobe_s_guide() -> None:
    rows = [
        row("id", "_id", "ATTRIBUTE"), row("firstName", "person.name.firstName", "ATTRIBUTE"),
        row("lastName", "person.name.lastName", "ATTRIBUTE"),
    ]  # fmt: skip
    types = {
        "_id": "string", "person.name.firstName": "string", "person.name.lastName": "string",
    }  # fmt: skip

    found = previewed(rows, {"id": 1234, "firstName": "Jim", "lastName": "Seltzer"}, types)

    assert found == (
        {"_id": "1234", "person": {"name": {"firstName": "Jim", "lastName": "Seltzer"}}}, None,
    )  # fmt: skip
    assert not found.rejected


def test_a_failing_row_is_a_warning_and_its_field_is_left_out() -> None:
    rows = [row("1 / a", "x"), row("a", "y", "ATTRIBUTE")]

    found = previewed(rows, {"a": 0}, None)

    assert found.data == {"y": 0}
    assert found.errors is not None
    [error] = found.errors
    assert error[:4] == ("1 / a", "x", "EXPRESSION", "x")
    assert error.severity == "warning"
    assert not found.rejected


def test_a_type_mismatch_is_an_error_and_rejects_the_record() -> None:
    found = previewed([row("a", "x", "ATTRIBUTE")], {"a": "many"}, {"x": "integer"})

    assert found.errors is not None
    [error] = found.errors
    assert isinstance(error, PreviewError)
    assert (error.source, error.destination, error.sourceType) == ("a", "x", "ATTRIBUTE")
    assert error.exception.startswith("/x: ")
    assert "many" not in error.exception
    assert found.rejected


def test_a_required_field_whose_row_fails_is_told_once_as_an_error() -> None:
    found = preview(SET, SCHEMA, {"event_id": "1", "timestamp": "soon"}, 0, NOW)

    assert "timestamp" not in found.data
    errors = [error for error in found.errors or () if error.severity == "error"]
    assert [error.destination for error in errors] == ["timestamp"]
    assert found.rejected


def test_a_required_field_without_a_source_is_an_error() -> None:
    found = preview(SET, SCHEMA, {"timestamp": 1613063089, "metric": "sent"}, 0, NOW)

    assert found.rejected
    assert any("_id" in error.exception for error in found.errors or ())


def test_a_place_that_no_row_writes_is_told_without_a_row() -> None:
    schema = compile_schema({"type": "object", "required": ["z"]})
    compiled = compile_mapping_set({"mappings": [row("a", "x", "ATTRIBUTE")]})

    [error] = preview(compiled, schema, {"a": 1}).errors or ()

    assert (error.source, error.destination, error.columnName) == (None, None, "/z")


@pytest.mark.parametrize("timestamp", [1613063089, 1613063089.5])
def test_a_record_that_is_right_has_no_errors(timestamp: float) -> None:
    body = {
        "metric": "subscribed", "event_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ",
        "object_type": "customer", "timestamp": timestamp,
        "data": {"identifiers": {"id": "42", "email": "test@example.com", "cio_id": "d9c1"}},
    }  # fmt: skip

    found = preview(SET, SCHEMA, body, 1613063089000, NOW)

    assert found.errors is None
    assert found.data == SET.transform(body, 1613063089000).record
    json.dumps(found.data)
