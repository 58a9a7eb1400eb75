"""A setup of both ends, for a system of real processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from app.sandbox.defaults import IMS_CLIENT_ID, ORG_ID
from tests.e2e.system import SECRET_NAME, System

# Platform loses what comes sooner after a flow was made, and says nothing.
LOST_SECONDS, SETTLE_SECONDS = 3, 4


def setup_document(system: System) -> dict[str, Any]:
    return {
        "platform": {
            "org_id": ORG_ID,
            "api_url": system.sandbox_url,
            "credentials": {
                "client_id": IMS_CLIENT_ID,
                "client_secrets": [{"env": SECRET_NAME}],
                "ims_url": f"{system.sandbox_url}/ims/token/v3",
            },
            "settle_seconds": SETTLE_SECONDS,
        },
        "customerio": {
            "api_key": {"env": "CIO_KEY"},
            "api_url": system.sandbox_url,
            "public_url": system.receiver_url,
        },
    }


def write_setup(system: System, name: str, document: dict[str, Any]) -> Path:
    """Where `connect --from` takes it from, or over the one that it took."""
    setups = system.folder / "config" / "setups" / f"{name}.yaml"
    path = setups if setups.is_file() else system.folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document))
    return path
