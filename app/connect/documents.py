"""The files that a setup names: mapping set with its examples, schema. Read, not judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from app.core.errors import ConfigError
from app.settings.mapping_files import MappingFiles, read_mapping_files
from app.settings.setups import Setup


@dataclass(frozen=True, slots=True)
class Documents:
    """`files`: as they are; the others parsed. `examples`: bodies that go in."""

    files: MappingFiles
    mapping: dict[str, Any]
    schema: dict[str, Any]
    examples: tuple[dict[str, Any], ...]


def read_documents(setup: Setup, config_dir: Path) -> Documents:
    """Raises ConfigError."""
    mapping_path = config_dir / "mappings" / f"{setup.mapping_set}.json"
    schema_path = config_dir / "schemas" / f"{setup.platform.schema_.document}.json"
    try:
        files = read_mapping_files(mapping_path, schema_path)
    except OSError as fault:
        raise ConfigError([f"{fault.filename}: cannot be read: {fault.strerror}"]) from None
    examples = _object(files.examples, mapping_path).get("examples", [])
    return Documents(
        files,
        _object(files.mapping, mapping_path),
        _object(files.schema, schema_path),
        tuple(
            each["in"]
            for each in (examples if isinstance(examples, list) else [])
            if isinstance(each, dict) and isinstance(each.get("in"), dict)
        ),
    )


def _object(content: bytes | None, path: Path) -> dict[str, Any]:
    try:
        found = orjson.loads(content or b"{}")
    except orjson.JSONDecodeError as fault:
        raise ConfigError([f"{path}: cannot be read as JSON: {fault.msg}"]) from None
    if not isinstance(found, dict):
        raise ConfigError([f"{path}: wanted a JSON object"])
    return found
