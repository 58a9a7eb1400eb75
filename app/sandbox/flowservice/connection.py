"""What a base, source or target connection must say (platform.md sections 1.1, 1.4 and 1.9).

The reference has no code for a field that is absent: these are 1100-400, with the field's name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from app.sandbox.flowservice.specs import (
    AUTH_SPEC,
    CONNECTION_SPECS,
    CUSTOMERIO,
    DATA_LAKE,
    HTTP_API,
    VERSION,
)
from app.sandbox.gateway.view import View
from app.sandbox.plane.body import refused, text_in
from app.sandbox.plane.media import Media

Check = Callable[[View, dict[str, Any]], None]
_READ_ONLY: Final = ("id", "etag", "createdAt", "updatedAt", "createdBy", "updatedBy", "state")


def check_base(view: View, body: dict[str, Any]) -> None:
    """A base connection of the HTTP API source. Raises Turned."""
    text_in(view, body, "name")
    _spec(view, body, HTTP_API)
    auth = _object(view, body, "auth")
    if auth.get("specName") != AUTH_SPEC:
        text = f"The auth spec '{auth.get('specName')}' could not be found for the connection spec"
        raise refused(view, f"{text} ID {HTTP_API}.", "1415-400")
    params = _object(view, auth, "params")
    if params.get("dataType") not in ("xdm", "raw"):
        raise refused(view, "auth.params.dataType must be xdm or raw")
    if not isinstance(params.get("authenticationRequired", False), bool):
        raise refused(view, "auth.params.authenticationRequired must be true or false")


def check_source(view: View, body: dict[str, Any]) -> None:
    """A source connection: Customer.io's, or the HTTP API's with its base. Raises Turned."""
    text_in(view, body, "name")
    if _spec(view, body, CUSTOMERIO, HTTP_API) == HTTP_API:
        base = body.get("baseConnectionId")
        if base not in view.sandbox.plane.connections:
            text = f"The requested connections resource {base} is not found."
            raise refused(view, text, "1439-400")
        return
    if _object(view, body, "data").get("format") != "json":
        raise refused(view, "data.format must be json, the only one that is supported")


def check_target(view: View, body: dict[str, Any]) -> None:
    """A target connection into the data lake. Raises Turned."""
    text_in(view, body, "name")
    _spec(view, body, DATA_LAKE)
    schema = _object(view, _object(view, body, "data"), "schema")
    text_in(view, schema, "id")
    media = Media.parse(schema.get("version"))
    if media is None or not media.version:
        # The key holds a whole media type, not a number (section 1.4).
        text = "data.schema.version must be like application/vnd.adobe.xed-full+json;version=1"
        raise refused(view, text)
    if not isinstance(_object(view, body, "params").get("dataSetId"), str):
        raise refused(view, "params.dataSetId is required and must be a text")


def check_read_only(view: View, before: dict[str, Any], after: dict[str, Any]) -> None:
    """A patch of a connection: what may not change. Raises Turned."""
    if before.get("connectionSpec") != after.get("connectionSpec"):
        text = "The connection spec of a connection cannot be updated."
        raise refused(view, text, "1414-400")
    for key in _READ_ONLY:
        if key in after:
            raise refused(view, f"{key} cannot be updated")


def _spec(view: View, body: dict[str, Any], *wanted: str) -> str:
    spec = body.get("connectionSpec")
    found = spec.get("id") if isinstance(spec, dict) else None
    known = isinstance(found, str) and found in CONNECTION_SPECS and found in wanted
    if not isinstance(spec, dict) or not known or spec.get("version", VERSION) != VERSION:
        text = "The spec ID provided is invalid. Please provide a valid spec ID and try again."
        raise refused(view, text, "1413-400")
    return str(found)


def _object(view: View, body: dict[str, Any], key: str) -> dict[str, Any]:
    found = body.get(key)
    if not isinstance(found, dict):
        raise refused(view, f"{key} is required and must be an object")
    return found
