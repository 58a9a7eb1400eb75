"""A console elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from app.store.connect import Store
from app.store.users import Role
from app.web.console.server import make_app
from tests.cli.afar.both_ways import Sluice
from tests.web.console.conftest import PASSWORD, parts


@pytest.fixture
async def sluice(store: Store, redis_url: str, tmp_path: Path) -> AsyncIterator[Sluice]:
    """A console with something to show, and an operator's and a viewer's token for it."""
    console, tokens = parts(store), {}
    for role in (Role.OPERATOR, Role.VIEWER):
        await console.users.add(role.value, role, PASSWORD)
        user = await console.users.get(role.value)
        assert user
        tokens[role] = await console.tokens.make(user, 1, "laptop")
    async with TestServer(make_app(console)) as server:
        url = f"http://127.0.0.1:{server.port}"
        yield Sluice(console, redis_url, url, tokens)
