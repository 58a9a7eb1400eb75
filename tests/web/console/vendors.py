"""Both vendors' sandboxes in this process, and a front door for what Customer.io sends: it checks
the signature as the receiver does, and commits into Redis."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web

from app.connect.ends import ends_of
from app.connect.lane import Lane
from app.connect.wiring import Wiring, places_of
from app.core.batch import encode_received
from app.core.batch_id import BatchId
from app.core.curl import Show
from app.core.event import SEND_TEST_EVENT_ID
from app.core.signature import matching_key
from app.sandbox.defaults import (
    APP_KEY,
    IMS_CLIENT_SECRET,
    SIGNING_KEY,
    WORKSPACE,
    default_config,
)
from app.sandbox.server import make_app
from app.settings import Settings
from app.settings.setups import Setup
from app.store.batches import Batches
from app.store.connect import Store
from app.store.inlets import InletSign
from app.store.settlement import Settlement
from app.store.signs_of_life import SignOfLife
from app.web.console.both_ends import BothEnds
from app.web.console.config import Console
from tests.connect.surroundings import config_folder
from tests.web.console.conftest import parts


@dataclass
class Vendors:
    """What was set up, and where. `counts`: the front door counts tests itself, without a
    worker."""

    folder: Path
    config: Path
    redis: Store
    url: str = ""
    counts: bool = True
    # Called when something comes.
    came: Callable[[], None] = lambda: None

    @property
    def data(self) -> Path:
        return self.folder / "var"

    def console(self, **fields: Any) -> Console:
        """One whose config and data folders these are, and that need not ask slowly."""
        environ = {"SLUICE_CONFIG_DIR": str(self.config), "SLUICE_DATA_DIR": str(self.data)}
        made = parts(self.redis, **environ)
        known = {name: getattr(made, name) for name in made.__slots__}
        fields = {"both_ends": BothEnds(environ, self.redis, quickly), **fields}
        return Console(**known | fields)

    def answers(self, **changes: str) -> dict[str, str]:
        """A form of the wizard, all of it good."""
        return {
            "name": "acme",
            "platform.credentials.client_id": "sandbox-client",
            "platform.credentials.client_secret": IMS_CLIENT_SECRET,
            "platform.org_id": "SANDBOX@AdobeOrg",
            "platform.sandbox_name": "prod",
            "platform.source": "sluice",
            "platform.dataset.name": "Customer.io events",
            "platform.dataset.profile": "no",
            "customerio.region": "us",
            "customerio.api_key": APP_KEY,
            "customerio.public_url": self.url,
            "customerio.families": "email, push",
            "platform.api_url": self.url,
            "platform.credentials.ims_url": f"{self.url}/ims/token/v3",
            "customerio.api_url": self.url,
            "platform.settle_seconds": "0",
            **changes,
        }

    async def ask(self, path: str, body: Any = None) -> Any:
        """Of the sandboxes."""
        method = "GET" if body is None else "POST"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, json=body) as response,
        ):
            assert response.status < 300, await response.text()
            return await response.json()

    async def objects(self) -> dict[str, int]:
        """How many of each kind there are at Platform."""
        return {kind: n for kind, n in (await self.ask("/objects"))["counts"].items() if n}

    async def webhooks(self) -> list[dict[str, Any]]:
        found = await self.ask(f"/customerio/workspaces/{WORKSPACE}")
        return list(found["webhooks"])

    def inlets(self) -> dict[str, str]:
        """What a worker would say that takes up connection files at once."""
        found = {}
        for path in (self.config / "connections").glob("*.yaml"):
            url = (yaml.safe_load(path.read_text()).get("platform") or {}).get("url", "")
            found[path.stem] = url.rpartition("/")[2]
        return found

    async def receive(self, request: web.Request) -> web.Response:
        self.came()
        body, headers = await request.read(), request.headers
        given = headers["X-CIO-Timestamp"], headers["X-CIO-Signature"]
        if matching_key([SIGNING_KEY.encode()], *given, body) is None:
            return web.Response(status=401)
        batches = Batches(self.redis, "front-door")
        frame = encode_received([body], [time.time_ns() // 1_000_000])
        batch = await batches.commit(request.match_info["name"], frame, 1)
        # A lane that is held gives nothing.
        if self.counts and await batches.take([batch]):
            assert SEND_TEST_EVENT_ID.encode() in body
            await batches.settle(BatchId.parse(batch), Settlement(tests=1))
        return web.Response()


@asynccontextmanager
async def quickly(
    settings: Settings,
    setup: Setup,
    redis: Store | None,
    *,
    show: Show | None = None,
    signing_key: bytes = b"",
) -> AsyncIterator[Wiring]:
    """`wired`, without the vendors' limits in mind."""
    async with aiohttp.ClientSession() as session:
        ends = ends_of(setup, session, show, 1e6)
        lane = None if redis is None else Lane(redis, setup.name)
        yield Wiring(setup, places_of(settings, setup), ends, lane, signing_key=signing_key)


@asynccontextmanager
async def vendors(folder: Path, redis: Store) -> AsyncIterator[Vendors]:
    """With nothing set up yet."""
    made = Vendors(folder, config_folder(folder), redis)
    config = replace(
        default_config(),
        app_api_per_second=10_000,
        requests_per_second=None,
        transition_seconds=0.0,
    )
    app = make_app(config, time.time, random.Random(1))
    app.router.add_post("/webhooks/{name}", made.receive)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    tasks = [
        asyncio.create_task(sign.run())
        for sign in (SignOfLife(redis, "worker", "w1"), InletSign(redis, "w1", made.inlets))
    ]
    try:
        yield made
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await runner.cleanup()
