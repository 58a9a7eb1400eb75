"""IMS tokens against a scripted server (platform.md section 3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from arq.connections import ArqRedis
from structlog.testing import capture_logs

from app.adobe.ims import Credential, TokenClient
from app.adobe.token_keeper import TokenKeeper
from app.core.errors import CredentialsRefused, TokenUnavailable
from app.store.connect import open_store
from app.store.lanes import Lanes
from tests.conftest import RedisServer

SECRET = "p8e-very-secret"


class Clock:
    """Unix seconds that move only when told to."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Ims:
    """Answers as scripted, then with fresh tokens; keeps the forms it got."""

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.script: list[Callable[[], Awaitable[web.StreamResponse]]] = []
        self.life: Any = 86399
        self.url = ""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.content_type == "application/x-www-form-urlencoded"
        self.forms.append({key: str(value) for key, value in (await request.post()).items()})
        if self.script:
            return await self.script.pop(0)()
        return self.fresh()

    def fresh(self) -> web.Response:
        token = {"access_token": f"tok-{len(self.forms)}", "token_type": "bearer"}
        return web.json_response({**token, "expires_in": self.life})

    def then(self, status: int, body: Any = None, **headers: str) -> None:
        async def answer() -> web.Response:
            return web.json_response(body, status=status, headers=headers)

        self.script.append(answer)


@pytest.fixture
async def ims() -> AsyncIterator[Ims]:
    ims = Ims()
    server = TestServer(_application(ims))
    await server.start_server()
    ims.url = str(server.make_url("/ims/token/v3"))
    yield ims
    await server.close()


def _application(ims: Ims) -> web.Application:
    app = web.Application()
    app.router.add_post("/ims/token/v3", ims.handle)
    return app


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(ims: Ims, session: aiohttp.ClientSession, clock: Clock) -> TokenClient:
    return TokenClient(session, credential(ims), clock=clock)


@pytest.fixture
def keeper(client: TokenClient, store: ArqRedis, clock: Clock) -> TokenKeeper:
    return TokenKeeper(client, Lanes(store), clock=clock, chance=lambda: 0.5)


def credential(ims: Ims, *secrets: str) -> Credential:
    return Credential("client-1", secrets or (SECRET,), token_url=ims.url)


