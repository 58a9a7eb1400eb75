"""`sluice mappings check`: everything that is wrong with a set, at once, each with its place."""

from __future__ import annotations

import typer

from app.cli.mappings.finding import ForConnection, Found, SetName, WithSchema, find
from app.cli.reading import Json, echo_json
from app.core.check import Report
from app.core.dataprep.problems import Problem
from app.settings.mapping_reports import check_document, hints


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
        echo_json(check_document(found, report))
    else:
        _tell_all(found, report)
    raise typer.Exit(1 if report.problems else 0)


def _tell_all(found: Found, report: Report) -> None:
    for problem in report.problems:
        tell(problem)
    for hint in hints(report):
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


def tell(problem: Problem, *, err: bool = False) -> None:
    """A fault in a line, and below it its text with a caret under the place."""
    typer.echo(problem, err=err)
    for line in problem.pointed().splitlines():
        typer.echo(f"    {line}", err=err)
