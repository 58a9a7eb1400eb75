"""What is there from the start: Adobe's own, and the objects behind the configured inlets.

An inlet of the sandbox's configuration has a flow, so it has all that a flow is made of: schema,
dataset, base, source and target connection. They are older than the five minutes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, Final

from app.sandbox.config import Inlet
from app.sandbox.flowservice.connections import open_inlet
from app.sandbox.flowservice.flow import Flow
from app.sandbox.flowservice.specs import (
    AUTH_SPEC,
    DATA_LAKE,
    HTTP_API,
    HTTP_PLAIN,
    VERSION,
)
from app.sandbox.identity.namespaces import add_standard
from app.sandbox.plane.document import Document
from app.sandbox.registry.library import EVENT_CLASS, FIELD_GROUPS, library
from app.sandbox.registry.resource import NS, Container, Kind, Resource
from app.sandbox.state import Sandbox

_MAKER: Final = "sandbox"
_NAMESPACE: Final = uuid.UUID("00000000-0000-4000-8000-0000000000a2")
_AGE_MS: Final = 86_400_000


def plant(sandbox: Sandbox) -> None:
    """Bring the control plane to its first state: whatever is in it goes."""
    sandbox.plane.clear()
    sandbox.judge.clear()
    sandbox.inlets.clear()
    add_standard(sandbox)
    for kind, id, body in library(sandbox.config.schema):
        _add(sandbox, kind, "global", id, body)
    for number, inlet in enumerate(sandbox.config.inlets, 1):
        _plant_flow(sandbox, inlet, number)
    for inlet in sandbox.config.inlets:
        sandbox.inlets.add(inlet)


def _plant_flow(sandbox: Sandbox, inlet: Inlet, number: int) -> None:
    plane, name = sandbox.plane, f"Sandbox example {number}"
    if inlet.flow_id in plane.flows:
        return
    if inlet.schema_id not in plane.resources:
        _plant_schema(sandbox, inlet, name)
    reference = {"id": inlet.schema_id, "contentType": inlet.schema_content_type}
    dataset = {"name": name, "schemaRef": reference, "enableErrorDiagnostics": True, "tags": {}}
    plane.datasets[inlet.dataset_id] = _document(sandbox, inlet.dataset_id, dataset)
    base = _document(sandbox, _id("base", inlet), _base(inlet, name))
    open_inlet(sandbox, base, inlet.id)
    plane.connections[base.id] = base
    source = _document(sandbox, _id("source", inlet), _source(base.id, name))
    plane.sources[source.id] = source
    target = _document(sandbox, _id("target", inlet), _target(inlet, name))
    plane.targets[target.id] = target
    body = {
        "name": name,
        "flowSpec": _spec(HTTP_PLAIN),
        "sourceConnectionIds": [source.id],
        "targetConnectionIds": [target.id],
    }
    document = _document(sandbox, inlet.flow_id, body)
    at = document.created_ms
    operation = {"started": at, "updated": at, "operation": "enable"}
    plane.flows[inlet.flow_id] = Flow(document, source.id, target.id, inlet, None, 0.0, operation)


def _id(what: str, inlet: Inlet) -> str:
    """The same at every start."""
    return str(uuid.uuid5(_NAMESPACE, f"{what} {inlet.flow_id}"))


def _base(inlet: Inlet, name: str) -> dict[str, Any]:
    params = {"dataType": inlet.mode, "name": name, "authenticationRequired": inlet.authenticated}
    return {
        "name": name,
        "connectionSpec": _spec(HTTP_API),
        "auth": {"specName": AUTH_SPEC, "params": params},
    }


def _source(base_id: str, name: str) -> dict[str, Any]:
    return {"name": name, "baseConnectionId": base_id, "connectionSpec": _spec(HTTP_API)}


def _target(inlet: Inlet, name: str) -> dict[str, Any]:
    schema = {"id": inlet.schema_id, "version": inlet.schema_content_type}
    return {
        "name": name,
        "connectionSpec": _spec(DATA_LAKE),
        "data": {"format": "json", "schema": schema},
        "params": {"dataSetId": inlet.dataset_id},
    }


def _plant_schema(sandbox: Sandbox, inlet: Inlet, name: str) -> None:
    """The schema that the sandbox validates with, taken apart into class and field groups."""
    tenant = f"_{sandbox.config.tenant}"
    fields = dict((sandbox.config.schema or {}).get("properties", {}))
    parts = [EVENT_CLASS, *_standard_groups(fields)]
    if tenant in fields:
        group_id = f"{NS}{sandbox.config.tenant}/mixins/customerio-event"
        group = {
            "title": f"{name}: field group",
            "type": "object",
            "meta:intendedToExtend": [EVENT_CLASS],
            "properties": {tenant: fields[tenant]},
        }
        _add(sandbox, "fieldgroups", "tenant", group_id, group)
        parts.append(group_id)
    schema = {
        "title": f"{name}: schema",
        "type": "object",
        "allOf": [{"$ref": part} for part in parts],
        "meta:immutableTags": ["union"],
    }
    _add(sandbox, "schemas", "tenant", inlet.schema_id, schema)


def _standard_groups(fields: dict[str, Any]) -> Iterator[str]:
    return (f"{EVENT_CLASS}-{name}" for name, _, field in FIELD_GROUPS if field in fields)


def _add(sandbox: Sandbox, kind: Kind, container: Container, id: str, body: dict[str, Any]) -> None:
    sandbox.plane.resources[id] = Resource(_document(sandbox, id, body), kind, container)


def _document(sandbox: Sandbox, id: str, body: dict[str, Any]) -> Document:
    document = Document.new(sandbox, id, body, _MAKER, seeded=True)
    document.created_ms = document.updated_ms = document.created_ms - _AGE_MS
    return document


def _spec(id: str) -> dict[str, str]:
    return {"id": id, "version": VERSION}