class TestClient:
    async def test_a_token_is_asked_for_in_a_form_with_comma_scopes(
        self, ims: Ims, client: TokenClient, clock: Clock
    ) -> None:
        token = await client.fetch()

        assert ims.forms == [
            {
                "grant_type": "client_credentials",
                "client_id": "client-1",
                "client_secret": SECRET,
                "scope": "openid,AdobeID,read_organizations,"
                "additional_info.projectedProductContext,session",
            }
        ]
        assert (token.value, token.expires) == ("tok-1", clock.now + 86399)

    @pytest.mark.parametrize(
        ("life", "seconds"),
        [(86399, 86399), (86399000, 86399), ("86399", 86399), (3600000, 3600), (600.5, 600.5)],
    )
    async def test_milliseconds_are_not_read_as_seconds(
        self, ims: Ims, client: TokenClient, clock: Clock, life: Any, seconds: float
    ) -> None:
        ims.life = life

        assert (await client.fetch()).expires == clock.now + seconds

    @pytest.mark.parametrize("life", [None, 0, -1, True, "soon", [], 1e300])
    async def test_a_life_that_cannot_be_read_is_no_token(
        self, ims: Ims, client: TokenClient, life: Any
    ) -> None:
        ims.life = life

        with pytest.raises(TokenUnavailable):
            await client.fetch()

    @pytest.mark.parametrize(
        "body", [None, [], {}, {"access_token": 7, "expires_in": 9},
                 {"access_token": "a\r\nHost: x", "expires_in": 9}],
    )  # fmt: skip
    async def test_a_200_without_a_usable_token_is_none(
        self, ims: Ims, client: TokenClient, body: Any
    ) -> None:
        ims.then(200, body)

        with pytest.raises(TokenUnavailable):
            await client.fetch()

    @pytest.mark.parametrize("status", [400, 401])
    async def test_the_second_secret_is_tried_and_remembered(
        self, ims: Ims, session: aiohttp.ClientSession, status: int
    ) -> None:
        client = TokenClient(session, credential(ims, "old", "new"))
        ims.then(status, {"error": "invalid_client"})

        await client.fetch()
        await client.fetch()

        assert [form["client_secret"] for form in ims.forms] == ["old", "new", "new"]

    async def test_no_secret_that_is_taken_is_refused(
        self, ims: Ims, session: aiohttp.ClientSession
    ) -> None:
        client = TokenClient(session, credential(ims, "old", "new"))
        for _ in range(2):
            ims.then(400, {"error": "invalid_client", "error_description": "old is wrong"})

        with pytest.raises(CredentialsRefused, match="IMS answered 400 invalid_client") as caught:
            await client.fetch()
        assert "wrong" not in str(caught.value)

    async def test_another_secret_does_not_mend_a_wrong_scope(
        self, ims: Ims, session: aiohttp.ClientSession
    ) -> None:
        ims.then(400, {"error": "invalid_scope"})

        with pytest.raises(CredentialsRefused, match="invalid_scope"):
            await TokenClient(session, credential(ims, "a", "b")).fetch()
        assert len(ims.forms) == 1

    async def test_without_a_secret_nobody_is_asked(
        self, ims: Ims, session: aiohttp.ClientSession
    ) -> None:
        empty = Credential("client-1", (), token_url=ims.url)

        with pytest.raises(CredentialsRefused):
            await TokenClient(session, empty).fetch()
        assert not ims.forms

    @pytest.mark.parametrize("status", [302, 429, 500, 503])
    async def test_trouble_at_ims_passes(self, ims: Ims, client: TokenClient, status: int) -> None:
        ims.then(status, {"error": "x"}, **{"Retry-After": "17"})

        with pytest.raises(TokenUnavailable) as caught:
            await client.fetch()
        assert caught.value.retry_in == 17

    async def test_no_connection_passes_too(self, session: aiohttp.ClientSession) -> None:
        dead = Credential("c", (SECRET,), token_url="http://127.0.0.1:9/token")

        with pytest.raises(TokenUnavailable, match="ClientConnector"):
            await TokenClient(session, dead).fetch()

    async def test_an_endless_answer_is_cut_off(self, ims: Ims, client: TokenClient) -> None:
        ims.then(200, {"access_token": "t" * 100_000, "expires_in": 9})

        with pytest.raises(TokenUnavailable):
            await client.fetch()

    def test_no_secret_and_no_token_is_in_a_repr(self, ims: Ims) -> None:
        assert SECRET not in repr(credential(ims))
        assert credential(ims, "a").fingerprint == credential(ims, "b").fingerprint


