"""The files behind a connection's records: read whole or not at all, and all their faults told."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import mapping_files
from app.settings.mapping_files import MappingFiles, check_files, read_mapping_files


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "small.json"
    path.write_text("{}")
    return path


def test_a_set_may_have_no_schema_and_no_examples(mapping: Path) -> None:
    assert read_mapping_files(mapping, None) == MappingFiles(b"{}", None, None)


def test_examples_are_found_by_the_set_s_name(mapping: Path) -> None:
    (mapping.parent / "examples").mkdir()
    (mapping.parent / "examples" / "small.json").write_text("[1]")
    schema = mapping.parent / "schema.json"
    schema.write_text("[2]")
    assert read_mapping_files(mapping, schema) == MappingFiles(b"{}", b"[2]", b"[1]")


def test_a_set_or_a_schema_that_is_not_there_is_a_fault(mapping: Path) -> None:
    gone = mapping.with_name("gone.json")
    for names in ((gone, None), (mapping, gone)):
        with pytest.raises(FileNotFoundError, match=r"gone\.json"):
            read_mapping_files(*names)


def test_a_dump_in_the_place_of_a_file_is_not_read(
    mapping: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapping_files, "FILE_MAX_BYTES", 1)
    with pytest.raises(OSError, match="is larger than 1 bytes") as caught:
        read_mapping_files(mapping, None)
    assert caught.value.filename == str(mapping)


def test_digests_are_those_of_the_content() -> None:
    one = MappingFiles(b"{}", b"[]", None)
    assert one.digests == MappingFiles(b"{}", b"[]", None).digests
    mapping, schema, examples = one.digests
    assert (len({mapping, schema, examples}), examples) == (3, "")
    assert MappingFiles(b"{}", b"[]", b"").digests != one.digests


def test_every_file_that_is_no_json_is_told_with_its_place() -> None:
    report = check_files(MappingFiles(b"{", b"[1,\n2 3]", b"\xff"), {})
    assert (report.mapping_set, report.schema) == (None, None)
    mapping, schema, examples = (str(problem) for problem in report.problems)
    assert mapping.startswith("the mapping set cannot be read as JSON")
    assert schema.startswith("the schema cannot be read as JSON")
    assert "line 2, column 3" in schema
    assert examples.startswith("the examples cannot be read as JSON")
