"""What is posted to Flow Service, to the letter of platform.md section 1. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from app.adobe.flow_service import specs

Body = dict[str, Any]
Operation = Mapping[str, Any]
DataType = Literal["raw", "xdm"]

# Must be the literal `Mapping` (section 1.6).
_TRANSFORMATION: Final = "Mapping"


class MappingRef(NamedTuple):
    """Which mapping set a dataflow uses, and in which version."""

    mapping_id: str
    version: int


def customerio_source(name: str, description: str) -> Body:
    """Section 1.1."""
    return {
        **_named(name, description),
        "providerId": specs.STREAMING_PROVIDER,
        "connectionSpec": _spec(specs.CUSTOMERIO),
        "data": {"format": "json"},
    }


def http_base(
    name: str, description: str, data_type: DataType, authenticated: bool, source_id: str
) -> Body:
    """Section 1.9, step 1. `source_id`: "" = as the name."""
    params = {
        "dataType": data_type,
        "sourceId": source_id or name,
        "name": name,
        "authenticationRequired": authenticated,
    }
    return {
        **_named(name, description),
        "connectionSpec": _spec(specs.HTTP_API),
        "auth": {"specName": "Streaming Connection", "params": params},
    }


def http_source(name: str, description: str, base_connection_id: str) -> Body:
    """Section 1.9, step 3."""
    return {
        **_named(name, description),
        "baseConnectionId": base_connection_id,
        "connectionSpec": _spec(specs.HTTP_API),
    }


def data_lake_target(
    name: str, description: str, dataset_id: str, schema_id: str, schema_type: str
) -> Body:
    """Section 1.4. `schema_type`: a whole media type, under the key `version`."""
    return {
        **_named(name, description),
        "connectionSpec": _spec(specs.DATA_LAKE),
        "data": {"format": "json", "schema": {"id": schema_id, "version": schema_type}},
        "params": {"dataSetId": dataset_id},
    }


def flow(
    name: str,
    description: str,
    flow_spec_id: str,
    source_connection_id: str,
    target_connection_id: str,
    mapping: MappingRef | None,
) -> Body:
    """Section 1.6; without `state`, which is refused (1410-400), and without a schedule."""
    body = {
        **_named(name, description),
        "flowSpec": _spec(flow_spec_id),
        "sourceConnectionIds": [source_connection_id],
        "targetConnectionIds": [target_connection_id],
    }
    return body if mapping is None else {**body, "transformations": [_transformation(mapping)]}


def name_change(name: str) -> Operation:
    """An operation for FlowService.patch."""
    return {"op": "replace", "path": "/name", "value": name}


def description_change(description: str) -> Operation:
    """An operation for FlowService.patch; `add` also replaces (RFC 6902 section 4.1)."""
    return {"op": "add", "path": "/description", "value": description}


def mapping_change(mapping: MappingRef) -> Operation:
    """An operation for FlowService.patch (section 1.10). Wait five minutes afterwards."""
    return {"op": "replace", "path": "/transformations/0", "value": _transformation(mapping)}


def _named(name: str, description: str) -> Body:
    return {"name": name, "description": description} if description else {"name": name}


def _spec(spec_id: str) -> Body:
    return {"id": spec_id, "version": specs.VERSION}


def _transformation(mapping: MappingRef) -> Body:
    params = {"mappingId": mapping.mapping_id, "mappingVersion": mapping.version}
    return {"name": _TRANSFORMATION, "params": params}
