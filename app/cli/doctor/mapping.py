"""The mapping set of a dataflow that maps: would Platform take it today, and is it the file's?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from app.adobe.data_prep import DataPrep, StoredSet
from app.adobe.flow_service import MappingRef
from app.cli.doctor.credentials import platform_of
from app.cli.doctor.finding import NotAsked, Said, failed, ok, warning
from app.cli.doctor.ground import Ground
from app.cli.doctor.objects import dataset_of, the_flow, tutorial_of, unlike
from app.connect.tutorial import tutorial_set
from app.core.dataprep import posted
from app.core.errors import MappingSetInvalid
from app.settings import Connection

# (kind, source, destination), in the current spelling.
_Row = tuple[str, str, str]
_SHOWN: Final = 3


async def mapping(ground: Ground, connection: Connection) -> list[Said]:
    """Whether the dataflow maps exactly when Sluice does not, into the dataset's schema, and as
    the file says."""
    client, flow = await platform_of(ground, connection), await the_flow(ground, connection)
    mode = connection.platform.mode
    if flow.mapping is None:
        if mode == "xdm":
            return [ok("Sluice maps, and the dataflow does not")]
        text = "platform.mode is raw, and the dataflow has no mapping set: nobody maps"
        return [failed(text, "write `mode: xdm`, or give the dataflow a mapping set")]
    if mode == "xdm":
        text = (
            f"Sluice maps (platform.mode is xdm), and the dataflow maps again ({flow.mapping[0]})"
        )
        return [failed(text, "write `mode: raw`, or make a dataflow without a mapping set")]
    return await _mapped(ground, connection, DataPrep(client), flow.mapping)


async def _mapped(
    ground: Ground, connection: Connection, sets: DataPrep, ref: MappingRef
) -> list[Said]:
    found = await sets.set(ref.mapping_id, ref.version)
    if found is None:
        text = f"there is no mapping set {ref.mapping_id} of version {ref.version}"
        return [failed(text, f"sluice connection update {connection.name}")]
    into = await dataset_of(ground, connection)
    if into is None:
        raise NotAsked("there is no such dataset, see `dataset`")
    said = unlike(
        "the mapping set", found.schema_id, found.schema_type, into.schema_id, into.schema_type,
        than="the dataset",
    )  # fmt: skip
    said += await _refused(connection, sets, found)
    said += _unlike_file(ground, connection, found)
    return said or [ok(f"{_named(found)}, {len(found.rows)} rows")]


async def _refused(connection: Connection, sets: DataPrep, found: StoredSet) -> list[Said]:
    """What `validate` says of it now: a field, or the right to one, may have gone since it was
    put (platform.md sections 4.1 and 4.4)."""
    rows = list(found.rows)
    schema = {"id": found.schema_id, "contentType": found.schema_type}
    try:
        body = posted(found.document)
    except MappingSetInvalid:  # rows that Platform can read, perhaps, and we cannot
        body = {"outputSchema": {"schemaRef": schema}, "mappings": rows}
    verdicts = await sets.validate(body)
    refused = [
        f"#{number} to {row.get('destination')}: {', '.join(verdict.errors) or 'no reason given'}"
        for number, (row, verdict) in enumerate(zip(rows, verdicts, strict=True), 1)
        if not verdict.ok
    ]
    if not refused:
        return []
    text = f"Platform's validate refuses {len(refused)} row(s) of {_named(found)}: {_some(refused)}"
    fix = f"mend the file or the schema, then sluice connection update {connection.name}"
    return [failed(text, fix)]


def _unlike_file(ground: Ground, connection: Connection, found: StoredSet) -> list[Said]:
    """Which rows are not the file's: somebody changed one of the two, and not the other."""
    if connection.mapping_path is None:
        return []
    try:
        wanted = _wanted_rows(ground, connection, found)
    except (OSError, orjson.JSONDecodeError, MappingSetInvalid) as fault:
        text = f"{connection.mapping_path}: {fault}"
        return [failed(text, "mend it: it says what the dataflow should map")]
    try:
        have = _rows(found.document)
    except MappingSetInvalid as fault:
        text = f"{_named(found)} has rows that Sluice cannot read: {fault}"
        return [warning(text, _put(ground, connection))]
    if have == wanted:
        return []
    other = list(
        dict.fromkeys(row[2] for row in (*have, *wanted) if (row in have) != (row in wanted))
    )
    which = f"in {len(other)} place(s): {_some(other)}" if other else "in the order of its rows"
    text = f"{_named(found)}, is not what {connection.mapping_path.name} says, {which}"
    return [warning(text, _put(ground, connection))]


def _wanted_rows(ground: Ground, connection: Connection, found: StoredSet) -> list[_Row]:
    """Raises OSError, JSONDecodeError, MappingSetInvalid."""
    if tutorial := tutorial_of(ground, connection):
        reference = {"id": found.schema_id, "contentType": found.schema_type}
        return _rows(tutorial_set(tutorial, connection.tenant, reference))
    assert connection.mapping_path is not None  # asked before
    document = orjson.loads(connection.mapping_path.read_bytes())
    return _rows(document, connection.mapping_variables)


def _rows(document: Any, variables: Mapping[str, str] | None = None) -> list[_Row]:
    rows = posted(document, variables)["mappings"]
    return [(each["sourceType"], each["source"], each["destination"]) for each in rows]


def _put(ground: Ground, connection: Connection) -> str:
    if connection.name in ground.configured.setups:
        return f"sluice connection update {connection.name}"
    return "put the file's rows into Platform's set, or Platform's rows into the file"


def _named(found: StoredSet) -> str:
    return f"{found.name or found.id}, version {found.version}"


def _some(texts: list[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return "; ".join(texts[:_SHOWN]) + more
