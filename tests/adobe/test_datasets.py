"""Datasets, identity namespaces and mapping sets, as platform.md sections 4.1 and 5 have them."""

from __future__ import annotations

from typing import Any

import pytest

from app.adobe.catalog import Catalog
from app.adobe.data_prep import DataPrep, MadeSet, Previewed, RowError, RowVerdict
from app.adobe.namespaces import Namespace, Namespaces
from app.core.errors import (
    PlatformFault,
    PlatformRefused,
    PlatformTaken,
    PlatformUnavailable,
    PlatformUnreadable,
)
from tests.adobe.conftest import Scripted
from tests.adobe.scripted_api import CATALOG, problem

SCHEMA = "https://ns.adobe.com/tenant/schemas/hash"
MEDIA = "application/vnd.adobe.xed-full+json;version=1"
SETS = "/data/foundation/conversion/mappingSets"
IDENTITIES = "/data/core/idnamespace/identities"


def dataset_item(name: str = "Customer.io events", **changes: Any) -> dict[str, Any]:
    return {
        "name": name, "description": "d", "created": 5, "enableErrorDiagnostics": True,
        "schemaRef": {"id": SCHEMA, "contentType": MEDIA},
        "tags": {"unifiedProfile": ["enabled:true", "enabledAt:now"]},
        "extensions": {"adobe_lakeHouse": {"rowExpiration": {"ttlValue": "P3Y"}}},
        **changes,
    }  # fmt: skip


def set_item(**changes: Any) -> dict[str, Any]:
    return {
        "id": "m1", "version": 2, "name": "mine", "createdDate": 7, "status": "PUBLISHED",
        "outputSchema": {"schemaRef": {"id": SCHEMA, "contentType": MEDIA}},
        "mappings": [{"sourceType": "text/x.schema-path", "sourceAttribute": "a"}],
        **changes,
    }  # fmt: skip


# Catalog.


async def test_a_dataset_is_found_by_its_whole_name_and_read(platform: Scripted) -> None:
    catalog = Catalog(platform.client)
    platform.answers({"64b0": dataset_item(), "64b1": dataset_item("Customer.io events 2")})
    [found] = await catalog.datasets_named("Customer.io events")
    assert (found.id, found.schema_id, found.schema_type) == ("64b0", SCHEMA, MEDIA)
    assert (found.profile, found.identity, found.error_diagnostics) == (True, False, True)
    assert (found.row_expiry, found.created_ms) == ("P3Y", 5)
    assert platform.queries == [[("name", "Customer.io events"), ("limit", "100"), ("start", "0")]]


async def test_many_datasets_of_a_name_come_oldest_first_from_all_pages(
    platform: Scripted,
) -> None:
    many = {f"d{n}": dataset_item(created=200 - n) for n in range(100)}
    platform.answers(many, {"last": dataset_item(created=1)})
    found = await Catalog(platform.client).datasets_named("Customer.io events")
    assert (found[0].id, found[1].id, len(found)) == ("last", "d99", 101)
    assert platform.queries[1][-1] == ("start", "100")


async def test_a_dataset_by_its_id(platform: Scripted) -> None:
    catalog = Catalog(platform.client)
    platform.answers({"64b0": dataset_item(tags={}, extensions={})}, problem(404), {}, [])
    found = await catalog.dataset("64b0")
    assert found is not None
    assert (found.name, found.profile, found.row_expiry) == ("Customer.io events", False, "")
    assert await catalog.dataset("64b0") is None
    with pytest.raises(PlatformUnreadable):
        await catalog.dataset("64b0")
    with pytest.raises(PlatformUnreadable):
        await catalog.datasets_named("x")


async def test_a_dataset_is_made_as_in_the_reference(platform: Scripted) -> None:
    catalog = Catalog(platform.client)
    platform.answers(["@/dataSets/64b0"], ["@/dataSets/64b1"], [], status=201)
    assert await catalog.create_dataset("n", SCHEMA, MEDIA, "d", profile=True) == "64b0"
    assert await catalog.create_dataset("n", SCHEMA, MEDIA, error_diagnostics=False) == "64b1"
    assert platform.calls[0] == f"POST {CATALOG}/dataSets"
    assert platform.queries[0] == [("requestDataSource", "true")]
    assert platform.bodies[0] == {
        "name": "n", "description": "d", "schemaRef": {"id": SCHEMA, "contentType": MEDIA},
        "fileDescription": {"persisted": True, "containerFormat": "parquet", "format": "parquet"},
        "enableErrorDiagnostics": True,
        "tags": {"unifiedProfile": ["enabled:true"], "unifiedIdentity": ["enabled:true"]},
    }  # fmt: skip
    assert "tags" not in platform.bodies[1]
    assert platform.bodies[1]["enableErrorDiagnostics"] is False
    with pytest.raises(PlatformUnreadable) as caught:
        await catalog.create_dataset("n", SCHEMA, MEDIA)
    assert caught.value.maybe_done


