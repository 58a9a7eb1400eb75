"""Which mapping set is meant, and what belongs to it: its connection, variables, schema, examples.

A set is a name in config/mappings or a file. What a connection would give it (the tenant, the
namespaces, the schema) is taken from the connection that uses it, so that what these commands say
is what the worker would do; whatever was taken without being asked for is told to the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson

from app.core.check import Report
from app.core.dataprep.document import set_in
from app.core.errors import ConfigError, MappingSetInvalid
from app.settings.connections import Connection
from app.settings.faults import close_match
from app.settings.load import load_connections
from app.settings.mapping_files import (
    MappingFiles,
    check_files,
    read_mapping_files,
)
from app.settings.reading import load_settings

# Where nothing says otherwise: of the right form, and of nobody.
HARMLESS: Final = {
    "TENANT": "tenant",
    "EMAIL_NAMESPACE": "Email",
    "ID_NAMESPACE": "customerId",
    "CIO_ID_NAMESPACE": "customerioId",
}

NO_SCHEMA: Final = "none"


@dataclass(frozen=True, slots=True)
class Found:
    """A mapping set and what belongs to it. `schema_name`: "" when there is none."""

    name: str
    path: Path
    files: MappingFiles
    variables: Mapping[str, str]
    connection: Connection | None
    schema_name: str

    def report(self) -> Report:
        """Compiled, or all that is wrong with it, examples included."""
        return check_files(self.files, self.variables)

    def examples(self) -> dict[str, Any]:
        """The examples file as it is; {} when there is none or it cannot be read."""
        return _object(self.files.examples)

    @property
    def example_count(self) -> int:
        found = self.examples().get("examples")
        return len(found) if isinstance(found, list) else 0


class Configuration:
    """The config folder and its connections, as far as they can be read."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Raises ConfigError when the settings are wrong."""
        self.settings = load_settings(environ)
        self.folder = self.settings.config_dir
        self.connections: dict[str, Connection] = {}
        self.faults: tuple[str, ...] = ()
        try:
            self.connections = load_connections(self.settings.folders, environ, secrets=False)
        except ConfigError as error:
            self.faults = error.faults

    def connection(self, name: str) -> Connection:
        """Raises ConfigError for an unknown one, and when connections cannot be read."""
        if self.faults:
            raise ConfigError(self.faults)
        if name not in self.connections:
            raise ConfigError(
                [f"there is no connection {name!r}{close_match(name, self.connections)}"]
            )
        return self.connections[name]

    def users(self, path: Path) -> list[Connection]:
        """The connections that use the set in this file."""
        wanted = path.resolve()
        return [
            connection
            for connection in self.connections.values()
            if connection.mapping_path is not None and connection.mapping_path.resolve() == wanted
        ]

    def set_path(self, name: str) -> Path:
        """Raises ConfigError, with the names that come near."""
        return _path(name, self.folder / "mappings", "mapping set")

    def schema_path(self, name: str) -> Path:
        """Raises ConfigError, with the names that come near."""
        return _path(name, self.folder / "schemas", "schema")

    def schema_by_id(self, identifier: object) -> Path | None:
        """The document in config/schemas with that `$id`, as both files spell it."""
        for path in sorted((self.folder / "schemas").glob("*.json")):
            try:
                if identifier and _object(path.read_bytes()).get("$id") == identifier:
                    return path
            except OSError:
                continue
        return None


def _nobody(_text: str) -> None:
    """Who does not ask what was taken without being asked for."""


def user_of(
    known: Configuration, *names: str, tell: Callable[[str], None] = _nobody
) -> Connection | None:
    """The first connection that uses the first of these sets which is used at all."""
    for name in names:
        users = known.users(known.set_path(name))
        if len(users) > 1:
            others = ", ".join(user.name for user in users[1:])
            tell(f"as connection {users[0].name} (--connection for another: {others})")
        if users:
            return users[0]
    return None


def find(
    name: str,
    connection: Connection | str | None = None,
    schema: str | None = None,
    *,
    configuration: Configuration,
    tell: Callable[[str], None] = _nobody,
) -> Found:
    """A set by name or file, with a connection, or with the first that uses it.

    `tell` gets what was taken without being asked for. Raises ConfigError when the set, or what it
    is to be used with, is not there.
    """
    known = configuration
    path = known.set_path(name)
    if isinstance(connection, str):
        chosen: Connection | None = known.connection(connection)
    else:
        chosen = connection or user_of(known, name, tell=tell)
    try:
        files = read_mapping_files(path, None)
        schema_path = _schema_of(known, chosen, files, schema, tell)
        if schema_path is not None:
            # Not all of it again: a pipe can be read only once.
            files = replace(files, schema=schema_path.read_bytes())
    except OSError as fault:
        raise ConfigError([f"{fault.filename or path}: cannot be read: {fault.strerror}"]) from None
    variables = chosen.mapping_variables if chosen else _variables_without(files, known, tell)
    return Found(path.stem, path, files, variables, chosen, schema_path.stem if schema_path else "")


def _path(name: str, folder: Path, noun: str) -> Path:
    path = folder / f"{name}.json"
    # A name first: a file in the current folder must not hide a set that is in use.
    if not name.startswith((".", "/")) and path.is_file():
        return path
    # Also what is no plain file: `<(git show HEAD:config/mappings/...)`.
    given = Path(name)
    if given.exists() and not given.is_dir():
        return given
    known = [each.stem for each in folder.glob("*.json")]
    near = close_match(name.removesuffix(".json"), known)
    raise ConfigError([f"there is no {noun} {name!r}, in {folder} or as a file{near}"])


def _schema_of(
    known: Configuration,
    connection: Connection | None,
    files: MappingFiles,
    asked: str | None,
    tell: Callable[[str], None],
) -> Path | None:
    if asked == NO_SCHEMA:
        return None
    if asked is not None:
        return known.schema_path(asked)
    if connection is not None and connection.schema_path is not None:
        return connection.schema_path
    path = known.schema_by_id(_schema_id(files.mapping))
    if path is not None:
        tell(f"with the schema {path}, which the set names as its outputSchema")
        return path
    tell("without a schema: types and destinations are not checked; --schema gives one")
    return None


def _schema_id(content: bytes) -> object:
    try:
        document = set_in(orjson.loads(content))
    except (orjson.JSONDecodeError, MappingSetInvalid):
        return None
    for key in ("outputSchema", "schemaRef"):
        inner = document.get(key)
        document = inner if isinstance(inner, dict) else {}
    return document.get("id")


def _variables_without(
    files: MappingFiles, known: Configuration, tell: Callable[[str], None]
) -> dict[str, str]:
    """What the variables stand for when no connection says it."""
    if known.faults:
        tell(f"no connection is used, since they cannot be read: {known.faults[0]}")
    given = _object(files.examples).get("variables")
    own = given if isinstance(given, dict) else {}
    found = HARMLESS | {name: str(value) for name, value in own.items()}
    taken = ", ".join(f"{name}={value}" for name, value in found.items())
    tell(f"no connection uses the set: with {taken}{' (of its examples)' if own else ''}")
    return found


def _object(content: bytes | None) -> dict[str, Any]:
    try:
        found = orjson.loads(content or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