class TestKeeper:
    async def test_a_token_is_fetched_once_for_all(self, ims: Ims, keeper: TokenKeeper) -> None:
        found = await asyncio.gather(*(keeper.token() for _ in range(20)))

        assert set(found) == {"tok-1"}
        assert len(ims.forms) == 1

    async def test_processes_share_one_token(
        self, ims: Ims, client: TokenClient, store: ArqRedis, clock: Clock
    ) -> None:
        keepers = [TokenKeeper(client, Lanes(store), clock=clock) for _ in range(4)]

        found = await asyncio.gather(*(keeper.token() for keeper in keepers))

        assert set(found) == {"tok-1"}
        assert len(ims.forms) == 1

    async def test_the_next_token_is_fetched_beside_before_the_end(
        self, ims: Ims, keeper: TokenKeeper, clock: Clock
    ) -> None:
        await keeper.token()
        clock.now += 86399 - 200

        assert await keeper.token() == "tok-1"
        await asyncio.gather(*(t for t in asyncio.all_tasks() if "_obtain" in repr(t)))

        assert await keeper.token() == "tok-2"
        assert len(ims.forms) == 2

    async def test_an_expired_token_is_never_given(
        self, ims: Ims, keeper: TokenKeeper, clock: Clock
    ) -> None:
        await keeper.token()
        clock.now += 86399 - 29  # Adobe's client takes 30 s early for late

        assert await keeper.token() == "tok-2"

    async def test_a_token_of_short_life_can_be_used(
        self, ims: Ims, keeper: TokenKeeper, clock: Clock
    ) -> None:
        ims.life = 20

        await keeper.token()
        clock.now += 10

        assert await keeper.token() == "tok-1"

    async def test_a_refused_token_is_renewed_once_for_all(
        self, ims: Ims, keeper: TokenKeeper, clock: Clock
    ) -> None:
        old = await keeper.token()
        clock.now += 1000

        found = await asyncio.gather(*(keeper.renew(old) for _ in range(5)))

        assert set(found) == {"tok-2"}
        assert len(ims.forms) == 2

    async def test_a_token_refused_when_young_is_not_renewed(
        self, ims: Ims, keeper: TokenKeeper, clock: Clock
    ) -> None:
        old = await keeper.token()
        clock.now += 5

        assert await keeper.renew(old) == old
        assert len(ims.forms) == 1

    async def test_a_refused_token_that_another_process_renewed_is_taken_from_the_shelf(
        self, ims: Ims, client: TokenClient, store: ArqRedis, clock: Clock
    ) -> None:
        first, second = (TokenKeeper(client, Lanes(store), clock=clock) for _ in range(2))
        old = await first.token()
        await second.token()
        clock.now += 1000

        assert await first.renew(old) == await second.renew(old) == "tok-2"
        assert len(ims.forms) == 2

    async def test_trouble_at_ims_is_not_asked_for_again_at_once(
        self, ims: Ims, keeper: TokenKeeper, clock: Clock
    ) -> None:
        ims.then(500)
        with pytest.raises(TokenUnavailable):
            await keeper.token()
        with pytest.raises(TokenUnavailable) as caught:
            await keeper.token()
        assert len(ims.forms) == 1

        clock.now += caught.value.retry_in + 0.1
        assert await keeper.token() == "tok-2"

    async def test_a_refusal_is_remembered_for_a_while(
        self, ims: Ims, keeper: TokenKeeper, clock: Clock
    ) -> None:
        ims.then(401, {"error": "invalid_client"})
        for _ in range(3):
            with pytest.raises(CredentialsRefused, match="invalid_client"):
                await keeper.token()
        assert len(ims.forms) == 1

        clock.now += 120
        assert await keeper.token() == "tok-2"

    async def test_without_redis_tokens_go_on_unshared(
        self, ims: Ims, client: TokenClient, own_redis: RedisServer, clock: Clock
    ) -> None:
        redis = open_store(own_redis.url)
        own_redis.kill()

        assert await TokenKeeper(client, Lanes(redis), clock=clock).token() == "tok-1"
        await redis.aclose(close_connection_pool=True)

    async def test_garbage_on_the_shelf_is_ignored(
        self, ims: Ims, client: TokenClient, keeper: TokenKeeper, store: ArqRedis
    ) -> None:
        for raw in (b"", b"\xff", b"{}", b"[1]", b'["t",null,2]'):
            await Lanes(store).put_token(client.credential.fingerprint, raw, 100)
        assert await keeper.token() == "tok-1"

    async def test_a_caller_that_gives_up_does_not_take_the_token_from_the_others(
        self, ims: Ims, keeper: TokenKeeper
    ) -> None:
        asked, go = asyncio.Event(), asyncio.Event()

        async def slow() -> web.Response:
            asked.set()
            await go.wait()
            return ims.fresh()

        ims.script.append(slow)
        one, two = (asyncio.create_task(keeper.token()) for _ in range(2))
        await asked.wait()
        one.cancel()
        go.set()

        assert await two == "tok-1"

    async def test_neither_secret_nor_token_is_logged(self, ims: Ims, keeper: TokenKeeper) -> None:
        with capture_logs() as logs:
            ims.then(401, {"error": SECRET, "error_description": SECRET})
            with pytest.raises(CredentialsRefused) as caught:
                await keeper.token()

        assert SECRET not in f"{logs}{caught.value}"
        assert [entry["event"] for entry in logs] == ["ims.token_failed"]

    async def test_closing_stops_a_fetch_that_goes_on(self, ims: Ims, keeper: TokenKeeper) -> None:
        asked = asyncio.Event()

        async def hang() -> web.Response:
            asked.set()
            await asyncio.sleep(3600)
            return ims.fresh()

        ims.script.append(hang)
        waiting = asyncio.create_task(keeper.token())
        await asked.wait()

        await keeper.close()

        with pytest.raises(asyncio.CancelledError):
            await waiting
