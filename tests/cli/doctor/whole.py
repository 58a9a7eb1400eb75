"""A whole connection, both vendors' ends included, as the doctor sees it."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from app.adobe.flow_service import FlowService
from app.cli.doctor import configuration
from app.cli.doctor.examining import examine
from app.cli.doctor.finding import Finding, Level
from app.cli.doctor.ground import configured, opened
from app.customerio.app_api import AppApi, Workspace
from app.customerio.webhooks import Webhook, Webhooks
from app.sandbox.defaults import APP_KEY, IMS_CLIENT_SECRET
from app.store.connect import Store
from app.store.signs_of_life import SignOfLife
from app.store.users import Role, Users
from tests.connect.stage import Stage

TINY: dict[str, Any] = {
    "mapping_set": "tiny",
    "platform__schema": {"document": "tiny"},
}
# Says what kind of disk this test happens to run on.
NOT_OURS = {"volume", "disk"}


class Whole:
    """A connection that was applied an hour ago, as the doctor sees it."""

    def __init__(self, stage: Stage, redis: Store, url: str) -> None:
        self.stage = stage
        self.redis = redis
        self.environ = {
            "SLUICE_CONFIG_DIR": str(stage.config),
            "SLUICE_DATA_DIR": str(stage.folder / "var"),
            "SLUICE_REDIS_URL": url,
            "CIO_KEY": APP_KEY,
            "CLIENT_SECRET": IMS_CLIENT_SECRET,
        }
        self.clock: Callable[[], float] = time.time
        self.limit = 10.0

    async def make(self) -> None:
        for name, value in (("appendfsync", "always"), ("maxmemory", "1gb")):
            await self.redis.config_set(name, value)
        await Users(self.redis).add("ada", Role.ADMIN, "a password of these tests")
        self.stage.now = time.time() - 3_600
        await self.stage.apply()

    async def examined(self) -> list[Finding]:
        for role in ("receiver", "worker"):
            if role not in self.absent:
                await SignOfLife(self.redis, role, "host-1").give()
        self.stage.now = time.time()
        found = configured(self.environ)
        findings = configuration.findings(found)
        async with opened(found, found.connections) as ground:
            ground.clock, ground.pace = self.clock, 1_000
            return findings + await examine(ground, self.limit)

    absent: tuple[str, ...] = ()

    # --- files ---

    @property
    def connection(self) -> Path:
        return self.stage.config / "connections" / "acme.yaml"

    @property
    def schema_file(self) -> Path:
        return self.stage.config / "schemas" / "tiny.json"

    @property
    def key(self) -> Path:
        return self.stage.folder / "var" / "connect" / "acme.signing-key"

    def edit(self, path: Path, *keys: str, to: Any) -> None:
        document = yaml.safe_load(path.read_text())  # of which JSON is a part
        place = document
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = to
        dump = json.dumps if path.suffix == ".json" else yaml.safe_dump
        path.write_text(dump(document))

    def platform(self, *keys: str, to: Any) -> None:
        self.edit(self.connection, "platform", *keys, to=to)

    def setup(self, *keys: str, to: Any) -> None:
        self.edit(self.stage.config / "setups" / "acme.yaml", *keys, to=to)

    # --- the vendors ---

    @asynccontextmanager
    async def webhooks(self) -> AsyncIterator[tuple[Webhooks, Webhook]]:
        async with aiohttp.ClientSession() as session:
            found = Webhooks(AppApi(session, Workspace(self.stage.url, APP_KEY)))
            webhook, *_ = await found.named("Sluice acme")
            yield found, webhook

    async def webhook(self, **changes: Any) -> None:
        async with self.webhooks() as (webhooks, webhook):
            await webhooks.update(replace(webhook, **changes))

    async def flow(
        self, act: Callable[[FlowService, Any], Awaitable[Any]], ago_seconds: float = 0
    ) -> None:
        self.stage.now = time.time() - ago_seconds
        async with self.stage.wiring() as wiring:
            [found] = await wiring.ends.flows.flows_named("Sluice acme")
            await act(wiring.ends.flows, found)


def troubles(found: list[Finding]) -> list[Finding]:
    """What is not well."""
    return [
        each
        for each in found
        if each.level in (Level.WARNING, Level.FAILED) and each.check not in NOT_OURS
    ]
