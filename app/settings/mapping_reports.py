"""What there is to say about mapping sets: a list of them, and what a check of one found.

The same from `sluice mappings` and from the console.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.core.check import Report, unknown_sources
from app.core.dataprep.problems import Problem
from app.core.errors import ConfigError
from app.core.published import LEGACY, PUBLISHED
from app.settings.mapping_sets import Configuration, Found, find


@dataclass(frozen=True, slots=True)
class Listed:
    """One set in config/mappings. `faults`: how many; 0 = it can be used."""

    name: str
    label: str
    version: int | None
    rows: int
    examples: int
    faults: int
    connections: tuple[str, ...]


def list_sets(known: Configuration) -> list[Listed]:
    """All sets in config/mappings, each checked."""
    return [_look(path, known) for path in sorted((known.folder / "mappings").glob("*.json"))]


def check_document(found: Found, report: Report) -> dict[str, Any]:
    """What a check found, for JSON."""
    compiled = report.mapping_set
    return {
        "set": found.name,
        "ok": not report.problems,
        "label": compiled.label if compiled else None,
        "rows": len(compiled.rows) if compiled else None,
        "examples": found.example_count,
        "schema": found.schema_name or None,
        "connection": found.connection.name if found.connection else None,
        "hints": [str(hint) for hint in hints(report)],
        "problems": [{**asdict(problem), "line": str(problem)} for problem in report.problems],
    }


def hints(report: Report) -> list[Problem]:
    """Sources that no published event has: no fault, for a sender may add fields."""
    if report.mapping_set is None:
        return []
    published = {path for paths in PUBLISHED.values() for path in paths}.union(LEGACY)
    return list(unknown_sources(report.mapping_set, published))


def _look(path: Path, known: Configuration) -> Listed:
    users = tuple(user.name for user in known.users(path))
    try:
        found = find(path.stem, configuration=known)
    except ConfigError:
        return Listed(path.stem, "", None, 0, 0, 1, users)
    report = found.report()
    compiled = report.mapping_set
    return Listed(
        path.stem,
        compiled.label if compiled else "",
        compiled.version if compiled else None,
        len(compiled.rows) if compiled else 0,
        found.example_count,
        len(report.problems),
        users,
    )
