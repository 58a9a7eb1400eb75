"""A scripted platform.adobe.io on a real port: what a test puts there is what it answers.

Written from platform.md sections 0, 1.11 and 6 alone.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from app.adobe.platform_client import Account

ACCOUNT = Account("", "client", "X@AdobeOrg", "prod")
FLOWS = "/data/foundation/flowservice"
CATALOG = "/data/foundation/catalog"
EXPORT = "/data/foundation/export"
INSIGHTS = "/data/infrastructure/observability/insights"


def run_of(started_ms: int, landed: Any, failed: Any = 0, **changes: Any) -> dict[str, Any]:
    """A run as the reference shows it. `batches`: ids that it wrote."""
    batches = changes.pop("batches", [])
    return {
        "id": f"run-{started_ms}",
        "flowId": "flow",
        "createdAt": started_ms,
        "metrics": {
            "durationSummary": {"startedAtUTC": started_ms, "completedAtUTC": started_ms + 1},
            "recordSummary": {
                "inputRecordCount": 0,
                "outputRecordCount": landed,
                "failedRecordCount": failed,
            },
            "statusSummary": {"status": "success", "errors": []},
        },
        "activities": [
            {
                "id": "promotionActivity",
                "targetInfo": [
                    {"type": "TargetConnection", "reference": {"type": "Batch", "ids": batches}}
                ],
            }
        ],
        **changes,
    }


def failed_line(record: dict[str, Any], code: str = "DCVS-1106-400", text: str = "no") -> bytes:
    """A line of a failed file: the message as it was sent, and the error."""
    sent = {"header": {"imsOrgId": "X@AdobeOrg"}, "body": {"xdmMeta": {}, "xdmEntity": record}}
    errors = {"_streamingValidation": [{"code": code, "message": text}]}
    return json.dumps({**sent, "_errors": errors}).encode()


@dataclass
class Batch:
    created_ms: int
    files: dict[str, list[bytes]] = field(default_factory=dict)
    rows: dict[str, list[bytes]] = field(default_factory=dict)
    status: str = "failed"

    def put(self, lines: list[bytes], name: str = "part-0") -> None:
        self.files.setdefault(name, []).extend(lines)


class ScriptedApi:
    """`answers`: what comes instead, first come first served; `got`: every request."""

    def __init__(self) -> None:
        self.url = ""
        self.runs: list[dict[str, Any]] = []
        self.batches: dict[str, Batch] = {}
        self.counters: dict[str, dict[str, Any]] = {}
        self.page = 100
        self.answers: deque[web.Response | Callable[..., Any]] = deque()
        self.got: list[web.Request] = []
        self.bodies: list[bytes] = []

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.got]

    @property
    def times(self) -> Counter[str]:
        """How often each file was read."""
        return Counter(r.query["path"] for r in self.got if "path" in r.query)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.got.append(request)
        self.bodies.append(await request.read())
        if self.answers:
            answer = self.answers.popleft()
            # A response is used up by being sent.
            return await answer(request) if callable(answer) else copied(answer)
        for prefix, ask in (
            (f"{FLOWS}/runs", self._runs),
            (f"{CATALOG}/batches", self._batches),
            (f"{EXPORT}/batches", self._files),
            (f"{INSIGHTS}/metrics", self._metrics),
        ):
            if request.path.startswith(prefix):
                return ask(request)
        return problem(404, "1101-404")

    def _runs(self, request: web.Request) -> web.Response:
        filters = request.query.getall("property")
        assert filters[0] == "flowId==flow"
        after = int(filters[1].removeprefix("metrics.durationSummary.startedAtUTC>"))
        found = [
            run for run in self.runs
            if run["metrics"]["durationSummary"]["startedAtUTC"] > after
        ]  # fmt: skip
        start = int(request.query.get("continuationToken", 0))
        page = {"items": found[start : start + self.page], "_links": {}}
        if start + self.page < len(found):
            token = start + self.page
            page["_links"] = {"next": {"href": f"{FLOWS}/runs?continuationToken={token}"}}
        return web.json_response(page)

    def _batches(self, request: web.Request) -> web.Response:
        query = request.query
        assert query["dataSet"] == "dataset"
        found = [
            (name, batch) for name, batch in self.batches.items()
            if batch.status == query["status"]
            and int(query["createdAfter"]) <= batch.created_ms <= int(query["createdBefore"])
        ]  # fmt: skip
        start, limit = int(query["start"]), int(query["limit"])
        return web.json_response(
            {
                name: {"status": batch.status, "created": batch.created_ms, "errors": []}
                for name, batch in found[start : start + limit]
            }
        )

    def _files(self, request: web.Request) -> web.Response:
        name, kind = request.path.removeprefix(f"{EXPORT}/batches/").split("/")
        batch = self.batches.get(name)
        if batch is None:
            return problem(404, "no such batch")
        files = batch.files if kind == "failed" else batch.rows
        path = request.query.get("path", "row_errors" if kind == "meta" else "")
        if path in ("", "row_errors"):
            listed = [
                {"name": each, "length": str(len(b"\n".join(lines)))}
                for each, lines in files.items()
            ]
            start, limit = int(request.query["start"]), int(request.query["limit"])
            data = listed[start : start + limit]
            return web.json_response({"data": data, "_page": {"limit": limit, "count": len(data)}})
        return web.Response(body=b"\n".join(files[path.removeprefix("row_errors/")]))

    def _metrics(self, request: web.Request) -> web.Response:
        asked = json.loads(self.bodies[-1])
        return web.json_response(
            {
                "metricResponses": [
                    {
                        "metric": each["name"],
                        "datapoints": [{"dps": self.counters.get(each["name"], {})}],
                    }
                    for each in asked["metrics"]
                ]
            }
        )


def copied(answer: web.Response) -> web.Response:
    headers = answer.headers.copy()
    headers.pop("Content-Length", None)
    return web.Response(body=answer.body, status=answer.status, headers=headers)


def problem(status: int, text: str = "no", **headers: str) -> web.Response:
    return web.json_response({"errorCode": text, "message": text}, status=status, headers=headers)


@asynccontextmanager
async def scripted() -> AsyncIterator[ScriptedApi]:
    api = ScriptedApi()
    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_route("*", "/{tail:.*}", api.handle)
    server = TestServer(app)
    await server.start_server()
    api.url = str(server.make_url("")).rstrip("/")
    try:
        yield api
    finally:
        await server.close()
