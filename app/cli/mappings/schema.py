"""`sluice mappings schema`: what Platform needs for the records, in the forms it takes."""

from __future__ import annotations

from typing import Annotated, Any, Final

import orjson
import typer

from app.cli.mappings.finding import (
    NO_SCHEMA,
    Configuration,
    ForConnection,
    WithSchema,
    find,
)
from app.cli.reading import echo_json, echo_table
from app.core.dataprep import VariableInvalid
from app.core.dataprep.document import posted
from app.core.errors import ConfigError, MappingSetInvalid
from app.core.xdm import compose, fill_schema, registry_requests, types_of

# The document that `--write` renews: what the default set writes.
_OWN: Final = "customerio-events"

# platform.md section 4.1.
_MAPPING_SETS: Final = "/data/foundation/conversion/mappingSets"


def schema(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[SET]", help="Of this set; without: the one that Sluice composes."),
    ] = None,
    registry: Annotated[
        bool,
        typer.Option("--registry", help="The POST bodies that make it in Platform's registry."),
    ] = False,
    types: Annotated[bool, typer.Option("--types", help="A table of path and XDM type.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help=f"Renew config/schemas/{_OWN}.json.")
    ] = False,
    connection: ForConnection = None,
    with_schema: WithSchema = None,
    as_json: Annotated[bool, typer.Option("--json", help="The table as JSON.")] = False,
) -> None:
    """Print the XDM schema of the records: what Platform needs.

    As the Schema Registry returns it (default), as the requests that create it (of a SET the set
    itself, too), or as a table of types. With --connection the tenant is filled in.
    """
    if sum((registry, types, write)) > 1:
        raise typer.BadParameter("--registry, --types and --write exclude each other")
    known = Configuration()
    if write:
        _write(known, name, connection)
        return
    variables = known.connection(connection).mapping_variables if connection else None
    if registry:
        if with_schema is not None:
            raise typer.BadParameter("--registry is of the schema that Sluice composes")
        _print(_requests(known, name, connection))
        return
    document = _document(known, name, connection, with_schema)
    filled = fill_schema(document, variables) if variables else document
    if not types:
        _print(filled)
    elif as_json:
        echo_json(types_of(filled))
    else:
        echo_table(("path", "type"), types_of(filled).items())


def _document(
    known: Configuration, name: str | None, connection: str | None, with_schema: str | None
) -> dict[str, Any]:
    """The schema document, its tenant not filled in. Raises ConfigError."""
    if name is None and with_schema is None:
        return compose()
    if name is None:
        content: bytes | None = known.schema_path(with_schema or "").read_bytes()
    else:
        content = find(name, connection, with_schema, configuration=known).files.schema
    if content is None:
        raise ConfigError(["the set has no schema: name one with --schema"])
    document: dict[str, Any] = orjson.loads(content)
    return document


def _requests(known: Configuration, name: str | None, connection: str | None) -> list[Any]:
    """What to POST, in order; of a SET the set itself last. Raises ConfigError."""
    chosen = known.connection(connection) if connection else None
    requests: list[Any] = []
    try:
        requests += registry_requests(chosen.mapping_variables if chosen else None)
        if name is not None:
            found = find(name, chosen, NO_SCHEMA, configuration=known)
            body = posted(orjson.loads(found.files.mapping), found.variables)
            requests.append(
                {"creates": "mapping set", "title": body.get("name", ""), "method": "POST",
                 "path": _MAPPING_SETS, "body": body}
            )  # fmt: skip
    except VariableInvalid as fault:
        raise ConfigError([f"the connection's settings: {fault}"]) from None
    except (orjson.JSONDecodeError, MappingSetInvalid) as fault:
        raise ConfigError([f"{name}: {fault}"]) from None
    return requests


def _write(known: Configuration, name: str | None, connection: str | None) -> None:
    if name is not None or connection is not None:
        raise typer.BadParameter("--write renews one file for every tenant: no SET, no connection")
    path = known.folder / "schemas" / f"{_OWN}.json"
    content = orjson.dumps(compose(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if path.is_file() and path.read_bytes() == content:
        typer.echo(f"{path} is up to date")
        return
    try:
        path.write_bytes(content)
    except OSError as fault:
        raise ConfigError([f"{path}: cannot be written: {fault.strerror}"]) from None
    typer.echo(f"wrote {path}")


def _print(document: Any) -> None:
    """As JSON whoever asks: it is what Platform's API takes."""
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
