"""`sluice mappings list`: which sets there are, and who uses them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from app.cli.mappings.finding import Configuration, find
from app.cli.reading import Json, echo_json, echo_table
from app.core.errors import ConfigError


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


def list_(as_json: Json = False) -> None:
    """List the sets in config/mappings: version, rows, and the connections that use them."""
    known = Configuration()
    folder = known.folder / "mappings"
    found = [_look(path, known) for path in sorted(folder.glob("*.json"))]
    if as_json:
        echo_json([asdict(one) for one in found])
        return
    echo_table(
        ("set", "version", ">rows", ">examples", "state", "used by"),
        (
            (
                one.name,
                one.label or "-",
                one.rows,
                one.examples,
                f"{one.faults} fault(s): sluice mappings check {one.name}" if one.faults else "ok",
                ", ".join(one.connections) or "-",
            )
            for one in found
        ),
    )
    if not found:
        typer.echo(f"no mapping set in {folder}", err=True)
    if known.faults:
        typer.echo(f"connections cannot be read: {known.faults[0]}", err=True)


def _look(path: Path, known: Configuration) -> Listed:
    users = tuple(user.name for user in known.users(path))
    try:
        found = find(path.stem, configuration=known, tell=_nothing)
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


def _nothing(text: str) -> None:
    """A list of all sets is no place for a word about each."""