async def test_a_dataset_is_changed_in_both_ways(platform: Scripted) -> None:
    catalog = Catalog(platform.client)
    changed = ["@/dataSets/64b0"]
    platform.answers(changed, changed, {"64b0": dataset_item()}, changed)
    await catalog.patch_dataset("64b0", {"description": "new"})
    await catalog.set_row_expiry("64b0", "P3Y")
    await catalog.enable_profile("64b0")
    assert platform.calls == [
        f"PATCH {CATALOG}/dataSets/64b0", f"PATCH {CATALOG}/v2/dataSets/64b0",
        f"GET {CATALOG}/dataSets/64b0", f"PATCH {CATALOG}/dataSets/64b0",
    ]  # fmt: skip
    assert platform.header("Content-Type") == [
        "application/json", "application/json", None, "application/json-patch+json",
    ]  # fmt: skip
    on = ["enabled:true"]
    tags = [
        {"op": "add", "path": "/tags/unifiedProfile", "value": on},
        {"op": "add", "path": "/tags/unifiedIdentity", "value": on},
    ]
    assert platform.bodies == [
        {"description": "new"},
        {"extensions": {"adobe_lakeHouse": {"rowExpiration": {"ttlValue": "P3Y"}}}},
        None,
        tags,
    ]

    platform.answers({"64b0": {"name": "n"}}, changed)
    await catalog.enable_profile("64b0")
    assert platform.bodies[-1] == [{"op": "add", "path": "/tags", "value": {}}, *tags]


async def test_a_dataset_is_deleted_or_gone_already(platform: Scripted) -> None:
    catalog = Catalog(platform.client)
    platform.answers_nothing(200)
    platform.answers(problem(404))
    assert await catalog.delete_dataset("64b0") is True
    assert await catalog.delete_dataset("64b0") is False
    with pytest.raises(ValueError, match="an id is needed"):
        await catalog.delete_dataset("")


# Identity namespaces.


async def test_namespaces_are_listed_and_found_by_code(platform: Scripted) -> None:
    email = {"id": 6, "code": "Email", "name": "Email", "idType": "Email", "custom": False}
    platform.answers([email, {"id": 10_000_001, "code": "cio", "custom": True}], [email], {})
    namespaces = Namespaces(platform.client)
    found = await namespaces.coded("email")
    assert found == Namespace(6, "Email", "Email", "Email", False)
    assert await namespaces.coded("cio") is None
    with pytest.raises(PlatformUnreadable):
        await namespaces.all()


async def test_a_namespace_is_made_and_a_code_in_use_is_told(platform: Scripted) -> None:
    namespaces = Namespaces(platform.client)
    made = {"id": 10_000_001, "code": "cio", "name": "cio_id", "idType": "Cross_device"}
    platform.answers({**made, "custom": True}, {"code": "NAMESPACE_CODE_CONFLICT"})
    platform.api.answers[1].set_status(409)
    assert await namespaces.create("cio_id", "cio", "Cross_device", "d") == Namespace(
        10_000_001, "cio", "cio_id", "Cross_device", True
    )
    with pytest.raises(PlatformTaken, match="choose another code"):
        await namespaces.create("cio_id", "cio", "Cross_device")
    assert platform.calls == [f"POST {IDENTITIES}"] * 2
    body = {"name": "cio_id", "code": "cio", "idType": "Cross_device"}
    assert platform.bodies == [{**body, "description": "d"}, body]


# Data Prep.


async def test_sets_are_listed_with_both_parameters_and_told_apart_by_name(
    platform: Scripted,
) -> None:
    items = [set_item(), set_item(id="m0", createdDate=1), set_item(id="m2", name="mine 2")]
    platform.answers({"data": items, "_page": {"count": 3, "limit": 100}})
    found = await DataPrep(platform.client).named("mine")
    assert [each.id for each in found] == ["m0", "m1"]
    assert (found[1].version, found[1].schema_id, found[1].schema_type) == (2, SCHEMA, MEDIA)
    assert found[1].rows == (set_item()["mappings"][0],)
    assert platform.queries == [[("name", "mine"), ("limit", "100"), ("start", "0")]]


