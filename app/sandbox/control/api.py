"""The sandbox's own endpoints: /faults, /received, /failed, /healthz.

lake.py has /lake, plane.py /calls and /objects, customerio.py /customerio.
"""

from __future__ import annotations

from typing import Any, Final

import orjson
from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from app.sandbox.control.lake import lake_routes
from app.sandbox.control.rule import Rule
from app.sandbox.control.stream import stream_lines
from app.sandbox.state import SANDBOX, Sandbox

_RULES: Final[TypeAdapter[Rule | list[Rule]]] = TypeAdapter(Rule | list[Rule])
_PAGE: Final = 100
_PAGE_MAX: Final = 10_000

_HELP: Final = """Sluice's sandbox Platform
POST /ims/token/v3  /collection/{inlet}  /collection/batch/{inlet}
/data/foundation/flowservice/connections  /sourceConnections  /targetConnections  /flows
GET  /data/foundation/flowservice/connectionSpecs  /flowSpecs  /runs
/data/foundation/schemaregistry/stats  /global  /tenant  /tenant/descriptors
/data/foundation/conversion/mappingSets  /languages/el
/data/foundation/catalog/dataSets  /v2/dataSets  GET /batches  /batches/{batch}
/data/core/idnamespace/identities
GET  /data/foundation/export/batches/{batch}/failed  /meta
POST /data/infrastructure/observability/insights/metrics
GET  /received  /received?id=  /received?limit=&after=  /received?ids=true   DELETE /received
GET  /failed    /failed?id=  /failed?limit=&after=  /failed?settle=true
GET  /lake      /lake?ids=true  /lake?lost=true  /lake?hours=true  /lake?settle=true
POST /lake/close  ends Platform's hour now, so that its runs and batches show
GET  /faults    POST /faults    DELETE /faults  /faults?id=
GET  /calls     /calls?after=&limit=            DELETE /calls
GET  /objects   what was set up                 DELETE /objects  back to the first state
POST /objects/settle  ends the five minutes in which data for new flows are lost
GET  /tokens    /healthz
and its Customer.io: App API for the US region as in life, for the EU under /eu
GET  /v1/reporting_webhooks  /v1/reporting_webhooks/{id}   POST  PUT  DELETE
GET  /v1/info/ip_addresses
GET  /customerio  /customerio/workspaces/{workspace}  its signing key, how its webhooks fare
POST /customerio/workspaces/{workspace}/play  lets events happen: {"count": 100, "rate": 10}
POST /customerio/workspaces/{workspace}/webhooks/{id}/test  the Send Test button
"""


def routes() -> list[web.RouteDef]:
    return [
        web.get("/", show_help),
        web.get("/healthz", show_health),
        web.get("/faults", list_faults),
        web.post("/faults", add_faults),
        web.delete("/faults", remove_faults),
        web.get("/received", show_received),
        web.delete("/received", forget_received),
        web.get("/failed", show_failed),
        *lake_routes(),
    ]


async def show_help(_request: web.Request) -> web.StreamResponse:
    return web.Response(text=_HELP)


async def show_health(_request: web.Request) -> web.StreamResponse:
    return _json({"status": "ok"})


async def list_faults(request: web.Request) -> web.StreamResponse:
    """The rules in force, in the order they apply, with how often each one hit."""
    sandbox = request.app[SANDBOX]
    now = sandbox.clock()
    return _json({"faults": [active.as_dict(now) for active in sandbox.faults.in_force()]})


async def add_faults(request: web.Request) -> web.StreamResponse:
    """One rule or a list of rules; 400 names what is wrong, and nothing is added then."""
    try:
        posted = _RULES.validate_json(await request.read())
    except ValidationError as fault:
        return _json({"errors": faults_in(fault)}, 400)
    sandbox = request.app[SANDBOX]
    now = sandbox.clock()
    rules = posted if isinstance(posted, list) else [posted]
    return _json({"faults": [sandbox.faults.add(rule).as_dict(now) for rule in rules]}, 201)


def faults_in(fault: ValidationError) -> list[str]:
    """What is wrong with a posted body, a line each."""
    return [
        f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
        for error in fault.errors(include_url=False)
    ]


async def remove_faults(request: web.Request) -> web.StreamResponse:
    """All rules, or the one of `?id=`."""
    number = _number(request, "id", -1)
    removed = request.app[SANDBOX].faults.remove(None if number < 0 else number)
    return _json({"removed": removed}, 200 if removed or number < 0 else 404)


async def show_received(request: web.Request) -> web.StreamResponse:
    """Counts; with `id` one record, with `limit` or `after` a page, with `ids` every id."""
    sandbox = request.app[SANDBOX]
    if "id" in request.query:
        return _one(sandbox, request.query["id"])
    if request.query.get("ids") == "true":
        return await _stream_ids(request, sandbox)
    if "limit" in request.query or "after" in request.query:
        limit = min(_number(request, "limit", _PAGE), _PAGE_MAX)
        page = list(sandbox.received.after(_number(request, "after", 0), limit))
        last = page[-1].number if page else None
        return _json({"records": [taken.as_dict() for taken in page], "after": last})
    return _json(_counts(sandbox))


async def forget_received(request: web.Request) -> web.StreamResponse:
    """Forget records, counts, failures and the lake; faults and tokens stay."""
    sandbox = request.app[SANDBOX]
    counts = _counts(sandbox)
    sandbox.received.clear()
    sandbox.later.clear()
    sandbox.lake.clear()
    sandbox.meters.clear()
    return _json(counts)


async def show_failed(request: web.Request) -> web.StreamResponse:
    """What validation found later. `settle=true`: answer when nothing waits for it any more."""
    later = request.app[SANDBOX].later
    if request.query.get("settle") == "true":
        await later.settled()
    after = _number(request, "after", 0)
    wanted = request.query.get("id")
    limit = min(_number(request, "limit", _PAGE), _PAGE_MAX)
    found = [
        failed
        for failed in later.kept
        if failed.number > after and wanted in (None, failed.record_id)
    ][:limit]
    records = [
        {
            "number": failed.number,
            "_id": failed.record_id,
            "inlet": failed.inlet_id,
            "failed_at": failed.failed_at,
            "message": orjson.Fragment(failed.line),
        }
        for failed in found
    ]
    return _json({**_later_counts(sandbox=request.app[SANDBOX]), "records": records})


def _one(sandbox: Sandbox, record_id: str) -> web.Response:
    copies = sandbox.received.copies(record_id)
    newest = sandbox.received.newest(record_id)
    body = {"_id": record_id, "count": copies, "newest": newest.as_dict() if newest else None}
    return _json(body, 200 if copies else 404)


def _counts(sandbox: Sandbox) -> dict[str, Any]:
    received = sandbox.received
    inlets = {inlet_id: inlet.counts() for inlet_id, inlet in received.inlets.items()}
    return {**received.totals(), **_later_counts(sandbox), "inlets": inlets}


def _later_counts(sandbox: Sandbox) -> dict[str, int]:
    later = sandbox.later
    return {"failed": later.failed, "ingested": later.passed, "validating": later.waiting}


async def _stream_ids(request: web.Request, sandbox: Sandbox) -> web.StreamResponse:
    """One line an id: `{"id", "count", "inlet"}`, of a copy: counting goes on meanwhile."""
    ids = list(sandbox.received.ids())
    lines = ({"id": found, "count": copies, "inlet": inlet} for inlet, found, copies in ids)
    return await stream_lines(request, lines)


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit():
        raise web.HTTPBadRequest(text=f"{name} must be a whole number\n")
    return int(text)


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")
