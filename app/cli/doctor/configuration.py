"""Settings, connection and setup files, mapping sets, schemas: is all of it valid?"""

from __future__ import annotations

from app.cli.doctor.finding import Finding, Level
from app.cli.doctor.ground import Configured
from app.settings import Connection
from app.settings.mapping_files import MappingFiles, check_files, read_mapping_files

SUBJECT = "configuration"
_MEND = "mend it; receiver and workers go on with what they had, and take it up by themselves"


def findings(found: Configured) -> list[Finding]:
    """All that is wrong, and what is right. Calls nobody."""
    said = [Finding(Level.FAILED, SUBJECT, "files", fault, _MEND) for fault in found.faults]
    if not said:
        text = f"settings and {len(found.connections)} connection(s) are complete"
        said.append(Finding(Level.OK, SUBJECT, "files", text))
    for connection in found.connections.values():
        said += documents(connection)
    # Connections that share a set and its variables have the same to say.
    return list(dict.fromkeys(said))


def documents(connection: Connection) -> list[Finding]:
    """Whether a worker would start with what a connection names; it checks the same."""
    path = connection.mapping_path
    if path is None or connection.platform.mode == "raw":
        return []
    try:
        files = read_mapping_files(path, connection.schema_path)
    except OSError as error:
        fault = f"{error.filename}: cannot be read: {error.strerror}"
        return [Finding(Level.FAILED, str(path), "mapping set", fault, "put it back")]
    report = check_files(files, connection.mapping_variables)
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
