"""What Platform has to be told, in order, until it has this schema (platform.md sections 5.1, 5.2).

No identity descriptor is among it: the person is in `identityMap`, and a primary descriptor would
make its field mandatory, which no field of Customer.io's can be (section 5.1, step 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypedDict

from app.core.dataprep.variables import VariableInvalid, fill
from app.core.xdm.compose.document import (
    SCHEMA_DESCRIPTION,
    SCHEMA_TITLE,
    TENANT_GROUP_DESCRIPTION,
    TENANT_GROUP_TITLE,
    expand_all,
    tenant_object,
)
from app.core.xdm.compose.event import EVENT_CLASS
from app.core.xdm.compose.field_groups import FIELD_GROUPS
from app.core.xdm.compose.fields import Field
from app.core.xdm.compose.tenant import TENANT_FIELDS
from app.core.xdm.filling import fill_schema

_REGISTRY: Final = "/data/foundation/schemaregistry/tenant"
_NAMESPACES: Final = "/data/core/idnamespace/identities"

# What stands for the $id that the registry gives to the field group.
FIELD_GROUP_ID: Final = "{the $id of the field group}"

# Namespaces that every organization has (help/privacy-service/api/appendix.md, section on
# namespaces; AAID from help/identity-service/guardrails.md).
_STANDARD_NAMESPACES: Final = frozenset(
    {"aaid", "adcloud", "core", "ecid", "email", "gaid", "idfa", "phone", "tntid", "waid"}
)

# Judgement (platform.md section 5.2): both of Customer.io's ids tell one person on all devices.
_OWN_NAMESPACES: Final = (
    ("{ID_NAMESPACE}", "Customer.io id", "Cross_device", "The id that the workspace gave."),
    ("{CIO_ID_NAMESPACE}", "Customer.io cio_id", "Cross_device", "Customer.io's own id."),
    ("{EMAIL_NAMESPACE}", "Email address", "Email", "Email address, trimmed and in lower case."),
)


class RegistryRequest(TypedDict):
    """One request to platform.adobe.io: POST `body` to `path`.

    `creates` says what of, for people; `title` is what to look it up by first, since titles and
    codes are unique.
    """

    creates: str
    title: str
    method: str
    path: str
    body: dict[str, Any]


def registry_requests(
    variables: Mapping[str, str] | None = None,
    field_group_id: str = FIELD_GROUP_ID,
    tenant_fields: tuple[Field, ...] = TENANT_FIELDS,
) -> list[RegistryRequest]:
    """Identity namespaces, field group and schema, in the order in which they are to be made.

    `variables` are a connection's; without them `{TENANT}` and its like stay. The schema names the
    field group by the $id that the answer to the request before brings: `field_group_id`. Raises
    VariableInvalid.
    """
    field_group = _field_group(tenant_fields)
    if variables is not None:
        field_group = fill_schema(field_group, variables)
    return [
        *_namespaces(variables),
        _post("field group", TENANT_GROUP_TITLE, f"{_REGISTRY}/fieldgroups", field_group),
        _post("schema", SCHEMA_TITLE, f"{_REGISTRY}/schemas", _schema(field_group_id)),
    ]


def _post(creates: str, title: str, path: str, body: dict[str, Any]) -> RegistryRequest:
    return RegistryRequest(creates=creates, title=title, method="POST", path=path, body=body)


def _field_group(fields: tuple[Field, ...]) -> dict[str, Any]:
    own = expand_all([tenant_object(fields)], full=False)
    return {
        "type": "object",
        "title": TENANT_GROUP_TITLE,
        "description": TENANT_GROUP_DESCRIPTION,
        "meta:intendedToExtend": [EVENT_CLASS],
        "definitions": {"customFields": {"type": "object", **own}},
        "allOf": [{"$ref": "#/definitions/customFields"}],
    }


def _schema(field_group_id: str) -> dict[str, Any]:
    parts = (EVENT_CLASS, *(group.id for group in FIELD_GROUPS), field_group_id)
    return {
        "type": "object",
        "title": SCHEMA_TITLE,
        "description": SCHEMA_DESCRIPTION,
        "allOf": [{"$ref": part} for part in parts],
        # The streaming validator wants it (section 2.4). It cannot be undone.
        "meta:immutableTags": ["union"],
    }


def _namespaces(variables: Mapping[str, str] | None) -> list[RegistryRequest]:
    found: dict[str, RegistryRequest] = {}
    for variable, name, id_type, description in _OWN_NAMESPACES:
        code = variable if variables is None else _code(variable, variables)
        if code.lower() not in _STANDARD_NAMESPACES:
            body = {"name": name, "code": code, "idType": id_type, "description": description}
            found.setdefault(code.lower(), _post("identity namespace", code, _NAMESPACES, body))
    return list(found.values())


def _code(variable: str, variables: Mapping[str, str]) -> str:
    code = fill(variable, variables)
    if not (code.isascii() and code.isalnum()):
        raise VariableInvalid(f"{variable}: a namespace code is letters and digits only")
    return code
