"""One class, field group or schema, in the forms in which it shows (platform.md section 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from app.sandbox.plane.document import Document

Kind = Literal["classes", "fieldgroups", "schemas"]
Container = Literal["global", "tenant"]
NS: Final = "https://ns.adobe.com/"
# How a kind is called in ids: field groups keep their old name.
ID_NAMES: Final[Mapping[str, str]] = {
    "classes": "classes",
    "fieldgroups": "mixins",
    "schemas": "schemas",
}
_TEXTS: Final = ("title", "description")
# What a maker may say; the rest is the registry's own.
SAID: Final[tuple[str, ...]] = (
    "title",
    "description",
    "type",
    "definitions",
    "properties",
    "required",
    "allOf",
    "meta:intendedToExtend",
    "meta:extends",
    "meta:immutableTags",
    "meta:extensible",
    "meta:abstract",
)


@dataclass(slots=True)
class Resource:
    """`document.id` is its `$id`, `document.body` what its maker said; `minor`: 1.`minor`."""

    document: Document
    kind: Kind
    container: Container
    minor: int = 0

    @property
    def id(self) -> str:
        return self.document.id

    @property
    def title(self) -> str:
        return str(self.document.body.get("title", ""))

    @property
    def version(self) -> str:
        return f"1.{self.minor}"

    @property
    def alt_id(self) -> str:
        return alt_id_of(self.id)

    @property
    def union(self) -> bool:
        """Whether it is enabled for Profile, which cannot be undone."""
        return "union" in self.document.body.get("meta:immutableTags", [])

    def refs(self) -> list[str]:
        """The `$id`s that it is made of; those within itself left out."""
        parts = self.document.body.get("allOf", [])
        found = [part.get("$ref", "") for part in parts if isinstance(part, dict)]
        return [ref for ref in found if ref and not ref.startswith("#")]

    def summary(self) -> dict[str, Any]:
        """`xed-id`."""
        return {
            "$id": self.id,
            "meta:altId": self.alt_id,
            "version": self.version,
            "title": self.title,
        }

    def shown(self, tenant: str, org_id: str, class_id: str) -> dict[str, Any]:
        """`xed`: as it was said, with what the registry adds."""
        document = self.document
        body = {
            **document.body,
            "$id": self.id,
            "meta:altId": self.alt_id,
            "meta:resourceType": ID_NAMES[self.kind],
            "version": self.version,
            "meta:extensible": self.kind != "schemas",
            "meta:abstract": self.kind != "schemas",
            "meta:xdmType": "object",
            "meta:containerId": self.container,
            "meta:registryMetadata": {
                "repo:createdDate": document.created_ms,
                "repo:lastModifiedDate": document.updated_ms,
                "xdm:createdClientId": document.created_by,
                "xdm:lastModifiedClientId": document.updated_by,
                "eTag": document.etag.strip('"'),
            },
        }
        if self.container == "tenant":
            body |= {"imsOrg": org_id, "meta:tenantNamespace": f"_{tenant}"}
        if self.kind == "schemas":
            body |= {"meta:class": class_id, "meta:extends": self.refs()}
        return body


def alt_id_of(id: str) -> str:
    """`_tenant.schemas.hash` for the `$id` of the same."""
    return "_" + id.removeprefix(NS).replace("/", ".")


def without_texts(value: Any) -> Any:
    """`notext`: no titles, no descriptions; a field that is called so stays."""
    if isinstance(value, list):
        return [without_texts(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key, below in value.items():
        if key in _TEXTS and isinstance(below, str):
            continue
        found[key] = without_texts(below)
    return found
