"""What a flow joins, and every reason why it may not (platform.md sections 1.6, 1.9 and 1.11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from app.sandbox.config import Inlet, Mode
from app.sandbox.flowservice.specs import FLOW_SPECS, VERSION, FlowSpec
from app.sandbox.gateway.view import View
from app.sandbox.plane.body import refused
from app.sandbox.plane.document import Document
from app.sandbox.plane.media import same_schema

# The literal that the mapping's transformation must be called (section 1.6).
_MAPPING: Final = "Mapping"


@dataclass(frozen=True, slots=True)
class Wiring:
    """The parts of a flow that may be. `inlet_id` "": a new inlet is made for it."""

    source: Document
    target: Document
    dataset: Document
    mapping: tuple[str, int] | None
    mode: Mode
    inlet_id: str
    authenticated: bool

    def inlet(self, view: View, flow_id: str) -> Inlet:
        """The inlet for that flow; messages must name the dataset's schema (section 2.3)."""
        schema = self.dataset.body["schemaRef"]
        clients = view.sandbox.config.ims_clients
        return Inlet(
            id=self.inlet_id or view.sandbox.mint.hex(64),
            org_id=clients[0].org_id if clients else "",
            dataset_id=self.dataset.id,
            schema_id=schema["id"],
            schema_content_type=schema["contentType"],
            flow_id=flow_id,
            mode=self.mode,
            authenticated=self.authenticated,
        )


def wire(view: View, body: dict[str, Any]) -> Wiring:
    """Check a flow as it is to be made. Raises Turned."""
    spec = flow_spec(view, body)
    plane = view.sandbox.plane
    source = _only(view, plane.sources, body, "sourceConnectionIds")
    target = _only(view, plane.targets, body, "targetConnectionIds")
    if source.body["connectionSpec"]["id"] != spec.source:
        text = f"The flow spec {spec.name} does not fit the connection spec of the source"
        raise refused(view, text, "1413-400")
    dataset = _dataset_of(view, target)
    mapping = mapping_of(view, spec, body, dataset)
    mode: Mode = "raw" if spec.mapped else "xdm"
    if "baseConnectionId" not in source.body:
        return Wiring(source, target, dataset, mapping, mode, "", False)
    base = plane.connections.get(source.body["baseConnectionId"])
    if base is None:
        raise _missing(view, "connections", source.body["baseConnectionId"])
    params = base.body["auth"]["params"]
    if params["dataType"] != mode:
        text = f"The flow spec {spec.name} needs an inlet of dataType {mode}"
        raise refused(view, text)
    required = bool(params["authenticationRequired"])
    return Wiring(source, target, dataset, mapping, mode, params["inletId"], required)


def flow_spec(view: View, body: dict[str, Any]) -> FlowSpec:
    """Raises Turned (1413-400)."""
    given = body.get("flowSpec")
    spec = FLOW_SPECS.get(str(given.get("id"))) if isinstance(given, dict) else None
    if spec is None or given is None or given.get("version", VERSION) != VERSION:
        text = "The spec ID provided is invalid. Please provide a valid spec ID and try again."
        raise refused(view, text, "1413-400")
    return spec


def dataset_named(view: View, dataset_id: str) -> Document:
    """Raises Turned."""
    dataset = view.sandbox.plane.datasets.get(dataset_id)
    if dataset is None:
        text = "There was a problem while calling the Catalog service for validating schema. "
        raise refused(view, f"{text}Dataset {dataset_id} is not found.")
    return dataset


def _dataset_of(view: View, target: Document) -> Document:
    """The dataset that a target writes into, whose schema must be the target's. Raises Turned."""
    dataset = dataset_named(view, target.body["params"]["dataSetId"])
    schema = target.body["data"]["schema"]
    if not same_schema(dataset.body["schemaRef"], schema, key="version"):
        raise _mismatch(view, dataset.id, f"the target connection {target.id}")
    return dataset


def mapping_of(
    view: View, spec: FlowSpec, body: dict[str, Any], dataset: Document
) -> tuple[str, int] | None:
    """Id and version of the mapping set, if the spec wants one. Raises Turned."""
    steps = body.get("transformations", [])
    if not spec.mapped:
        if steps:
            raise refused(view, f"The flow spec {spec.name} takes no transformations")
        return None
    params = _mapping_params(view, steps)
    set_id, version = params.get("mappingId"), params.get("mappingVersion")
    versions = view.sandbox.plane.mapping_sets.get(str(set_id))
    if versions is None:
        raise _bad_mapping(view, set_id, version, "There is no such mapping set.")
    if type(version) is not int or not 0 <= version < len(versions):
        text = "Invalid Mapping Version in request. Please provide correct mapping version."
        raise refused(view, text, "1412-400")
    document = versions[version]
    reference = document.body["outputSchema"]["schemaRef"]
    if not same_schema(dataset.body["schemaRef"], reference):
        raise _mismatch(view, dataset.id, f"mapping {set_id}")
    if faults := view.sandbox.judge.faults_of(document):
        raise _bad_mapping(view, set_id, version, faults[0])
    return str(set_id), version


def _mapping_params(view: View, steps: Any) -> dict[str, Any]:
    found = steps[0] if isinstance(steps, list) and len(steps) == 1 else None
    if not isinstance(found, dict) or found.get("name") != _MAPPING:
        raise refused(view, f"transformations must be one entry with the name {_MAPPING}")
    params = found.get("params")
    if not isinstance(params, dict):
        raise refused(view, "transformations[0].params is required and must be an object")
    return params


def _only(view: View, table: dict[str, Document], body: dict[str, Any], key: str) -> Document:
    ids = body.get(key)
    if not isinstance(ids, list) or len(ids) != 1 or not isinstance(ids[0], str):
        raise refused(view, f"{key} is required and must be a list of one id")
    found = table.get(ids[0])
    if found is None:
        raise _missing(view, key.removesuffix("Ids") + "s", ids[0])
    return found


def _missing(view: View, what: str, id: Any) -> Exception:
    return refused(view, f"The requested {what} resource {id} is not found.", "1439-400")


def _mismatch(view: View, dataset_id: str, other: str) -> Exception:
    text = (
        f"Error while matching schema in target dataset {dataset_id} with schema in {other}. "
        "Schema with same id and version must be used in both mapping and target dataset."
    )
    return refused(view, text, "1425-400")


def _bad_mapping(view: View, set_id: Any, version: Any, fault: str) -> Exception:
    text = (
        f"Error while validating mapping with id {set_id}, version {version}. This could be "
        f"because of inadequate permissions on mapped fields. {fault}"
    )
    return refused(view, text, "1419-400")
