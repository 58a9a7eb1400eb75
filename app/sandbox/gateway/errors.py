"""Error bodies of the gateway and of the APIs behind it.

platform.md gives the gateway's body (section 1.11), the codes of Flow Service (1.11), the Schema
Registry's body (5.1) and the codes of Observability (6.3), whose body is that of the page it cites.
The rest is ours: Flow Service's body with code, title and message; all others answer as the Schema
Registry does, less its report.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from aiohttp import web

from app.sandbox.control.rule import Side
from app.sandbox.state import SANDBOX, Sandbox

_TYPE: Final = "http://ns.adobe.com/aep/errors/"
# Section 1.11. The HTTP status is a code's first three digits.
GATEWAY: Final = {
    "403010": "Oauth token is missing",
    "401013": "Oauth token is not valid",
    "403000": "Api Key is required",
    "403003": "Api Key is invalid",
    "400003": "x-gw-ims-org-id is missing",
    "403025": "Profile is not valid",
    "404000": "Resource not found",  # ours
    "429050": "Too many requests",  # ours
}
# What each API says for a status when nothing better is known; Flow Service's are section 1.11's.
_FLOW_CODES: Final = {
    400: "1100-400",
    401: "2000-401",
    403: "2120-403",
    404: "1101-404",
    412: "1404-412",
    500: "1102-500",
    503: "1103-503",
    504: "1104-504",
}
FLOW_SERVICE: Final = frozenset({"flows", "runs", "connections"})
_PREFIXES: Final[Mapping[Side, str]] = {
    "batches": "CATALOG",
    "datasets": "CATALOG",
    "files": "EXPORT",
    "registry": "XDM",
    "namespaces": "NAMESPACE",
    "mappings": "CONVERSION",
}
_INSIGHT_CODES: Final = {
    400: "INSGHT-1000-400",
    401: "INSGHT-1003-401",
    500: "INSGHT-1002-500",
}


class Turned(Exception):
    """A call is refused, with this answer."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_answer(
    body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.Response(
        status=status,
        body=orjson.dumps(body),
        headers=headers,
        content_type="application/json",
    )


def gateway_error(code: str) -> Turned:
    """The gateway's own refusal, before any API."""
    return Turned(json_answer({"error_code": code, "message": GATEWAY[code]}, int(code[:3])))


def api_error(
    sandbox: Sandbox, side: Side, status: int, text: str, code: str = "", title: str = ""
) -> Turned:
    """The refusal of the API on `side`; without `code` its usual one for the status."""
    return Turned(json_answer(_body(sandbox, side, status, text, code, title), status))


def on_demand(
    request: web.Request, side: Side, status: int, code: str | None, headers: Mapping[str, str]
) -> web.Response:
    """A fault's answer. 429 without a code is the gateway's, whatever API was called."""
    if status == 429 and code is None:
        code = "429050"
    if code in GATEWAY:
        body: Any = {"error_code": code, "message": GATEWAY[code]}
    else:
        body = _body(request.app[SANDBOX], side, status, "Fault on demand", code or "")
    return json_answer(body, status, headers)


def _body(
    sandbox: Sandbox, side: Side, status: int, text: str, code: str, title: str = ""
) -> dict[str, Any]:
    title = title or text
    if side in FLOW_SERVICE:
        code = code or _FLOW_CODES.get(status, f"1400-{status}")
        return {"errorCode": code, "statusCode": status, "title": title, "message": text}
    if side == "metrics":
        code = code or _INSIGHT_CODES.get(status, f"INSGHT-1000-{status}")
        return _insight(sandbox, status, text, code)
    if code and not code[0].isupper():
        code = ""
    code = code or f"{_PREFIXES[side]}-1000-{status}"
    body = {"type": f"{_TYPE}{code}", "title": title, "status": status, "detail": text}
    if side == "registry":
        said = {"registryRequestId": sandbox.mint.uuid(), "detailed-message": text}
        body["report"] = {**said, "sub-errors": []}
    return body


def _insight(sandbox: Sandbox, status: int, text: str, code: str) -> dict[str, Any]:
    org_id = next((client.org_id for client in sandbox.config.ims_clients), "")
    return {
        "type": f"{_TYPE}{code}",
        "title": text,
        "status": status,
        "report": {
            "tenantInfo": {"sandboxName": sandbox.config.sandbox_name, "imsOrgId": org_id},
            "additionalContext": None,
        },
        "error-chain": [
            {
                "serviceId": "INSGHT",
                "errorCode": code,
                "invokingServiceId": "INSGHT",
                "unixTimeStampMs": int(sandbox.clock() * 1000),
            }
        ],
    }
