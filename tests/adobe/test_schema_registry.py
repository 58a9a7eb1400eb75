"""Schemas, field groups and descriptors, as platform.md section 5.1 has them."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from app.adobe.schema_registry import Descriptor, Resource, SchemaRegistry
from app.core.errors import (
    PlatformFault,
    PlatformRefused,
    PlatformTaken,
    PlatformUnavailable,
    PlatformUnreadable,
)
from tests.adobe.conftest import Scripted
from tests.adobe.scripted_api import problem

BASE = "/data/foundation/schemaregistry"
ID = "https://ns.adobe.com/tenant/schemas/hash"
QUOTED = "https%3A%2F%2Fns.adobe.com%2Ftenant%2Fschemas%2Fhash"
GROUP = "https://ns.adobe.com/tenant/mixins/hash"
EVENT = "https://ns.adobe.com/xdm/context/experienceevent"


def schema_item(**changes: Any) -> dict[str, Any]:
    return {
        "$id": ID, "meta:altId": "_tenant.schemas.hash", "title": "Customer.io events",
        "description": "d", "version": "1.3", "meta:class": EVENT,
        "allOf": [{"$ref": EVENT}, {"$ref": GROUP}, {"$ref": "#/definitions/x"}, {"type": "x"}],
        "meta:immutableTags": ["union"],
        **changes,
    }  # fmt: skip


def xdm_problem(code: str) -> web.Response:
    status = int(code[-3:])
    body = {"type": f"http://ns.adobe.com/aep/errors/{code}", "title": "no", "status": status}
    return web.json_response({**body, "detail": "no", "report": {}}, status=status)


@pytest.fixture
def registry(platform: Scripted) -> SchemaRegistry:
    return SchemaRegistry(platform.client)


async def test_the_tenant_and_the_test_call_of_the_role(
    platform: Scripted, registry: SchemaRegistry
) -> None:
    platform.answers({"tenantId": "tenant", "counts": {}}, {"results": []}, {})
    assert await registry.tenant_id() == "tenant"
    await registry.check_access()
    assert platform.calls == [f"GET {BASE}/stats", f"GET {BASE}/global/classes"]
    assert platform.header("Accept") == ["application/vnd.adobe.xed-id+json"] * 2
    with pytest.raises(PlatformUnreadable, match="tenantId"):
        await registry.tenant_id()


async def test_a_credential_in_no_role_is_told_so(
    platform: Scripted, registry: SchemaRegistry
) -> None:
    platform.answers(web.Response(status=403))
    with pytest.raises(PlatformRefused, match="add the credential to a role"):
        await registry.check_access()


async def test_a_schema_is_read_with_what_it_is_made_of(
    platform: Scripted, registry: SchemaRegistry
) -> None:
    platform.answers(schema_item())
    assert await registry.resource("schemas", ID) == Resource(
        ID, "_tenant.schemas.hash", "Customer.io events", "d", "1.3", (EVENT, GROUP), True, None
    )
    assert platform.calls == [f"GET {BASE}/tenant/schemas/{QUOTED}"]
    assert platform.header("Accept") == ["application/vnd.adobe.xed+json;version=1"]


async def test_the_full_schema_is_the_document_itself(
    platform: Scripted, registry: SchemaRegistry
) -> None:
    document = schema_item(properties={"_id": {"type": "string"}})
    platform.answers(document, xdm_problem("XDM-1012-404"))
    assert await registry.full_schema("_tenant.schemas.hash") == document
    assert await registry.full_schema(ID) is None
    assert platform.header("Accept") == ["application/vnd.adobe.xed-full+json;version=1"] * 2


async def test_a_title_is_looked_for_through_all_pages(
    platform: Scripted, registry: SchemaRegistry
) -> None:
    platform.answers(
        {"results": [schema_item(title="Customer.io events 2")], "_page": {"next": "Customer"}},
        {"results": [schema_item()], "_page": {"next": None}},
        schema_item(),
    )
    found = await registry.titled("schemas", "Customer.io events")
    assert found is not None
    assert (found.id, found.major, found.union) == (ID, 1, True)
    paging = [("orderby", "title"), ("limit", "500")]
    assert platform.queries[0] == [("property", "title==Customer.io events"), *paging]
    assert platform.queries[1][-1] == ("start", "Customer")
    assert platform.header("Accept")[0] == "application/vnd.adobe.xed+json"


async def test_a_title_that_nothing_has(platform: Scripted, registry: SchemaRegistry) -> None:
    platform.answers({"results": [schema_item()]}, {"results": []})
    assert await registry.titled("fieldgroups", "customer.io events") is None
    assert await registry.titled("classes", "a,b", "global") is None
    assert platform.calls == [f"GET {BASE}/tenant/fieldgroups", f"GET {BASE}/global/classes"]
    assert platform.queries[1] == [("orderby", "title"), ("limit", "500")]


@pytest.mark.parametrize("answer", [{}, [], None, {"results": {}}])
async def test_a_list_of_another_shape_is_not_taken_for_nothing(
    platform: Scripted, registry: SchemaRegistry, answer: Any
) -> None:
    platform.answers(answer)
    with pytest.raises(PlatformUnreadable):
        await registry.titled("schemas", "x")


async def test_field_group_and_schema_are_made_as_in_the_reference(
    platform: Scripted, registry: SchemaRegistry
) -> None:
    group = {"$id": GROUP, "title": "Customer.io event", "version": "1.0"}
    platform.answers(group, schema_item(), schema_item(), status=201)
    fields = {"_tenant": {"type": "object", "properties": {"metric": {"type": "string"}}}}

    made = await registry.create_field_group("Customer.io event", fields, "d")
    await registry.create_schema("Customer.io events", [made.id], "d")
    await registry.create_schema("plain", [], union=False)

    assert platform.calls[:2] == [f"POST {BASE}/tenant/fieldgroups", f"POST {BASE}/tenant/schemas"]
    assert platform.bodies[0] == {
        "type": "object", "title": "Customer.io event", "description": "d",
        "meta:intendedToExtend": [EVENT],
        "definitions": {"customFields": {"type": "object", "properties": fields}},
        "allOf": [{"$ref": "#/definitions/customFields"}],
    }  # fmt: skip
    assert platform.bodies[1] == {
        "type": "object", "title": "Customer.io events", "description": "d",
        "allOf": [{"$ref": EVENT}, {"$ref": GROUP}], "meta:immutableTags": ["union"],
    }  # fmt: skip
    assert "meta:immutableTags" not in platform.bodies[2]


async def test_a_title_in_use_is_told_from_other_refusals(
    platform: Scripted, registry: SchemaRegistry
) -> None:
    platform.answers(xdm_problem("XDM-3005-400"), xdm_problem("XDM-1007-400"))
    with pytest.raises(PlatformTaken, match="choose another title"):
        await registry.create_schema("Customer.io events", [])
    with pytest.raises(PlatformRefused) as caught:
        await registry.create_schema("Customer.io events", [])
    assert not isinstance(caught.value, PlatformTaken)


async def test_a_patch_is_made_once_for_it_may_add(
    platform: Scripted, registry: SchemaRegistry
) -> None:
    operation = {"op": "add", "path": "/allOf/-", "value": {"$ref": GROUP}}
    platform.answers(schema_item(version="1.4"), problem(502))
    assert (await registry.patch("schemas", ID, [operation])).version == "1.4"
    with pytest.raises(PlatformUnavailable) as caught:
        await registry.patch("schemas", ID, [operation])
    assert caught.value.maybe_done
    assert platform.calls == [f"PATCH {BASE}/tenant/schemas/{QUOTED}"] * 2
    assert platform.bodies == [[operation]] * 2


async def test_descriptors_of_a_schema_however_they_are_laid_out(
    platform: Scripted, registry: SchemaRegistry
) -> None:
    one = {
        "@id": "d1", "@type": "xdm:descriptorIdentity", "xdm:sourceSchema": ID,
        "xdm:sourceVersion": 1, "xdm:sourceProperty": "/_tenant/customerio/email",
        "xdm:namespace": "Email", "xdm:property": "xdm:code", "xdm:isPrimary": True,
    }  # fmt: skip
    other = {**one, "@id": "d2", "xdm:sourceSchema": "another"}
    label = {**one, "@id": "d3", "@type": "xdm:alternateDisplayInfo"}
    found = Descriptor("d1", ID, "/_tenant/customerio/email", "Email", True)
    for answer in (
        [one, other, label],
        {"results": [one, other, label], "_page": {}},
        {"xdm:descriptorIdentity": [one, other], "xdm:alternateDisplayInfo": [label]},
    ):
        platform.answers(answer)
        assert await registry.descriptors(ID) == [found]
    assert set(platform.header("Accept")) == {"application/vnd.adobe.xdm+json"}
    for nothing in (None, "x"):
        platform.answers(nothing)
        with pytest.raises(PlatformUnreadable):
            await registry.descriptors(ID)


async def test_a_descriptor_is_made_as_in_the_reference(
    platform: Scripted, registry: SchemaRegistry
) -> None:
    platform.answers({"@id": "d1"}, {}, status=201)
    made = await registry.create_descriptor(ID, "/_tenant/customerio/email", "Email", primary=True)
    assert made == Descriptor("d1", ID, "/_tenant/customerio/email", "Email", True)
    assert platform.calls == [f"POST {BASE}/tenant/descriptors"]
    assert platform.bodies == [
        {
            "@type": "xdm:descriptorIdentity", "xdm:sourceSchema": ID, "xdm:sourceVersion": 1,
            "xdm:sourceProperty": "/_tenant/customerio/email", "xdm:namespace": "Email",
            "xdm:property": "xdm:code", "xdm:isPrimary": True,
        }
    ]  # fmt: skip
    with pytest.raises(PlatformUnreadable) as caught:
        await registry.create_descriptor(ID, "/a", "Email")
    assert caught.value.maybe_done


async def test_deleted_or_gone_already(platform: Scripted, registry: SchemaRegistry) -> None:
    platform.answers_nothing()
    platform.answers_nothing()
    platform.answers(xdm_problem("XDM-1012-404"), xdm_problem("XDM-2000-400"))
    assert await registry.delete("schemas", ID) is True
    assert await registry.delete_descriptor("d 1") is True
    assert await registry.delete("fieldgroups", GROUP) is False
    with pytest.raises(PlatformFault):
        await registry.delete("schemas", ID)
    with pytest.raises(ValueError, match="an id is needed"):
        await registry.delete("schemas", "")
    assert platform.calls[:2] == [
        f"DELETE {BASE}/tenant/schemas/{QUOTED}", f"DELETE {BASE}/tenant/descriptors/d%201",
    ]  # fmt: skip
