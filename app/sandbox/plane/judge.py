"""What becomes of a record: its flow's mapping set and its dataset's schema say so.

The configured inlets keep the one schema that the sandbox was started with; their raw data are
mapped by nobody here, and so judged by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from app.core.dataprep import MappingSet, compile_mapping_set
from app.core.errors import MappingFailed, MappingSetInvalid
from app.core.xdm.types import types_of
from app.sandbox.config import Inlet
from app.sandbox.plane.document import Document
from app.sandbox.plane.places import missing_place
from app.sandbox.plane.state import Plane
from app.sandbox.platform.envelope import record_of
from app.sandbox.platform.validation import Validator, Violation
from app.sandbox.registry.compose import closed, composed, required_at

_MAPPER: Final = "MAPPER-3700-400"
_COMPILED_KEPT: Final = 100


class Judge:
    """`own`: the ids of the configured inlets; `schema_cache_s`: how long a schema that was changed
    is still checked as it was (platform.md section 2.4: up to 15 minutes)."""

    def __init__(
        self, plane: Plane, validator: Validator, own: Iterable[str], schema_cache_s: float
    ) -> None:
        self._plane = plane
        self._validator = validator
        self._own = frozenset(own)
        self._cache_s = schema_cache_s
        # By schema: until when it is good (Unix seconds), the revision it was made of, and it.
        self._validators: dict[str, tuple[float, int, Validator]] = {}
        self._compiled: dict[tuple[str, int], MappingSet] = {}

    def clear(self) -> None:
        """Forget what was made of objects that are gone."""
        self._validators.clear()
        self._compiled.clear()

    def violations(self, inlet: Inlet, message: Any, now: float) -> tuple[Violation, ...]:
        """What is wrong with a message that was taken; none: it lands. `now`: Unix seconds."""
        if inlet.mode == "xdm":
            return self.validator_of(inlet, now).check(record_of(inlet, message), now)
        flow = self._plane.flows.get(inlet.flow_id)
        if inlet.id in self._own or flow is None or flow.mapping is None:
            return ()
        set_id, version = flow.mapping
        versions = self._plane.mapping_sets.get(set_id)
        if versions is None:
            return (Violation.on_demand("#/", _MAPPER, "the mapping set is gone"),)
        try:
            mapped = self._mapping(versions[version]).transform(
                record_of(inlet, message), int(now * 1000)
            )
        except MappingFailed as failed:
            pointer = "#/" + failed.path.replace(".", "/")
            return (Violation.on_demand(pointer, _MAPPER, failed.detail),)
        return self.validator_of(inlet, now).check(mapped.record, now)

    def validator_of(self, inlet: Inlet, now: float) -> Validator:
        """The schema of the inlet's dataset, ready to check records."""
        if inlet.id in self._own:
            return self._validator
        known = self._validators.get(inlet.schema_id)
        if known is not None and (known[1] == self._plane.revision or now < known[0]):
            return known[2]
        schema = self._schema(inlet.schema_id)
        made = Validator(None if schema is None else closed(self._with_primary(inlet, schema)))
        self._validators[inlet.schema_id] = (now + self._cache_s, self._plane.revision, made)
        return made

    def schema_named(self, schema_id: str) -> dict[str, Any]:
        """The whole schema; {} when there is none."""
        return self._schema(schema_id) or {}

    def compiled(self, body: dict[str, Any]) -> MappingSet:
        """The set with the types of its schema. Raises MappingSetInvalid."""
        schema = self._schema(body["outputSchema"]["schemaRef"]["id"])
        types = None if schema is None else types_of(schema)
        return compile_mapping_set({"mappings": body["mappings"]}, None, types)

    def unreadable(self, body: dict[str, Any]) -> list[str]:
        """What of a set is no expression, path or constant at all."""
        try:
            compile_mapping_set({"mappings": body["mappings"]})
        except MappingSetInvalid as invalid:
            return list(invalid.faults)
        return []

    def faults_of(self, document: Document) -> list[str]:
        """What is wrong with a stored set, one line each."""
        return [fault for faults in self.row_faults(document.body).values() for fault in faults]

    def row_faults(self, body: dict[str, Any]) -> dict[int, list[str]]:
        """What is wrong with each row, counted from 1; with a known schema also its places."""
        found: dict[int, list[str]] = {}
        reference = body.get("outputSchema", {}).get("schemaRef", {})
        schema = self._schema(str(reference.get("id")))
        try:
            if schema is None:
                compile_mapping_set({"mappings": body["mappings"]})
            else:
                self.compiled(body)
        except MappingSetInvalid as invalid:
            for problem in invalid.problems:
                found.setdefault(max(1, problem.row), []).append(str(problem))
        for number, row in enumerate(body["mappings"], 1):
            place = row.get("destination") or row.get("destinationXdmPath")
            if schema is not None and missing_place(schema, str(place)):
                found.setdefault(number, []).append(f"{place} does not exist in the XDM schema")
        return found

    def _mapping(self, document: Document) -> MappingSet:
        key = (document.etag, self._plane.revision)
        if key not in self._compiled:
            while len(self._compiled) >= _COMPILED_KEPT:
                del self._compiled[next(iter(self._compiled))]
            self._compiled[key] = self.compiled(document.body)
        return self._compiled[key]

    def _schema(self, schema_id: str) -> dict[str, Any] | None:
        resource = self._plane.resources.get(schema_id)
        if resource is None or resource.kind != "schemas":
            return None
        return {"type": "object", **composed(resource, self._plane.resources)}

    def _with_primary(self, inlet: Inlet, schema: dict[str, Any]) -> dict[str, Any]:
        """A field with a primary identity descriptor must be there (section 2.8)."""
        paths = [
            each.body["xdm:sourceProperty"]
            for each in self._plane.descriptors.values()
            if each.body["xdm:sourceSchema"] == inlet.schema_id and each.body.get("xdm:isPrimary")
        ]
        return required_at(schema, paths)
