"""platform.md sections 5.1 to 5.3: Schema Registry, identity namespaces, datasets."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.sandbox.dataflow import (
    CATALOG,
    CONTENT_TYPE,
    EVENT_CLASS,
    NAMESPACES,
    NEEDED_ROWS,
    REGISTRY,
    TENANT,
    Dataflow,
    field_group,
    tutorial_rows,
)

TEXT = {"type": "string"}
ID = {"Accept": "application/vnd.adobe.xed-id+json"}
FULL = {"Accept": "application/vnd.adobe.xed-full+json; version=1"}
XDM = {"Accept": "application/vnd.adobe.xdm+json"}
GROUPS = f"{REGISTRY}/tenant/fieldgroups"
SCHEMAS = f"{REGISTRY}/tenant/schemas"
MARKETING = f"{EVENT_CLASS}-marketing"


@pytest.fixture
async def made(platform: Any) -> Dataflow:
    made = Dataflow(platform)
    await made.schema()
    return made


async def _refused(platform: Any, method: str, path: str, body: Any = None, **options: Any) -> str:
    """The code that the body's type ends in."""
    status, answer = await platform.ask(method, path, body, **options)
    assert status >= 400, answer
    assert answer["status"] == status
    return str(answer["type"].rpartition("/")[2])


def _at(schema: dict[str, str] | Dataflow) -> str:
    ids = schema.ids if isinstance(schema, Dataflow) else schema
    return f"{SCHEMAS}/{quote(ids['schema'], safe='')}"


async def test_stats_tell_the_tenant(platform: Any) -> None:
    _, answer = await platform.ask("GET", f"{REGISTRY}/stats", headers=ID)
    assert answer["tenantId"] == TENANT[1:]


async def test_the_test_call_of_section_3_works(platform: Any) -> None:
    _, answer = await platform.ask("GET", f"{REGISTRY}/global/classes", headers=ID)
    assert {"$id": EVENT_CLASS, "meta:altId": "_xdm.context.experienceevent"}.items() <= answer[
        "results"
    ][0].items()


async def test_a_schema_is_found_by_id_and_by_alt_id(made: Dataflow) -> None:
    by_id = (await made.platform.ask("GET", _at(made), headers=FULL))[1]
    _, by_alt = await made.platform.ask("GET", f"{SCHEMAS}/{by_id['meta:altId']}", headers=FULL)

    assert by_id == by_alt
    assert by_id["meta:class"] == EVENT_CLASS
    assert by_id["version"] == "1.0"
    fields = by_id["properties"]
    assert fields["timestamp"]["meta:xdmType"] == "date-time"
    assert fields[TENANT]["properties"]["timestampx"]["meta:xdmType"] == "long"
    assert by_id["required"] == ["_id", "timestamp"]
    raw = {"Accept": "application/vnd.adobe.xed-notext+json; version=1"}
    _, shown = await made.platform.ask("GET", _at(made), headers=raw)
    assert "title" not in shown and shown["allOf"][0] == {"$ref": EVENT_CLASS}


@pytest.mark.parametrize(
    ("path", "accept", "code"),
    [
        ("list", "", "XDM-1007-400"),
        ("list", "application/json", "XDM-1008-400"),
        ("list", CONTENT_TYPE, "XDM-1008-400"),
        ("list", XDM["Accept"], "XDM-1008-400"),
        ("one", ID["Accept"], "XDM-1008-400"),
        ("one", "application/vnd.adobe.xed-full+json", "XDM-1009-400"),
        ("one", "application/vnd.adobe.xed-full+json;version=2", "XDM-1012-404"),
        ("descriptors", ID["Accept"], "XDM-1008-400"),
        ("descriptors", "*/*", "XDM-1007-400"),
        ("stats", "*/*", "XDM-1007-400"),
        ("stats", "application/json", "XDM-1008-400"),
        ("stats", XDM["Accept"], "XDM-1008-400"),
        ("stats", CONTENT_TYPE, "XDM-1008-400"),
    ],
)
async def test_each_call_wants_an_accept_of_its_own(
    made: Dataflow, path: str, accept: str, code: str
) -> None:
    """Section 7, point 20 for descriptors."""
    paths = {
        "list": SCHEMAS,
        "one": _at(made),
        "descriptors": f"{REGISTRY}/tenant/descriptors",
        "stats": f"{REGISTRY}/stats",
    }
    headers = {"Accept": accept}
    assert await _refused(made.platform, "GET", paths[path], headers=headers) == code


