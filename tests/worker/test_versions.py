"""What a worker starts with, and what it does not start with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ConfigError
from tests.worker.connections import Files, examples, mapping_set, row
from worker.versions import load_versions

RECORD = {"_id": "e1", "timestamp": "2023-11-14T22:13:20Z", "_acme": {"count": 3}}


def test_set_schema_and_label_of_each_connection(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.write(files.examples, examples(RECORD))
    found = load_versions({"a": files.connection(), "r": files.connection("r", "raw")})

    assert found["a"].label.startswith("small@1+")
    assert found["a"].schema is not None
    assert (found["r"].label, found["r"].mapping) == ("", None)


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("mapping", mapping_set(1, row("lower(", "eventType", "EXPRESSION")), "#4 EXPRESSION"),
        ("mapping", mapping_set(1, row("metric", "nowhere")), "nowhere"),
        ("mapping", "no JSON", "mapping set cannot be read as JSON"),
        ("schema", "no JSON", "schema cannot be read as JSON"),
        ("examples", "no JSON", "examples cannot be read as JSON"),
        ("examples", examples({}), "an event"),
    ],
)
def test_whatever_check_says_keeps_a_worker_from_starting(
    tmp_path: Path, name: str, content: Any, wanted: str
) -> None:
    files = Files(tmp_path)
    path = getattr(files, name)
    path.write_text(content) if isinstance(content, str) else files.write(path, content)

    with pytest.raises(ConfigError) as caught:
        load_versions({"a": files.connection("a"), "b": files.connection("b")})

    assert any(wanted in fault for fault in caught.value.faults), caught.value.faults
    assert all(fault.startswith(str(files.mapping)) for fault in caught.value.faults)
    assert len(set(caught.value.faults)) == len(caught.value.faults)


def test_a_file_that_cannot_be_read_is_said_with_its_name(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.schema.unlink()
    with pytest.raises(ConfigError, match=r"schemas/small\.json: cannot be read: No such file"):
        load_versions({"a": files.connection()})
