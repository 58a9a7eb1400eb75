"""What Flow Service tells of its objects (platform.md sections 1.7 and 1.9). Pure.

Etags keep the quotes that are part of them; times are Unix ms, 0 = not said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from app.adobe.flow_service.bodies import MappingRef
from app.adobe.reading import at, count, items, text, texts


class Made(NamedTuple):
    """What was created or changed, and its etag now."""

    id: str
    etag: str


class Inlet(NamedTuple):
    """Where events go. `data_type`: `raw` or `xdm`, "" = not said."""

    url: str
    inlet_id: str
    authenticated: bool
    data_type: str


class Spec(NamedTuple):
    """A connection spec or flow spec."""

    id: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Stored:
    """What every object has."""

    id: str
    name: str
    description: str
    etag: str
    created_ms: int
    document: Any = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SourceConnection(Stored):
    """`base_connection_id`: "" = it has none, as Customer.io's."""

    spec_id: str
    base_connection_id: str


@dataclass(frozen=True, slots=True)
class TargetConnection(Stored):
    """`schema_type`: the media type that is under `data.schema.version`."""

    spec_id: str
    dataset_id: str
    schema_id: str
    schema_type: str


@dataclass(frozen=True, slots=True)
class BaseConnection(Stored):
    """The HTTP API source's connection, which holds the inlet; `inlet`: None = not there yet."""

    spec_id: str
    inlet: Inlet | None


@dataclass(frozen=True, slots=True)
class Flow(Stored):
    """A dataflow. `state`: as Platform says it, `enabled` or `disabled` when at rest.

    `inlet_url`: "" where the inlet is its base connection's. `mapping`: None without one.
    `operation`, `operation_ms`: what was last done to it, and when.
    """

    state: str
    spec_id: str
    source_connection_ids: tuple[str, ...]
    target_connection_ids: tuple[str, ...]
    source_spec_ids: tuple[str, ...]
    inlet_url: str
    mapping: MappingRef | None
    updated_ms: int
    operation: str
    operation_ms: int

    @property
    def enabled(self) -> bool:
        return self.state.lower() == "enabled"


def source_connection(item: Any) -> SourceConnection:
    return SourceConnection(
        *_stored(item),
        text(at(item, "connectionSpec", "id")),
        text(at(item, "baseConnectionId")),
    )


def target_connection(item: Any) -> TargetConnection:
    return TargetConnection(
        *_stored(item),
        text(at(item, "connectionSpec", "id")),
        text(at(item, "params", "dataSetId")),
        text(at(item, "data", "schema", "id")),
        text(at(item, "data", "schema", "version")),
    )


def base_connection(item: Any) -> BaseConnection:
    return BaseConnection(
        *_stored(item),
        text(at(item, "connectionSpec", "id")),
        _inlet(at(item, "auth", "params")),
    )


def flow(item: Any) -> Flow:
    inherited = items(at(item, "inheritedAttributes", "sourceConnections"))
    last = at(item, "lastOperation")
    return Flow(
        *_stored(item),
        text(at(item, "state")),
        text(at(item, "flowSpec", "id")),
        texts(at(item, "sourceConnectionIds")),
        texts(at(item, "targetConnectionIds")),
        tuple(text(at(each, "connectionSpec", "id")) for each in inherited),
        text(at(item, "options", "inletUrl")),
        _mapping(at(item, "transformations")),
        count(at(item, "updatedAt")) or 0,
        text(at(last, "operation")),
        count(at(last, "updated")) or count(at(last, "started")) or 0,
    )


def spec(item: Any) -> Spec:
    return Spec(text(at(item, "id")), text(at(item, "name")), text(at(item, "version")))


def open_inlet(url: str) -> Inlet:
    """The inlet that a dataflow shows: raw events, and nobody is asked who they are."""
    return Inlet(url, _last_part(url), False, "raw")


def _stored(item: Any) -> tuple[str, str, str, str, int, Any]:
    return (
        text(at(item, "id")),
        text(at(item, "name")),
        text(at(item, "description")),
        text(at(item, "etag")),
        count(at(item, "createdAt")) or 0,
        item,
    )


def _inlet(params: Any) -> Inlet | None:
    url = text(at(params, "inletUrl"))
    if not url:
        return None
    return Inlet(
        url,
        text(at(params, "inletId")) or _last_part(url),
        at(params, "authenticationRequired") in (True, "true"),
        text(at(params, "dataType")),
    )


def _last_part(url: str) -> str:
    return urlsplit(url).path.rstrip("/").rpartition("/")[2]


def _mapping(transformations: Any) -> MappingRef | None:
    for each in items(transformations):
        if mapping_id := text(at(each, "params", "mappingId")):
            return MappingRef(mapping_id, count(at(each, "params", "mappingVersion")) or 0)
    return None