async def test_one_descriptor_needs_no_accept(made: Dataflow) -> None:
    """Section 5.1: its page says so; another resource's is refused all the same."""
    path = f"{REGISTRY}/tenant/descriptors"
    one = f"{path}/{(await made.made(path, _descriptor(made)))['@id']}"
    for accept in ("*/*", XDM["Accept"]):
        assert (await made.platform.ask("GET", one, headers={"Accept": accept}))[0] == 200
    for accept in (ID["Accept"], CONTENT_TYPE):
        headers = {"Accept": accept}
        assert await _refused(made.platform, "GET", one, headers=headers) == "XDM-1008-400"


async def test_lists_are_filtered_and_paged(made: Dataflow) -> None:
    platform = made.platform
    for title in ("b", "a", "c"):
        await made.made(GROUPS, field_group(title))

    async def titles(query: str) -> list[str]:
        _, answer = await platform.ask("GET", f"{GROUPS}?{query}", headers=ID)
        return [item["title"] for item in answer["results"]]

    assert await titles("property=title==b") == ["b"]
    assert await titles("property=title<b") == ["a"]
    assert await titles("property=title==nothing") == []
    assert len(await titles(f"property=meta:intendedToExtend=={EVENT_CLASS}")) == 4
    _, page = await platform.ask("GET", f"{GROUPS}?orderby=title&limit=2", headers=ID)
    assert page["_page"]["next"] == "b"
    assert await titles("orderby=title&limit=2&start=b") == ["c", "cio-fields"]
    for query in ("limit=2", "start=b", "orderby=title&limit=501"):
        await _refused(platform, "GET", f"{GROUPS}?{query}", headers=ID)


async def test_a_title_is_given_once(made: Dataflow) -> None:
    """Across all kinds of resources, as the troubleshooting guide says."""
    assert await _refused(made.platform, "POST", GROUPS, field_group()) == "XDM-3005-400"
    body = {"type": "object", "title": "cio-fields", "allOf": [{"$ref": EVENT_CLASS}]}
    assert await _refused(made.platform, "POST", SCHEMAS, body) == "XDM-3005-400"


@pytest.mark.parametrize(
    "refs",
    [
        [],
        [MARKETING],
        [EVENT_CLASS, "https://ns.adobe.com/xdm/context/profile"],
        [EVENT_CLASS, "https://ns.adobe.com/xdm/no/such"],
    ],
)
async def test_a_schema_has_exactly_one_class_and_known_parts(
    platform: Any, refs: list[str]
) -> None:
    body = {"type": "object", "title": "x", "allOf": [{"$ref": ref} for ref in refs]}
    assert (await _refused(platform, "POST", SCHEMAS, body)).endswith("-400")


@pytest.mark.parametrize(
    "field",
    [
        {"_x": TEXT},
        {"a b": TEXT},
        {"x": {"type": "text"}},
        {"x": {"type": "object"}},
        {"x": {"type": "object", "additionalProperties": {"type": "number"}}},
        {"x": {"type": "array"}},
    ],
)
async def test_fields_have_plain_names_and_known_types(platform: Any, field: Any) -> None:
    await _refused(platform, "POST", GROUPS, field_group("x", **field))


async def test_own_fields_lie_under_the_tenants_name(platform: Any) -> None:
    body = field_group("x")
    body["definitions"]["customFields"]["properties"]["cio"] = TEXT
    assert await _refused(platform, "POST", GROUPS, body) == "XDM-1000-400"


async def test_a_field_group_can_be_added_and_union_stays(made: Dataflow) -> None:
    platform, path = made.platform, _at(made)
    more = await made.made(GROUPS, field_group("more", cio_extra=TEXT))
    operations = [{"op": "add", "path": "/allOf/-", "value": {"$ref": more["$id"]}}]

    status, answer = await platform.ask("PATCH", path, operations)

    assert (status, answer["version"]) == (200, "1.1")
    full = (await platform.ask("GET", path, headers=FULL))[1]["properties"][TENANT]["properties"]
    assert {"cio_extra", "metricx"} <= full.keys()
    for wrong in (
        [{"op": "remove", "path": "/meta:immutableTags"}],
        [{"op": "replace", "path": "/$id", "value": "x"}],
        [{"op": "add", "path": "/allOf/-", "value": {"$ref": "https://ns.adobe.com/xdm/no"}}],
    ):
        await _refused(platform, "PATCH", path, wrong)


