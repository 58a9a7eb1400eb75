"""Flow Service at a scripted Platform."""

from __future__ import annotations

import pytest

from app.adobe.flow_service import (
    FlowService,
)
from tests.adobe.conftest import Scripted


@pytest.fixture
def flows(platform: Scripted) -> FlowService:
    return FlowService(platform.client)
