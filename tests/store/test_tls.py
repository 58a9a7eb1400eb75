"""Redis over TLS with an ACL user: what must fit, and what is said when it does not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from app.core.errors import ConfigError, StoreUnavailable
from app.core.redis_address import RedisAddress
from app.store.batches import Batches
from app.store.connect import Store, open_store, open_swift_store, require_safe
from app.store.permissions import lacking, questions
from tests.tls_server import PASSWORD, TlsServer


@pytest.fixture(scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    found = TlsServer(tmp_path_factory.mktemp("tls"))
    found.server.start()
    yield found
    found.server.kill()


@pytest.fixture
async def server(_server: TlsServer) -> AsyncIterator[TlsServer]:
    _server.server.flush()
    yield _server
    await _server.show(*(_server.authority.folder / f"redis.{end}" for end in ("pem", "key")))
    await _server.tell("CONFIG", "SET", "tls-auth-clients", "optional")
    await _server.tell("ACL", "LOAD")


@asynccontextmanager
async def opened(address: RedisAddress) -> AsyncIterator[Store]:
    store = open_store(address, timeout_seconds=5)
    try:
        yield store
    finally:
        await store.aclose(close_connection_pool=True)


async def refusals(address: RedisAddress) -> list[StoreUnavailable]:
    """What each kind of client is told."""
    told = []
    for store in (open_store(address, timeout_seconds=5), open_swift_store(address)):
        with pytest.raises(StoreUnavailable) as caught:
            await Batches(store).commit("example", b"frame", 1)
        await store.aclose(close_connection_pool=True)
        told.append(caught.value)
    assert PASSWORD not in str(told)
    return told


async def refusal(address: RedisAddress) -> StoreUnavailable:
    """What both are told."""
    patient, swift = await refusals(address)
    assert patient.reason == swift.reason
    return patient


async def test_the_shipped_rule_is_enough_for_all_that_sluice_and_arq_do(server: TlsServer) -> None:
    async with opened(server.address) as store:
        await require_safe(store)
        batches = Batches(store, "me")
        name = await batches.commit("example", b"frame", 1)
        await batches.ring_all([name])
        [taken], _ = await batches.take([name])
        assert taken.frame == b"frame"
        await batches.release(name, counts=False)


async def test_the_shipped_rule_gives_no_other_keys_and_no_power_over_the_server(
    server: TlsServer,
) -> None:
    for words in (
        ("GET", "others"), ("FLUSHALL",), ("CONFIG", "SET", "save", ""), ("ACL", "LIST"),
        ("KEYS", "*"), ("SHUTDOWN",), ("SUBSCRIBE", "any"), ("SCRIPT", "FLUSH"),
    ):  # fmt: skip
        async with opened(server.address) as store:
            with pytest.raises(Exception, match=r"permissions|NOPERM"):
                await store.execute_command(*words)  # type: ignore[no-untyped-call]


async def test_a_client_certificate_is_shown_when_redis_wants_one(server: TlsServer) -> None:
    await server.tell("CONFIG", "SET", "tls-auth-clients", "yes")
    pem, key = server.authority.issue("sluice")

    # TLS 1.3: the server says no only after the handshake, perhaps by hanging up.
    assert {each.reason for each in await refusals(server.address)} <= {"tls", "away"}
    async with opened(replace(server.address, cert_file=str(pem), key_file=str(key))) as store:
        await Batches(store).ping()


async def test_a_certificate_of_a_stranger_is_not_trusted(server: TlsServer) -> None:
    told = await refusal(replace(server.address, ca_file=str(server.stranger.pem)))
    assert told.reason == "tls"
    assert "SLUICE_REDIS_CA_FILE" in str(told)


async def test_without_a_ca_file_only_those_that_the_machine_trusts_are(server: TlsServer) -> None:
    assert (await refusal(replace(server.address, ca_file=None))).reason == "tls"


async def test_a_certificate_for_another_name_is_refused(server: TlsServer) -> None:
    await server.show(*server.authority.issue("elsewhere", "DNS:redis.example.com"))
    told = await refusal(server.address)
    assert told.reason == "tls"
    assert "localhost" in str(told)


async def test_an_expired_certificate_is_refused(server: TlsServer) -> None:
    await server.show(*server.authority.issue("expired", expired=True))
    told = await refusal(server.address)
    assert told.reason == "tls"
    assert "expired" in str(told)


async def test_a_wrong_password_is_told_with_the_setting_and_without_the_password(
    server: TlsServer,
) -> None:
    told = await refusal(replace(server.address, password="wrong battery"))
    assert told.reason == "password"
    assert "SLUICE_REDIS_PASSWORD_FILE" in str(told)
    assert "battery" not in str(told)


async def test_no_tls_on_a_tls_port_is_no_more_than_away(server: TlsServer) -> None:
    address = RedisAddress(f"redis://localhost:{server.port}/0", PASSWORD)
    assert (await refusal(address)).reason == "away"


async def test_a_user_who_lacks_a_command_or_a_key_is_told_which(server: TlsServer) -> None:
    await server.tell("ACL", "SETUSER", "sluice", "-zadd", "resetkeys", "~sluice:*")

    async with opened(server.address) as store:
        with pytest.raises(ConfigError, match="redis-acl") as caught:
            await require_safe(store)
    assert "zadd sluice:" in str(caught.value)
    assert "get arq:" in str(caught.value)
    assert "get sluice:" not in str(caught.value)
    told = await refusal(server.address)
    assert told.reason == "permission"


async def test_a_right_that_is_taken_away_later_is_waited_for(server: TlsServer) -> None:
    async with opened(server.address) as store:
        batches = Batches(store, "me")
        name = await batches.commit("example", b"frame", 1)
        await server.tell("ACL", "SETUSER", "sluice", "-evalsha", "-eval")
        for ask in (batches.sweep, lambda: batches.take([name])):
            with pytest.raises(StoreUnavailable, match="permission"):
                await ask()
        await server.tell("ACL", "LOAD")
        assert (await batches.take([name]))[0][0].frame == b"frame"


async def test_every_question_is_one_that_the_server_understands(server: TlsServer) -> None:
    """A slip in the list would be taken for a missing right, or overlooked."""
    await server.tell("ACL", "SETUSER", "sluice", "-@all", "+eval", "+evalsha")
    async with opened(server.address) as store:
        assert sorted(await lacking(store)) == sorted(questions())
