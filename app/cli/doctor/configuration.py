"""Settings, connection and setup files, mapping sets, schemas: is all of it valid?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from app.cli.doctor.finding import Finding, Level
from app.cli.doctor.ground import Configured
from app.settings import Connection
from app.settings.mapping_files import MappingFiles, check_files, read_mapping_files
from app.settings.setups import Setup

SUBJECT = "configuration"
_MEND = "mend it; receiver and workers go on with what they had, and take it up by themselves"
_MEND_SETUP = (
    "mend it, or delete the setup; until then `sluice connection` does nothing with it, and what "
    "it set up goes on"
)


def findings(found: Configured) -> list[Finding]:
    """All that is wrong, and what is right. Calls nobody."""
    said = [Finding(Level.FAILED, SUBJECT, "files", fault, _MEND) for fault in found.faults]
    said += [
        Finding(Level.FAILED, SUBJECT, "setups", fault, _MEND_SETUP) for fault in found.setup_faults
    ]
    if not said:
        setups = f" and {len(found.setups)} setup(s)" if found.setups else ""
        text = f"settings, {len(found.connections)} connection(s){setups} are complete"
        said.append(Finding(Level.OK, SUBJECT, "files", text))
    for connection in found.connections.values():
        said += documents(connection)
    for setup in found.setups.values():
        said += setup_documents(setup, found)
    # Connections that share a set and its variables have the same to say.
    return list(dict.fromkeys(said))


def documents(connection: Connection) -> list[Finding]:
    """Whether a worker would start with what a connection names; it checks the same."""
    path = connection.mapping_path
    if path is None or connection.platform.mode == "raw":
        return []
    return _checked(path, connection.schema_path, connection.mapping_variables)


def setup_documents(setup: Setup, found: Configured) -> list[Finding]:
    """Whether apply would take what a setup names, in any mode: in raw, Platform gets the set."""
    assert found.settings is not None  # setups were read with them
    folder, connection = found.settings.folders.config, found.connections.get(setup.name)
    # Platform tells the tenant, and was not asked.
    tenant = connection.tenant if connection else "tenant"
    schema = folder / "schemas" / f"{setup.platform.schema_.document}.json"
    mapping = folder / "mappings" / f"{setup.mapping_set}.json"
    return _checked(mapping, schema, setup.mapping_variables(tenant))


def _checked(path: Path, schema: Path | None, variables: Mapping[str, str]) -> list[Finding]:
    try:
        files = read_mapping_files(path, schema)
    except OSError as error:
        fault = f"{error.filename}: cannot be read: {error.strerror}"
        return [Finding(Level.FAILED, str(path), "mapping set", fault, "put it back")]
    report = check_files(files, variables)
    if report.problems or report.mapping_set is None:
        fix = "`sluice mappings check` looks again; workers go on with the version before"
        return [
            Finding(Level.FAILED, str(path), "mapping set", str(each), fix, each.pointed())
            for each in report.problems
        ]
    text = f"{report.mapping_set.label}: {len(report.mapping_set.rows)} rows"
    return [Finding(Level.OK, str(path), "mapping set", f"{text}, {_checks(files)}")]


def _checks(files: MappingFiles) -> str:
    schema = "fits its schema" if files.schema else "no schema to check records against"
    return f"{schema}, {'examples pass' if files.examples else 'no examples'}"