ROOT = "/definitions/customFields/properties/_sluicesandbox"


@pytest.mark.parametrize(
    ("operation", "fits"),
    [
        ({"op": "add", "path": f"{ROOT}/properties/more", "value": TEXT}, True),
        ({"op": "remove", "path": f"{ROOT}/properties/metricx"}, False),
        ({"op": "replace", "path": f"{ROOT}/properties/metricx/type", "value": "integer"}, False),
        ({"op": "add", "path": f"{ROOT}/properties/metricx/enum", "value": ["a"]}, False),
        ({"op": "add", "path": f"{ROOT}/properties/metricx/maxLength", "value": 3}, False),
        ({"op": "add", "path": f"{ROOT}/required", "value": ["metricx"]}, False),
    ],
)
async def test_a_schema_in_use_takes_additions_only(
    made: Dataflow, operation: Any, fits: bool
) -> None:
    """Evolution, section 5.1; before there is a dataset (or union) anything goes."""
    platform = made.platform
    body = {"type": "object", "title": "free", "allOf": [{"$ref": EVENT_CLASS}]}
    group = await made.made(GROUPS, field_group("free-fields"))
    body["allOf"].append({"$ref": group["$id"]})  # type: ignore[attr-defined]
    free = await made.made(SCHEMAS, body)
    path = f"{GROUPS}/{group['meta:altId']}"
    assert (await platform.ask("PATCH", path, [operation]))[0] == 200

    used = f"{GROUPS}/{quote(made.ids['group'], safe='')}"
    await made.dataset()
    assert ((await platform.ask("PATCH", used, [operation]))[0] == 200) is fits
    assert free["$id"]


async def test_what_is_used_is_not_deleted(made: Dataflow) -> None:
    platform, group = made.platform, f"{GROUPS}/{quote(made.ids['group'], safe='')}"
    await made.dataset()
    dataset = f"{CATALOG}/dataSets/{made.ids['dataset']}"
    for path in (group, _at(made)):
        await _refused(platform, "DELETE", path)

    assert await platform.ask("DELETE", dataset) == (200, [f"@/dataSets/{made.ids['dataset']}"])
    assert await platform.ask("DELETE", dataset) == (200, [])
    for path in (_at(made), group):
        assert (await platform.ask("DELETE", path))[0] == 204
    assert await _refused(platform, "GET", _at(made), headers=FULL) == "XDM-1012-404"


def _descriptor(made: Dataflow, **changes: Any) -> dict[str, Any]:
    return {
        "@type": "xdm:descriptorIdentity",
        "xdm:sourceSchema": made.ids["schema"],
        "xdm:sourceVersion": 1,
        "xdm:sourceProperty": f"/{TENANT}/email",
        "xdm:namespace": "Email",
        "xdm:property": "xdm:code",
        "xdm:isPrimary": True,
        **changes,
    }


async def test_a_primary_identity_makes_its_field_mandatory(made: Dataflow) -> None:
    """Section 2.8: messages without it fail."""
    path = f"{REGISTRY}/tenant/descriptors"
    made_one = await made.made(path, _descriptor(made))
    _, listed = await made.platform.ask("GET", path, headers=XDM)
    assert listed["xdm:descriptorIdentity"][0]["@id"] == made_one["@id"]
    second = _descriptor(made, **{"xdm:sourceProperty": f"/{TENANT}/cio_id"})
    await _refused(made.platform, "POST", path, second)

    await made.dataset()
    await made.source()
    await made.target()
    await made.mapping([*tutorial_rows(), *NEEDED_ROWS])
    await made.flow()
    made.platform.clock.now += 300
    await made.send(event_id="01A")
    await made.send(event_id="01B", data={"identifiers": {"cio_id": "d9c106000001"}})
    failed = await made.platform.get("/failed?settle=true")
    assert [each["_id"] for each in failed["records"]] == ["01B"]
    assert f"#/{TENANT}/email" in str(failed["records"])

    await _refused(made.platform, "DELETE", f"{path}/{made_one['@id']}")  # data came in already


