"""The schema composed by code: its file, its field groups, what Platform is told to create."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.dataprep import VariableInvalid
from app.core.xdm import (
    RegistryRequest,
    compile_schema,
    compose,
    fill_schema,
    registry_requests,
    types_of,
)
from app.core.xdm.compose.document import expand_all
from app.core.xdm.compose.field_groups import FIELD_GROUPS
from app.core.xdm.compose.fields import Field, group, keyed, many, moment, text, whole
from app.core.xdm.compose.tenant import TENANT_FIELDS

FILE = Path(__file__).parents[3] / "config" / "schemas" / "customerio-events.json"

VARIABLES = {
    "TENANT": "acme",
    "EMAIL_NAMESPACE": "Email",
    "ID_NAMESPACE": "CustomerioId",
    "CIO_ID_NAMESPACE": "CustomerioCioId",
}
DOCUMENT = fill_schema(compose(), VARIABLES)
SCHEMA = compile_schema(DOCUMENT)
NOW = 1_700_000_000.0
EVENT = {"_id": "01E4C4CT6YDC7Y5M7FE1GWWPQJ", "timestamp": "2023-11-14T22:13:20.000Z"}

MEASURE = {"id": "7c2f", "value": 1}

# Every field of each standard field group (adobe/xdm components/fieldgroups/experience-event).
RECORDS: dict[str, dict[str, Any]] = {
    "experienceevent-directmarketing": {
        "directMarketing": {
            "bounces": MEASURE, "clicks": MEASURE, "mirrorPages": MEASURE,
            "nonDeliverables": MEASURE, "sends": MEASURE, "userComplaints": MEASURE,
            "opens": MEASURE, "unsubscriptions": MEASURE, "notSent": MEASURE,
            "offerOpens": MEASURE, "impressions": MEASURE, "excludes": MEASURE,
            "customActions": MEASURE, "marketingSubscription": MEASURE, "emailDelivered": MEASURE,
            "unsubscribeReason": "too many", "hashedEmail": "973dfe46", "emailVisitorID": "v1",
            "messageID": "RPILAgUBcRhIBqSfeiIwdIYJKxTY",
        }
    },
    "experienceevent-pushtracking": {
        "pushNotificationTracking": {
            "customAction": {"actionID": "open", "value": 0.5},
            "pushProviderMessageID": "m1", "pushProvider": "apns", "isLaunch": False,
        }
    },
    "experienceevent-inappmessage-tracking": {"inappMessageTracking": {"action": "dismiss"}},
    "experienceevent-marketing": {
        "marketing": {"trackingCode": "c-5", "campaignName": "Spring", "campaignGroup": "Sales"}
    },
    "experienceevent-channel": {
        "channel": {
            "_id": "https://ns.adobe.com/xdm/channels/email",
            "_type": "https://ns.adobe.com/xdm/channel-types/email",
            "typeAtSource": "email", "mode": "push", "mediaType": "owned", "mediaAction": "opens",
            "contentTypes": ["https://ns.adobe.com/xdm/content-types/email"],
            "metricTypes": ["https://ns.adobe.com/xdm/metric-types/opens"],
            "locationTypes": ["https://ns.adobe.com/xdm/location-types/inbox"],
        }
    },
}  # fmt: skip


def test_the_file_of_the_schema_is_what_compose_gives() -> None:
    assert json.loads(FILE.read_text()) == compose()


def test_the_document_says_what_the_registry_would_say_of_it() -> None:
    """The keys of the answers in help/xdm/api/schemas.md, less what only a registry can know."""
    assert DOCUMENT["$id"] == "https://ns.adobe.com/acme/schemas/customerio-events"
    assert DOCUMENT["meta:altId"] == "_acme.schemas.customerio-events"
    assert DOCUMENT["meta:class"] == "https://ns.adobe.com/xdm/context/experienceevent"
    assert DOCUMENT["meta:tenantNamespace"] == "_acme"
    assert DOCUMENT["meta:immutableTags"] == ["union"]
    assert (DOCUMENT["meta:resourceType"], DOCUMENT["version"]) == ("schemas", "1.0")
    assert not DOCUMENT["meta:abstract"] and not DOCUMENT["meta:extensible"]
    assert {"https://ns.adobe.com/xdm/data/time-series", *(g.id for g in FIELD_GROUPS)} <= set(
        DOCUMENT["meta:extends"]
    )
    assert DOCUMENT["required"] == ["_id", "timestamp"]


def test_standard_fields_are_named_as_compatibility_mode_names_them() -> None:
    """What they are called in XDM stays in meta:xdmField (help/xdm/api/appendix.md)."""
    properties = DOCUMENT["properties"]

    assert properties["_id"]["meta:xdmField"] == "@id"
    assert properties["timestamp"]["meta:xdmField"] == "xdm:timestamp"
    assert properties["channel"]["properties"]["_type"]["meta:xdmField"] == "@type"
    assert properties["directMarketing"]["properties"]["sends"]["meta:referencedFrom"] == (
        "https://ns.adobe.com/xdm/data/measure"
    )
    assert "meta:xdmField" not in str(properties["_acme"])


def test_event_types_are_suggested_not_enforced() -> None:
    event_type = DOCUMENT["properties"]["eventType"]

    assert "enum" not in event_type
    for value in ("directMarketing.emailSent", "pushTracking.customAction", "message.feedback"):
        assert value in event_type["meta:enum"]
    assert event_type["meta:enum"]["directMarketing.emailBouncedSoft"] == (
        "Direct Marketing Email Bounced Soft"
    )
    assert SCHEMA.check(EVENT | {"eventType": "customerio.sms.replied"}, NOW) == ()


@pytest.mark.parametrize("field_group", FIELD_GROUPS, ids=lambda g: g.id.rsplit("/", 1)[1])
def test_a_record_may_use_every_field_of_a_standard_group(field_group: Any) -> None:
    record = RECORDS[field_group.id.rsplit("/", 1)[1]]

    assert SCHEMA.check(EVENT | record, NOW) == ()
    table = expand_all(field_group.fields, full=True, standard=True)
    assert set(types_of(table)) == set(_paths(record))


def test_a_record_may_use_every_field_of_the_class() -> None:
    identity = {"id": "ada@example.com", "authenticatedState": "loggedOut", "primary": True}
    record = {
        "eventType": "message.feedback", "eventMergeId": "m1", "producedBy": "system",
        "identityMap": {"Email": [identity]},
    }  # fmt: skip

    assert SCHEMA.check(EVENT | record, NOW) == ()


def test_a_record_may_use_every_field_of_the_tenant() -> None:
    record = {"_acme": _sample(group("", "", *TENANT_FIELDS))}

    assert SCHEMA.check(EVENT | record, NOW) == ()
    assert SCHEMA.check(EVENT | {"_acme": record["_acme"] | {"more": "x"}}, NOW) != ()


@pytest.mark.parametrize(
    ("record", "path", "keyword"),
    [
        ({"directMarketing": {"sends": {"id": "x"}}}, "/directMarketing/sends/value", "required"),
        ({"directMarketing": {"sends": {"value": "1"}}}, "/directMarketing/sends/value", "type"),
        ({"channel": {"typeAtSource": "x"}}, "/channel/_id", "required"),
        ({"channel": {"_id": "x", "mode": "shout"}}, "/channel/mode", "enum"),
        ({"channel": {"_id": "x", "_type": "email"}}, "/channel/_type", "format"),
        ({"marketing": {"campaign": "x"}}, "/marketing/campaign", "additionalProperties"),
        (
            {"pushNotificationTracking": {"isLaunch": 1}},
            "/pushNotificationTracking/isLaunch",
            "type",
        ),
        ({"producedBy": ""}, "/producedBy", "empty"),
        ({"eventMergeId": None}, "/eventMergeId", "type"),
    ],
)
def test_what_a_standard_group_does_not_take_is_named(
    record: dict[str, Any], path: str, keyword: str
) -> None:
    assert [(v.path, v.keyword) for v in SCHEMA.check(EVENT | record, NOW)] == [(path, keyword)]


def test_the_names_of_the_tenants_fields_are_names_that_xdm_takes() -> None:
    """Letters, digits, - and _, not starting with _ (platform.md section 5.1)."""
    names = [field.name for field in _named(TENANT_FIELDS)]

    assert len(names) > 30
    assert [name for name in names if not re.fullmatch("[A-Za-z0-9-][A-Za-z0-9_-]*", name)] == []


def test_the_tenants_maps_hold_texts_or_whole_numbers_only() -> None:
    """The newest XDM pages let a custom map have no other values (platform.md section 4.2)."""
    maps = [field for field in _all(TENANT_FIELDS) if field.type == "map"]

    assert {field.items.type for field in maps if field.items} <= {"string", "integer"}


def test_platform_is_told_of_namespaces_then_field_group_then_schema() -> None:
    first, second, field_group, schema = registry_requests(VARIABLES)

    assert [first["body"]["code"], second["body"]["code"]] == ["CustomerioId", "CustomerioCioId"]
    assert first["path"] == "/data/core/idnamespace/identities"
    assert set(first["body"]) == {"name", "code", "idType", "description"}
    assert field_group["path"] == "/data/foundation/schemaregistry/tenant/fieldgroups"
    assert schema["path"] == "/data/foundation/schemaregistry/tenant/schemas"
    assert schema["body"]["allOf"][0] == {"$ref": DOCUMENT["meta:class"]}
    assert schema["body"]["allOf"][1:-1] == [{"$ref": group.id} for group in FIELD_GROUPS]
    assert schema["body"]["meta:immutableTags"] == ["union"]


def test_the_field_group_holds_the_tenants_fields_as_the_registry_wants_them() -> None:
    (request,) = _created("field group")

    assert request["body"]["meta:intendedToExtend"] == [DOCUMENT["meta:class"]]
    assert request["body"]["allOf"] == [{"$ref": "#/definitions/customFields"}]
    fields = request["body"]["definitions"]["customFields"]["properties"]["_acme"]["properties"]
    event = fields["customerio"]["properties"]
    assert event["event_id"] == {"title": "Event id", "type": "string"}
    assert event["variant"]["enum"] == list(event["variant"]["meta:enum"])
    assert "additionalProperties" not in fields["customerio"]


def test_a_map_is_told_with_its_type_and_numbers_with_their_range() -> None:
    """The registry knows a map by meta:xdmType alone (help/xdm/tutorials/custom-fields-api.md)."""
    fields = (
        keyed("words", "Words"),
        whole("count", "Count", type="short"),
        moment("since", "Since"),
        many("tags", "Tags", text("", "Tag", pattern="^[a-z]+$", max_length=9, format="uri")),
    )
    (request,) = _created("field group", fields)

    below = request["body"]["definitions"]["customFields"]["properties"]["_acme"]["properties"]
    assert below["words"] == {
        "title": "Words", "type": "object", "meta:xdmType": "map",
        "additionalProperties": {"title": "Value", "type": "string"},
    }  # fmt: skip
    assert (below["count"]["minimum"], below["count"]["maximum"]) == (-32768, 32768)
    assert below["since"] == {"title": "Since", "type": "string", "format": "date-time"}
    assert below["tags"]["items"] == {
        "title": "Tag", "type": "string", "format": "uri", "pattern": "^[a-z]+$", "maxLength": 9,
    }  # fmt: skip


def test_the_schema_names_the_field_group_by_the_id_it_was_given() -> None:
    requests = registry_requests(VARIABLES, field_group_id="https://ns.adobe.com/acme/mixins/5e7")

    assert requests[-1]["body"]["allOf"][-1] == {"$ref": "https://ns.adobe.com/acme/mixins/5e7"}


def test_namespaces_that_every_organization_has_are_not_created() -> None:
    shared = VARIABLES | {"ID_NAMESPACE": "email", "CIO_ID_NAMESPACE": "CrmId"}

    assert [request["title"] for request in _created("identity namespace", variables=shared)] == [
        "CrmId"
    ]


def test_one_namespace_for_both_ids_is_created_once() -> None:
    shared = VARIABLES | {"ID_NAMESPACE": "CrmId", "CIO_ID_NAMESPACE": "crmid"}

    assert [request["title"] for request in _created("identity namespace", variables=shared)] == [
        "CrmId"
    ]


def test_without_a_connection_the_variables_stay() -> None:
    requests = registry_requests()

    assert [r["title"] for r in requests if r["creates"] == "identity namespace"] == [
        "{ID_NAMESPACE}", "{CIO_ID_NAMESPACE}", "{EMAIL_NAMESPACE}",
    ]  # fmt: skip
    assert fill_schema(requests, VARIABLES)[-2:] == registry_requests(VARIABLES)[-2:]


def test_a_namespace_code_that_platform_would_refuse_is_said() -> None:
    with pytest.raises(VariableInvalid, match="letters and digits"):
        registry_requests(VARIABLES | {"ID_NAMESPACE": "crm-id"})


def _created(
    what: str,
    fields: tuple[Field, ...] = TENANT_FIELDS,
    variables: dict[str, str] = VARIABLES,
) -> list[RegistryRequest]:
    requests = registry_requests(variables, tenant_fields=fields)
    return [request for request in requests if request["creates"] == what]


def _paths(value: Any, path: str = "") -> Iterator[str]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _paths(child, f"{path}.{name}" if path else name)
    if isinstance(value, list):
        for child in value:
            yield from _paths(child, f"{path}[*]")


def _sample(field: Field) -> Any:
    if field.type == "object":
        return {child.name: _sample(child) for child in field.children}
    if field.items is not None:
        return [_sample(field.items)] if field.type == "array" else {"any": _sample(field.items)}
    if field.enum and not field.open_enum:
        return next(iter(field.enum))
    kinds = {"boolean": False, "number": 0.5, "date": "2023-11-14", "date-time": EVENT["timestamp"]}
    return kinds.get(field.type, "x" if field.type == "string" else 0)


def _all(fields: tuple[Field, ...]) -> Iterator[Field]:
    for field in fields:
        yield field
        yield from _all(field.children)
        if field.items is not None:
            yield from _all((field.items,))


def _named(fields: tuple[Field, ...]) -> Iterator[Field]:
    return (field for field in _all(fields) if field.name)
