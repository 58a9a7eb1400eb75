"""`sluice mappings check`: everything that is wrong with a set, at once, each with its place."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from app.cli.mappings.finding import ForConnection, Found, SetName, WithSchema, find
from app.cli.reading import Json, echo_json
from app.core.check import Report, unknown_sources
from app.core.dataprep.problems import Problem
from app.core.published import LEGACY, PUBLISHED


def check(
    name: SetName,
    connection: ForConnection = None,
    schema: WithSchema = None,
    as_json: Json = False,
) -> None:
    """Say all that is wrong with a set, each fault with its place.

    Rows that cannot be compiled, destinations that the schema does not know, constants of the
    wrong type, required fields that no row writes, examples that come out otherwise. Exit 1 when
    there is any.
    """
    found = find(name, connection, schema)
    report = found.report()
    if as_json:
        echo_json(_document(found, report))
    else:
        _tell_all(found, report)
    raise typer.Exit(1 if report.problems else 0)


def _document(found: Found, report: Report) -> dict[str, Any]:
    compiled = report.mapping_set
    return {
        "set": found.name,
        "ok": not report.problems,
        "label": compiled.label if compiled else None,
        "rows": len(compiled.rows) if compiled else None,
        "examples": found.example_count,
        "schema": found.schema_name or None,
        "connection": found.connection.name if found.connection else None,
        "hints": [str(hint) for hint in _hints(report)],
        "problems": [{**asdict(problem), "line": str(problem)} for problem in report.problems],
    }


def _tell_all(found: Found, report: Report) -> None:
    for problem in report.problems:
        tell(problem)
    for hint in _hints(report):
        typer.echo(f"hint: {hint}")
    if report.problems:
        typer.echo(f"{found.path}: {len(report.problems)} fault(s)", err=True)
        return
    compiled = report.mapping_set
    assert compiled is not None
    schema = f"schema {found.schema_name}" if found.schema_name else "no schema"
    typer.echo(
        f"{compiled.label}: ok, {len(compiled.rows)} rows, {found.example_count} examples, {schema}"
    )


def _hints(report: Report) -> list[Problem]:
    """Sources that no published event has: no fault, for a sender may add fields."""
    if report.mapping_set is None:
        return []
    published = {path for paths in PUBLISHED.values() for path in paths}.union(LEGACY)
    return list(unknown_sources(report.mapping_set, published))


def tell(problem: Problem, *, err: bool = False) -> None:
    """A fault in a line, and below it its text with a caret under the place."""
    typer.echo(problem, err=err)
    for line in problem.pointed().splitlines():
        typer.echo(f"    {line}", err=err)
