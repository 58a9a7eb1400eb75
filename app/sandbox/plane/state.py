"""Every object of the control plane. In memory; its tables are read and written by the APIs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.sandbox.plane.document import Document, named

if TYPE_CHECKING:
    from app.sandbox.flowservice.flow import Flow
    from app.sandbox.registry.resource import Resource


@dataclass(slots=True)
class Plane:
    """By id: Flow Service's objects, the registry's (by `$id`), datasets, mapping sets with all
    their versions (oldest first), namespaces (by code)."""

    connections: dict[str, Document] = field(default_factory=dict)
    sources: dict[str, Document] = field(default_factory=dict)
    targets: dict[str, Document] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    resources: dict[str, Resource] = field(default_factory=dict)
    descriptors: dict[str, Document] = field(default_factory=dict)
    datasets: dict[str, Document] = field(default_factory=dict)
    mapping_sets: dict[str, list[Document]] = field(default_factory=dict)
    namespaces: dict[str, Document] = field(default_factory=dict)
    # Grows with every change of a schema or of what it is made of.
    revision: int = 0

    def clear(self) -> None:
        """Forget everything."""
        for table in self._tables().values():
            table.clear()
        self.revision += 1

    def listing(self) -> dict[str, list[dict[str, Any]]]:
        """What exists, by kind: id, name, and whether it was there from the start."""
        found = {name: named(_documents(table)) for name, table in self._tables().items()}
        resources = found.pop("resources")
        for kind in ("classes", "fieldgroups", "schemas"):
            ids = {each.id for each in self.resources.values() if each.kind == kind}
            found[kind] = [each for each in resources if each["id"] in ids]
        return found

    def _tables(self) -> dict[str, dict[str, Any]]:
        return {
            "connections": self.connections,
            "sourceConnections": self.sources,
            "targetConnections": self.targets,
            "flows": self.flows,
            "resources": self.resources,
            "descriptors": self.descriptors,
            "dataSets": self.datasets,
            "mappingSets": self.mapping_sets,
            "namespaces": self.namespaces,
        }


def _documents(table: dict[str, Any]) -> list[Document]:
    found = []
    for each in table.values():
        each = each[-1] if isinstance(each, list) else each
        found.append(each if isinstance(each, Document) else each.document)
    return found
