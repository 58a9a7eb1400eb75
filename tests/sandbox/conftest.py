"""A sandbox Platform on an ephemeral port, and messages for it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from app.sandbox.config import Inlet, SandboxConfig
from app.sandbox.defaults import (
    IMS_CLIENT_ID,
    IMS_CLIENT_SECRET,
    IMS_SCOPES,
    ORG_ID,
    SANDBOX_NAME,
    default_config,
)
from app.sandbox.server import make_app
from tests.sandbox.receiving import Listen, Receiver, Script

START = 1_800_000_000.0


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Platform:
    """A running sandbox and ways to talk to it."""

    client: TestClient[Any, Any]
    config: SandboxConfig
    clock: Clock
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def inlet(self) -> Inlet:
        return self.config.inlets[0]

    def message(self, record_id: str = "01A", **entity: Any) -> dict[str, Any]:
        """A good XDM message for the first inlet."""
        inlet = self.inlet
        schema_ref = {"id": inlet.schema_id, "contentType": inlet.schema_content_type}
        return {
            "header": {
                "schemaRef": schema_ref,
                "imsOrgId": inlet.org_id,
                "datasetId": inlet.dataset_id,
                "flowId": inlet.flow_id,
            },
            "body": {
                "xdmMeta": {"schemaRef": dict(schema_ref)},
                "xdmEntity": {"_id": record_id, "timestamp": "2026-01-01T00:00:00Z", **entity},
            },
        }

    async def one(self, message: Any, query: str = "", **options: Any) -> ClientResponse:
        return await self.client.post(
            f"/collection/{self.inlet.id}{query}", json=message, **options
        )

    async def batch(self, messages: list[Any], **options: Any) -> ClientResponse:
        path = f"/collection/batch/{self.inlet.id}"
        return await self.client.post(path, json={"messages": messages}, **options)

    async def token(self, **changes: str) -> ClientResponse:
        form = {
            "grant_type": "client_credentials",
            "client_id": IMS_CLIENT_ID,
            "client_secret": IMS_CLIENT_SECRET,
            "scope": ",".join(IMS_SCOPES),
            **changes,
        }
        return await self.client.post("/ims/token/v3", data=form)

    async def bearer(self) -> dict[str, str]:
        body = await (await self.token()).json()
        return {"Authorization": f"Bearer {body['access_token']}"}

    async def fault(self, **rule: Any) -> None:
        answer = await self.client.post("/faults", json=rule)
        assert answer.status == 201, await answer.text()

    async def get(self, path: str) -> Any:
        return await (await self.client.get(path)).json()

    async def gateway_headers(self) -> dict[str, str]:
        """What every call to platform.adobe.io carries (platform.md section 0)."""
        if "Authorization" not in self.headers:
            self.headers.update(await self.bearer())
        return {
            "x-api-key": IMS_CLIENT_ID,
            "x-gw-ims-org-id": ORG_ID,
            "x-sandbox-name": SANDBOX_NAME,
            **self.headers,
        }

    async def call(self, path: str) -> ClientResponse:
        """GET of a path behind the gateway; `path` is sent as it stands."""
        url = URL(f"/data{path}", encoded=True)
        return await self.client.get(url, headers=await self.gateway_headers())

    async def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and parsed body of a call behind the gateway; `path` is sent as it stands."""
        url = URL(f"/data{path}", encoded=True)
        data = None if body is None else orjson.dumps(body)
        given = {**(await self.gateway_headers()), **(headers or {})}
        if data is not None:
            given.setdefault("Content-Type", "application/json")
        answer = await self.client.request(method, url, data=data, headers=given)
        text = await answer.read()
        return answer.status, orjson.loads(text) if text else None

    async def runs(self, query: str = "") -> Any:
        flow = self.inlet.flow_id
        path = f"/foundation/flowservice/runs?property=flowId=={flow}{query}"
        return await (await self.call(path)).json()

    async def batches(self, query: str = "") -> Any:
        return await (await self.call(f"/foundation/catalog/batches?{query}")).json()

    async def export(self, path: str) -> Any:
        return await (await self.call(f"/foundation/export/batches/{path}")).json()

    async def lines(self, path: str) -> list[Any]:
        answer = await self.call(f"/foundation/export/batches/{path}")
        return [orjson.loads(line) for line in (await answer.read()).splitlines()]

    async def hour_over(self) -> None:
        """Everything is validated, and an hour has gone by."""
        await self.get("/lake?settle=true")
        self.clock.now += self.config.hour_seconds


Start = Callable[..., Awaitable[Platform]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """start(inlet={...}, state=file, **config): a sandbox that differs from the default one as
    given."""
    seeds = count(1)
    async with AsyncExitStack() as stack:

        async def begin(
            inlet: dict[str, Any] | None = None, state: Path | None = None, **changes: Any
        ) -> Platform:
            config = replace(default_config(), **{"validation_delay_s": 0.0, **changes})
            if inlet:
                config = replace(config, inlets=(replace(config.inlets[0], **inlet),))
            clock = Clock()
            # Ids that are drawn are the same in each test, and others in each sandbox of one.
            server = TestServer(make_app(config, clock, random.Random(next(seeds)), state))
            client = await stack.enter_async_context(TestClient(server))
            return Platform(client, config, clock)

        yield begin


@pytest.fixture
async def platform(start: Start) -> Platform:
    return await start()


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    async with AsyncExitStack() as stack:

        async def begin(script: Script = lambda _: web.Response()) -> Receiver:
            receiver = Receiver(script)
            app = web.Application()
            app.add_routes([web.post("/webhooks/x", receiver.receive)])
            server = await stack.enter_async_context(TestServer(app))
            receiver.url = str(server.make_url("/webhooks/x"))
            return receiver

        yield begin
