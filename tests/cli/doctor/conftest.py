"""The connection that faults are planted into, put back after each test."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.store.connect import open_store
from tests.cli.doctor.whole import TINY, Whole
from tests.conftest import RedisServer
from tests.connect.stage import staged


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _whole(
    _shared_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Whole]:
    _shared_server.flush()
    redis = open_store(_shared_server.url)
    # A PATCH shows in `updatedAt` alone, which is all that Adobe's pages say of it.
    quiet = {"patch_is_operation": False}
    async with staged(tmp_path_factory.mktemp("doctor"), quiet, **TINY) as stage:
        # Faults are planted here.
        stage.guards = False
        made = Whole(stage, redis, _shared_server.url)
        await made.make()
        yield made
    for name, value in (("appendfsync", "everysec"), ("maxmemory", "0")):
        await redis.config_set(name, value)
    await redis.aclose(close_connection_pool=True)


@pytest_asyncio.fixture(loop_scope="module")
async def whole(_whole: Whole, tmp_path: Path) -> AsyncIterator[Whole]:
    """Files are put back, and Redis' settings; what is done to the vendors a fault undoes."""
    kept = tmp_path / "kept"
    folder, environ = _whole.stage.folder, dict(_whole.environ)
    shutil.copytree(folder, kept, copy_function=shutil.copy2)
    yield _whole
    shutil.rmtree(folder)
    shutil.copytree(kept, folder, copy_function=shutil.copy2)
    _whole.environ, _whole.clock, _whole.limit, _whole.absent = environ, time.time, 10.0, ()
