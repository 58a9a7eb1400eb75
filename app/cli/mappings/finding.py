"""How commands are told which mapping set is meant, and how they say what they took for granted.

Finding itself is app/settings/mapping_sets.py's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from app.core.dataprep import MappingSet
from app.core.xdm import Schema
from app.settings import Connection, environment, mapping_sets
from app.settings.mapping_files import check_files
from app.settings.mapping_sets import HARMLESS, NO_SCHEMA, Found

__all__ = [
    "HARMLESS",
    "NO_SCHEMA",
    "Configuration",
    "ForConnection",
    "Found",
    "SetName",
    "WithSchema",
    "compiled",
    "find",
    "user_of",
]

SetName = Annotated[
    str, typer.Argument(metavar="SET", help="A name in config/mappings, or a JSON file.")
]
ForConnection = Annotated[
    str | None,
    typer.Option("--connection", help="Whose tenant, namespaces and schema. Default: who uses it."),
]
WithSchema = Annotated[
    str | None,
    typer.Option("--schema", help="A name in config/schemas, a JSON file, or `none`."),
]


class Configuration(mapping_sets.Configuration):
    """The config folder of this command's environment."""

    def __init__(self) -> None:
        super().__init__(environment())


def say(text: str) -> None:
    """A word on stderr about what was taken without being asked for."""
    typer.echo(text, err=True)


def find(
    name: str,
    connection: Connection | str | None = None,
    schema: str | None = None,
    *,
    configuration: Configuration | None = None,
) -> Found:
    """As mapping_sets.find, said on stderr."""
    known = configuration or Configuration()
    return mapping_sets.find(name, connection, schema, configuration=known, tell=say)


def user_of(known: Configuration, *names: str) -> Connection | None:
    """As mapping_sets.user_of, said on stderr."""
    return mapping_sets.user_of(known, *names, tell=say)


def compiled(found: Found) -> tuple[MappingSet, Schema | None]:
    """The set and the schema, whatever the examples say. Raises typer.Exit, the faults told."""
    report = check_files(replace(found.files, examples=None), found.variables)
    if report.mapping_set is None:
        for problem in report.problems:
            typer.echo(f"{found.path}: {problem}", err=True)
    if report.problems:
        many = f"{found.path} has {len(report.problems)} fault(s)"
        typer.echo(f"{many}: `sluice mappings check {found.path}` shows where", err=True)
    if report.mapping_set is None:
        raise typer.Exit(1)
    return report.mapping_set, report.schema