async def test_a_set_by_its_id_and_version(platform: Scripted) -> None:
    prep = DataPrep(platform.client)
    platform.answers(set_item(), set_item(), problem(404), {}, {})
    found = await prep.set("m1")
    assert found is not None
    assert found.version == 2
    await prep.set("m1", 1)
    assert await prep.set("m1") is None
    assert platform.queries[:2] == [[], [("version", "1")]]
    with pytest.raises(PlatformUnreadable):
        await prep.set("m1")
    with pytest.raises(PlatformUnreadable):
        await prep.named("mine")


async def test_a_set_is_made_and_replaced_as_a_whole(platform: Scripted) -> None:
    prep = DataPrep(platform.client)
    document = {"name": "mine", "mappings": [{"sourceType": "ATTRIBUTE", "source": "a"}]}
    platform.answers({"id": "m1", "version": 0}, {"id": "m1", "version": 1}, {}, set_item())
    assert await prep.create(document) == MadeSet("m1", 0)
    assert await prep.replace("m1", document) == MadeSet("m1", 1)
    # Whether the answer to a PUT names the version is not documented.
    assert await prep.replace("m1", document) == MadeSet("m1", 2)
    assert platform.calls == [
        f"POST {SETS}", f"PUT {SETS}/m1", f"PUT {SETS}/m1", f"GET {SETS}/m1",
    ]  # fmt: skip
    assert platform.bodies[:3] == [document] * 3


async def test_what_was_put_and_is_gone_or_was_made_and_not_named(platform: Scripted) -> None:
    prep = DataPrep(platform.client)
    platform.answers({}, problem(404), {})
    with pytest.raises(PlatformUnreadable, match="gone"):
        await prep.replace("m1", {})
    with pytest.raises(PlatformUnreadable) as caught:
        await prep.create({})
    assert caught.value.maybe_done


async def test_each_row_has_its_verdict(platform: Scripted) -> None:
    prep = DataPrep(platform.client)
    document = {"mappings": [{}, {}, {}]}
    verdicts = [
        {"status": "SUCCESS", "errors": None},
        {"status": "FAILED", "errors": [{"message": "no such function"}, "text", {}]},
        {"status": "FAILED", "errors": None},
    ]
    platform.answers({"validationResponse": verdicts}, {"validationResponse": []}, {})
    assert await prep.validate(document) == [
        RowVerdict(True, ()),
        RowVerdict(False, ("no such function", "text", "refused without a reason")),
        RowVerdict(False, ()),
    ]
    assert (platform.calls, platform.bodies) == ([f"POST {SETS}/validate"], [document])
    for _ in range(2):
        with pytest.raises(PlatformUnreadable, match="does not match"):
            await prep.validate(document)


async def test_a_preview_gives_the_records_and_the_rows_that_failed(platform: Scripted) -> None:
    prep = DataPrep(platform.client)
    failed = {"source": "a", "destination": "b", "sourceType": "ATTRIBUTE", "exception": "no"}
    platform.answers([{"data": {"x": 1}, "errors": None}, {"data": {}, "errors": [failed]}], [])
    assert await prep.preview([{"a": 1}, {}], {"mappings": []}) == [
        Previewed({"x": 1}, ()), Previewed({}, (RowError("a", "b", "no"),)),
    ]  # fmt: skip
    assert platform.calls == [f"POST {SETS}/preview"]
    assert platform.bodies == [{"data": [{"a": 1}, {}], "mappingSet": {"mappings": []}}]
    with pytest.raises(PlatformUnreadable):
        await prep.preview([{}], {})


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, PlatformRefused, "sluice mappings check"),
        (401, PlatformRefused, "did not take the credential"),
        (500, PlatformUnavailable, "a service of Platform's failed"),
        (503, PlatformUnavailable, "a service of Platform's failed"),
    ],
)
async def test_data_preps_statuses(
    platform: Scripted, status: int, kind: type[PlatformFault], words: str
) -> None:
    platform.answers(*[problem(status)] * 9)
    with pytest.raises(kind, match=words):
        await DataPrep(platform.client).validate({"mappings": []})
    # Validation changes nothing: what passes by itself is tried again.
    assert len(platform.calls) == {400: 1, 401: 2, 500: 4, 503: 4}[status]
