"""The documents behind a connection's records: mapping set, schema, and the set's examples.

They are read as bytes, so that whoever watches them can compare; `check_files` makes of them what
a worker runs. `sluice check-config`, a worker that starts and one that takes a new version all
call the same, so none of them is stricter than another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import orjson

from app.core.check import Report, check_mapping_set
from app.core.dataprep.problems import Problem

# A file beyond this is a mistake (a dump put in its place): the default set has 40 KB.
FILE_MAX_BYTES: Final = 16_000_000


@dataclass(frozen=True)
class MappingFiles:
    """What the files held. None: the connection names no schema; the set has no examples."""

    mapping: bytes
    schema: bytes | None
    examples: bytes | None

    @cached_property
    def digests(self) -> tuple[str, str, str]:
        """One per file, "" where there is none: equal when and only when the content is."""
        return _digest(self.mapping), _digest(self.schema), _digest(self.examples)


def examples_path(mapping_path: Path) -> Path:
    """Where a set's in/out examples lie, if it has any: `examples/NAME.json` beside it."""
    return mapping_path.parent / "examples" / mapping_path.name


def read_mapping_files(mapping_path: Path, schema_path: Path | None) -> MappingFiles:
    """Raises OSError when one cannot be read; only examples may be missing."""
    try:
        examples = _read(examples_path(mapping_path))
    except (FileNotFoundError, NotADirectoryError):
        examples = None
    schema = None if schema_path is None else _read(schema_path)
    return MappingFiles(_read(mapping_path), schema, examples)


def check_files(files: MappingFiles, variables: Mapping[str, str]) -> Report:
    """The compiled set and schema, or all that is wrong with them. Raises nothing."""
    faults: list[Problem] = []
    mapping = _document("mapping set", files.mapping, faults)
    schema = _document("schema", files.schema, faults)
    examples = _document("examples", files.examples, faults)
    if faults:
        return Report(None, None, tuple(faults))
    return check_mapping_set(mapping, variables, schema, examples)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(FILE_MAX_BYTES + 1)
    if len(content) > FILE_MAX_BYTES:
        raise OSError(None, f"is larger than {FILE_MAX_BYTES} bytes", str(path))
    return content


def _document(name: str, content: bytes | None, faults: list[Problem]) -> Any:
    if content is None:
        return None
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as fault:
        at = f"line {fault.lineno}, column {fault.colno}"
        text = f"the {name} cannot be read as JSON: {fault.msg} ({at})"
        faults.append(Problem(0, "set", None, text, "", ""))
        return None


def _digest(content: bytes | None) -> str:
    return "" if content is None else blake2b(content, digest_size=16).hexdigest()
