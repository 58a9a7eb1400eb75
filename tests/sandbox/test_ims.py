"""platform.md section 3."""

from __future__ import annotations

from typing import Any

import pytest

from app.sandbox.config import ImsClient
from app.sandbox.defaults import ORG_ID


async def test_a_token_comes_with_its_lifetime_in_seconds(platform: Any) -> None:
    answer = await platform.token()

    body = await answer.json()
    assert answer.status == 200
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 86_399
    assert len(body["access_token"]) > 40
    assert await platform.get("/tokens") == {"fetches": 1, "refused": 0, "live": 1}


async def test_the_fields_may_stand_in_the_query(platform: Any) -> None:
    answer = await platform.client.post(
        "/ims/token/v3",
        params={
            "grant_type": "client_credentials",
            "client_id": "sandbox-client",
            "client_secret": "sandbox-secret",
            "scope": "openid,AdobeID",
        },
    )
    assert answer.status == 200


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_id": "other"}, 400, "invalid_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"scope": ""}, 400, "invalid_scope"),
        ({"scope": "openid AdobeID"}, 400, "invalid_scope"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_a_wrong_request_gets_no_token(
    platform: Any, changes: dict[str, str], status: int, error: str
) -> None:
    answer = await platform.token(**changes)

    assert answer.status == status
    assert (await answer.json())["error"] == error
    assert (await platform.get("/tokens"))["refused"] == 1


async def test_two_secrets_may_be_live_at_once(start: Any) -> None:
    client = ImsClient("sandbox-client", ("old", "new"), ORG_ID, ("openid",))
    platform = await start(ims_clients=(client,))

    for secret in ("old", "new"):
        assert (await platform.token(client_secret=secret, scope="openid")).status == 200


async def test_too_many_fetches_are_throttled_when_configured(start: Any) -> None:
    platform = await start(token_fetches_per_minute=2.0)

    statuses = [(await platform.token()).status for _ in range(3)]

    assert statuses == [200, 200, 429]
