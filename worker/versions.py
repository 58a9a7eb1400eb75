"""Reads, checks and compiles what makes the records of connections. Blocks: no place for the loop.

Whatever `check` says is a reason not to run it, at the start as later: a worker that comes up with
a set whose examples fail would make wrong records of every event, and what waits is not lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import orjson

from app.core.check import Report
from app.core.dataprep import label_of
from app.core.errors import ConfigError
from app.settings import Connection
from app.settings.mapping_files import MappingFiles, check_files, read_mapping_files
from worker.route import Version


class Judged(NamedTuple):
    """What lay on disk and passed its check, or did not. `version` None: refused.

    `label` names the mapping set either way, as far as it can be read; `faults` are lines for a
    log.
    """

    version: Version | None
    label: str
    faults: tuple[str, ...]


class Reader:
    """Reads and judges files. Connections that share them share the work of one round.

    A round is one instance: nothing is remembered beyond it.
    """

    def __init__(self) -> None:
        self._files: dict[tuple[str, str], MappingFiles | OSError] = {}
        self._reports: dict[tuple[object, ...], Report] = {}

    def read(self, connection: Connection) -> MappingFiles | OSError:
        """The connection's files as they are now."""
        key = str(connection.mapping_path), str(connection.schema_path)
        if key not in self._files:
            self._files[key] = _read(connection)
        return self._files[key]

    def judge(self, connection: Connection) -> Judged:
        """The files that `read` read, checked and compiled."""
        files = self.read(connection)
        if isinstance(files, OSError):
            return Judged(None, "", (f"{files.filename}: cannot be read: {files.strerror}",))
        variables = connection.mapping_variables
        key = (files.digests, *sorted(variables.items()))
        if key not in self._reports:
            self._reports[key] = check_files(files, variables)
        report = self._reports[key]
        if report.problems or report.mapping_set is None:
            faults = tuple(str(problem) for problem in report.problems)
            return Judged(None, _label(files.mapping), faults)
        version = Version(report.mapping_set, report.schema, files.digests)
        return Judged(version, version.label, ())


def load_versions(connections: Mapping[str, Connection]) -> dict[str, Version]:
    """The version of every connection. Raises ConfigError with the faults of all."""
    faults: list[str] = []
    versions: dict[str, Version] = {}
    reader = Reader()
    for name, connection in connections.items():
        if connection.platform.mode == "raw":
            versions[name] = Version()
            continue
        judged = reader.judge(connection)
        if judged.version is not None:
            versions[name] = judged.version
        faults += [f"{connection.mapping_path}: {fault}" for fault in judged.faults]
    if faults:
        raise ConfigError(list(dict.fromkeys(faults)))
    return versions


def _label(content: bytes) -> str:
    try:
        return label_of(orjson.loads(content))
    except orjson.JSONDecodeError:
        return ""


def _read(connection: Connection) -> MappingFiles | OSError:
    if connection.mapping_path is None:
        return OSError(None, "no file was found for the mapping set", connection.mapping_set)
    try:
        return read_mapping_files(connection.mapping_path, connection.schema_path)
    except OSError as fault:
        return fault
