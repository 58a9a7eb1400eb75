"""A command's own token, and how its request is shown."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from app.adobe.ims import Credential, TokenClient
from app.adobe.own_token import OwnToken
from app.core.errors import CredentialsRefused, TokenUnavailable
from tests.adobe.test_ims import SECRET, Clock, Ims, ims, session

__all__ = ["ims", "session"]


def token_client(ims: Ims, session: aiohttp.ClientSession, shown: list[str]) -> TokenClient:
    credential = Credential("client", (SECRET,), token_url=ims.url)
    return TokenClient(session, credential, show=shown.append)


async def test_a_command_fetches_one_token_however_many_ask(
    ims: Ims, session: aiohttp.ClientSession
) -> None:
    clock = Clock()
    client = TokenClient(session, Credential("c", (SECRET,), token_url=ims.url), clock=clock)
    own = OwnToken(client, clock=clock)
    assert set(await asyncio.gather(*(own.token() for _ in range(5)))) == {"tok-1"}
    clock.now += 86_399
    assert await own.token() == "tok-2"


async def test_a_refused_token_is_renewed_once(ims: Ims, session: aiohttp.ClientSession) -> None:
    own = OwnToken(token_client(ims, session, []))
    assert await own.token() == "tok-1"
    assert await own.renew("tok-1") == "tok-2"
    assert await own.renew("tok-1") == "tok-2"
    assert await own.renew("tok-2") == "tok-2"
    assert len(ims.forms) == 2


async def test_the_request_for_a_token_is_shown_without_its_secret(
    ims: Ims, session: aiohttp.ClientSession
) -> None:
    shown: list[str] = []
    await token_client(ims, session, shown).fetch()
    scopes = "openid,AdobeID,read_organizations,additional_info.projectedProductContext,session"
    assert shown == [
        f"curl -X POST {ims.url} \\\n"
        "  --data-urlencode grant_type=client_credentials \\\n"
        "  --data-urlencode client_id=client \\\n"
        '  --data-urlencode client_secret="$CLIENT_SECRET" \\\n'
        f"  --data-urlencode scope={scopes}"
    ]
    assert SECRET not in shown[0]


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("invalid_client", "copy both from Developer Console"),
        ("invalid_scope", "scopes must be those"),
        ("unauthorized_client", "copy both from Developer Console"),
        ("unsupported_grant_type", "address"),
        ("server_on_fire", "IMS answered 400 server_on_fire"),
    ],
)
async def test_what_ims_refuses_says_what_to_do(
    ims: Ims, session: aiohttp.ClientSession, word: str, words: str
) -> None:
    ims.then(400, {"error": word, "error_description": f"about {SECRET}"})
    with pytest.raises(CredentialsRefused, match=words) as caught:
        await token_client(ims, session, []).fetch()
    assert SECRET not in str(caught.value)


def patient(ims: Ims, session: aiohttp.ClientSession, clock: Clock) -> OwnToken:
    """One whose waits take no time but the clock's."""
    client = TokenClient(session, Credential("c", (SECRET,), token_url=ims.url), clock=clock)

    async def sleep(seconds: float) -> None:
        clock.now += seconds

    return OwnToken(client, clock=clock, sleep=sleep)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_trouble_that_passes_is_waited_for(
    ims: Ims, session: aiohttp.ClientSession, status: int
) -> None:
    clock = Clock()
    began = clock.now
    ims.then(status)
    ims.then(status)
    assert await patient(ims, session, clock).token() == "tok-3"
    assert clock.now - began == 3


async def test_after_three_tries_it_says_to_run_it_again(
    ims: Ims, session: aiohttp.ClientSession
) -> None:
    for _ in range(3):
        ims.then(503)
    with pytest.raises(TokenUnavailable) as caught:
        await patient(ims, session, Clock()).token()
    assert str(caught.value) == "IMS answered 503 (asked 3 times); run it again in a minute"
    assert caught.value.retry_in == 0
    assert len(ims.forms) == 3


async def test_a_wait_that_is_too_long_for_a_person_is_said(
    ims: Ims, session: aiohttp.ClientSession
) -> None:
    ims.then(429, **{"Retry-After": "290"})
    with pytest.raises(TokenUnavailable) as caught:
        await patient(ims, session, Clock()).token()
    assert str(caught.value) == "IMS answered 429 (asked once); run it again in 5 minutes"
    assert len(ims.forms) == 1


async def test_what_ims_refuses_is_asked_once(ims: Ims, session: aiohttp.ClientSession) -> None:
    ims.then(400, {"error": "invalid_client"})
    with pytest.raises(CredentialsRefused):
        await patient(ims, session, Clock()).token()
    assert len(ims.forms) == 1