@pytest.mark.parametrize(
    "changes",
    [
        {"xdm:sourceProperty": f"{TENANT}/email"},
        {"xdm:sourceProperty": f"/{TENANT}/email/"},
        {"xdm:sourceProperty": f"/properties/{TENANT}/properties/email"},
        {"xdm:sourceProperty": f"/{TENANT}/nothing"},
        {"xdm:namespace": "Nothing"},
        {"xdm:property": "code"},
        {"xdm:sourceSchema": "https://ns.adobe.com/no"},
        {"xdm:sourceVersion": 2},
    ],
)
async def test_a_wrong_descriptor_is_refused(made: Dataflow, changes: Any) -> None:
    await _refused(
        made.platform, "POST", f"{REGISTRY}/tenant/descriptors", _descriptor(made, **changes)
    )


async def test_a_namespace_code_is_given_once_and_is_plain(platform: Any) -> None:
    good = {"name": "Customer.io", "code": "CustomerIo", "idType": "Cross_device"}
    assert (await platform.ask("POST", NAMESPACES, good))[0] == 200
    conflict = await _refused(platform, "POST", NAMESPACES, {**good, "code": "customerio"})
    assert conflict == "NAMESPACE_CODE_CONFLICT"
    for wrong in (
        {"code": "customer.io"},
        {"code": "x", "idType": "Person"},
        {"code": "y", "name": ""},
    ):
        await _refused(platform, "POST", NAMESPACES, {**good, **wrong})
    _, listed = await platform.ask("GET", NAMESPACES)
    assert {"Email": 6, "ECID": 4}.items() <= {each["code"]: each["id"] for each in listed}.items()
    assert listed[-1]["code"] == "CustomerIo"


async def test_datasets_are_listed_by_name_and_change_by_patch(made: Dataflow) -> None:
    platform = made.platform
    await made.dataset()
    path = f"{CATALOG}/dataSets/{made.ids['dataset']}"
    _, found = await platform.ask("GET", f"{CATALOG}/dataSets?name=cio-dataset")
    assert list(found) == [made.ids["dataset"]]
    _, only = await platform.ask("GET", f"{CATALOG}/dataSets?limit=1&properties=name")
    assert list(only.values()) == [{"name": "cio-dataset"}]
    await _refused(platform, "GET", f"{CATALOG}/dataSets?limit=101")

    operation = {"op": "add", "path": "/tags/unifiedProfile", "value": ["enabled:true"]}
    patch = {"Content-Type": "application/json-patch+json"}
    assert await platform.ask("PATCH", path, [operation], patch) == (
        200,
        [f"@/dataSets/{made.ids['dataset']}"],
    )
    await _refused(platform, "PATCH", path, [operation])
    expiry = {"extensions": {"adobe_lakeHouse": {"rowExpiration": {"ttlValue": "P3Y"}}}}
    v2 = f"{CATALOG}/v2/dataSets/{made.ids['dataset']}"
    assert (await platform.ask("PATCH", v2, expiry))[0] == 200
    expiry["extensions"]["adobe_lakeHouse"]["rowExpiration"]["ttlValue"] = "3 years"
    await _refused(platform, "PATCH", v2, expiry)

    shown = (await platform.ask("GET", path))[1][made.ids["dataset"]]
    assert shown["tags"] == {"unifiedProfile": ["enabled:true"]}
    assert shown["extensions"]["adobe_lakeHouse"]["rowExpiration"]["ttlValue"] == "P3Y"


async def test_a_dataset_needs_a_schema_and_profile_needs_union(platform: Any) -> None:
    body = {"type": "object", "title": "plain", "allOf": [{"$ref": EVENT_CLASS}]}
    _, schema = await platform.ask("POST", SCHEMAS, body)
    good = {"name": "d", "schemaRef": {"id": schema["$id"], "contentType": CONTENT_TYPE}}
    path = f"{CATALOG}/dataSets"
    for wrong in (
        {"schemaRef": {"id": "https://ns.adobe.com/no", "contentType": CONTENT_TYPE}},
        {"schemaRef": {"id": schema["$id"], "contentType": "application/json"}},
        {"name": ""},
        {"tags": {"unifiedProfile": ["enabled:true"]}},
    ):
        await _refused(platform, "POST", path, {**good, **wrong})
    assert (await platform.ask("POST", path, good))[0] == 201
