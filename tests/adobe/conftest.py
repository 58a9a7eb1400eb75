"""A scripted Platform and a client of it, for the tests of the control plane."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from app.adobe.platform_client import PlatformClient
from tests.adobe.scripted_api import ACCOUNT, ScriptedApi, scripted
from tests.worker.scripted_platform import Tokens


class Scripted:
    """What Platform answers next, and what it was asked. `slept`: what the client would have."""

    def __init__(self, api: ScriptedApi, session: aiohttp.ClientSession) -> None:
        self.api = api
        self.slept: list[float] = []
        self.shown: list[str] = []
        self.client = PlatformClient(
            session, replace(ACCOUNT, api_url=api.url), Tokens(),
            requests_per_second=1e9, patience_seconds=60, show=self.shown.append,
            sleep=self._sleep, chance=lambda: 1.0, clock=lambda: 0.0,
        )  # fmt: skip

    async def _sleep(self, seconds: float) -> None:
        if seconds > 1e-3:
            self.slept.append(seconds)

    def answers(self, *documents: Any, status: int = 200) -> None:
        """JSON documents, or whole responses."""
        for each in documents:
            ready = isinstance(each, web.Response)
            self.api.answers.append(each if ready else web.json_response(each, status=status))

    def answers_nothing(self, status: int = 204) -> None:
        self.api.answers.append(web.Response(status=status))

    @property
    def calls(self) -> list[str]:
        """Method and path, as they came over the wire, without the query."""
        return [f"{each.method} {each.raw_path.partition('?')[0]}" for each in self.api.got]

    @property
    def queries(self) -> list[list[tuple[str, str]]]:
        return [list(each.query.items()) for each in self.api.got]

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(each) if each else None for each in self.api.bodies]

    def header(self, name: str) -> list[str | None]:
        return [each.headers.get(name) for each in self.api.got]


@pytest.fixture
async def platform() -> AsyncIterator[Scripted]:
    async with scripted() as api, aiohttp.ClientSession() as session:
        yield Scripted(api, session)
