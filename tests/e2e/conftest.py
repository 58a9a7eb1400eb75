"""One system for the tests of a module, empty and whole at the start of each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.system import System, running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _shared_system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    folder = tmp_path_factory.mktemp("system")
    async with running(folder, limits={"request_timeout_seconds": 3}) as started:
        yield started


@pytest.fixture
async def system(_shared_system: System) -> System:
    await _shared_system.reset()
    return _shared_system
