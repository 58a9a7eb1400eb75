"""The files that a setup names: mapping set with its examples, schema. Read, not judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from app.core.errors import ConfigError
from app.settings.mapping_files import MappingFiles, examples_path, read_mapping_files
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
    examples = _object(files.examples, examples_path(mapping_path)).get("examples", [])
    schema = _object(files.schema, schema_path)
    if crooked := list(_crooked(schema)):
        raise ConfigError([f"{schema_path}: {fault}; mend it" for fault in crooked])
    return Documents(
        files,
        _object(files.mapping, mapping_path),
        schema,
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
        raise ConfigError([f"{path}: cannot be read as JSON: {fault.msg}; mend it"]) from None
    if not isinstance(found, dict):
        raise ConfigError([f"{path}: wanted a JSON object; mend it"])
    return found


def _crooked(schema: Any, place: str = "") -> Iterator[str]:
    """What is no schema where one must be: the steps walk through it."""
    here = place or "the schema"
    if not isinstance(schema, dict):
        yield f"{here} is no object"
        return
    for key, kind, word in (
        ("properties", dict, "an object"),
        ("meta:extends", list, "a list"),
        ("meta:class", str, "a text"),
    ):
        if not isinstance(schema.get(key, kind()), kind):
            yield f"{here}: {key} is not {word}"
    properties = schema.get("properties")
    inner = dict(properties) if isinstance(properties, dict) else {}
    if "items" in schema:
        inner["[*]"] = schema["items"]
    for name, each in inner.items():
        yield from _crooked(each, f"{place}.{name}" if place else name)
