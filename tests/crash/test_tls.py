"""The whole system over TLS, as the ACL user that the project ships, and what happens when its
password or certificate goes wrong while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.sandbox.traffic import generate
from tests.crash.conftest import HARMLESS, Load, nothing_is_lost
from tests.e2e.system import System
from tests.tls_server import PASSWORD, TlsServer

pytestmark = [pytest.mark.crash, pytest.mark.timeout(120)]


@asynccontextmanager
async def secured(folder: Path) -> AsyncIterator[tuple[System, TlsServer]]:
    tls = TlsServer(folder)
    (folder / "password").write_text(f"{PASSWORD}\n")
    environ = {
        "SLUICE_REDIS_URL": tls.address.url,
        "SLUICE_REDIS_PASSWORD_FILE": str(folder / "password"),
        "SLUICE_REDIS_CA_FILE": str(tls.authority.pem),
    }
    system = System(folder, environ=environ)
    system.redis = tls.server
    try:
        await system.start()
        yield system, tls
    finally:
        await system.stop()


async def test_all_goes_over_tls_and_needs_no_right_beyond_the_shipped_rule(tmp_path: Path) -> None:
    async with secured(tmp_path) as (system, tls):
        load = Load(system, seed=41, count=2_000)
        sent = await load.finished()
        await nothing_is_lost(system, sent, most_repeats=0)
        # The other connections go to inlets that the sandbox has no dataflow of.
        doctor = ("doctor", "--connection", "example")
        for words in (doctor, ("lanes",), ("dead-letters", "list"), ("ledger", "--check")):
            done = await system.sluice(*words, "--json")
            assert done.code == 0, (words, done)
        # What was refused to anybody since the start.
        assert await tls.tell("ACL", "LOG") == []


async def test_a_password_that_changes_is_waited_for_and_nothing_is_lost(tmp_path: Path) -> None:
    async with secured(tmp_path) as (system, tls):
        worker, extra = system.workers[0], generate(43, 1)
        load = Load(system, seed=42, count=1_000)
        await load.reached(300)

        # Those that are connected stay: only who comes anew is asked.
        await tls.tell("ACL", "SETUSER", "sluice", "resetpass", ">another")
        await tls.tell("CLIENT", "KILL", "USER", "sluice")
        said = await worker.logged("store.unavailable")
        status, retry_after = await system.post(next(extra))
        doctor = await system.sluice("doctor")
        listed = await system.sluice("dead-letters", "list")
        await tls.tell("ACL", "LOAD")
        sent = await load.finished()

        assert (said["reason"], status, int(retry_after) > 0) == ("password", 503, True)
        assert (doctor.code, listed.code) == (1, 1)
        for answer in (doctor.out, listed.err):
            assert "SLUICE_REDIS_PASSWORD_FILE" in answer
            assert PASSWORD not in answer
        assert set(sent.answers) <= HARMLESS
        await nothing_is_lost(system, sent, most_repeats=1_000)
        assert len(worker.lines("worker.started")) == 1


async def test_with_a_wrong_certificate_at_the_start_all_wait_and_say_so_once(
    tmp_path: Path,
) -> None:
    tls = TlsServer(tmp_path)
    system = System(
        tmp_path,
        environ={
            "SLUICE_REDIS_URL": tls.address.url,
            "SLUICE_REDIS_PASSWORD": PASSWORD,
            "SLUICE_REDIS_CA_FILE": str(tls.authority.pem),
        },
    )
    system.redis = tls.server
    tls.server.start()
    await tls.show(*tls.stranger.issue("stranger"))
    body = next(generate(44, 1))
    try:
        system.sandbox.start()
        system.receiver.start()
        system.workers[0].start()
        await system.receiver.logged("receiver.ready")
        said = await system.workers[0].logged("store.unavailable")
        shed = await system.receiver.logged("shedding.started")
        assert (said["reason"], shed["reason"]) == ("tls", "tls")
        assert "SLUICE_REDIS_CA_FILE" in said["detail"]
        assert (await system.post(body))[0] == 503

        await tls.show(*(tls.authority.folder / f"redis.{end}" for end in ("pem", "key")))
        await system.workers[0].logged("worker.started")
        await system.receiver.logged("shedding.ended")
        assert (await system.post(body))[0] == 200
        assert (await system.settled()).delivered == 1
        assert len(system.workers[0].lines("store.unavailable")) == 1
    finally:
        await system.stop()


async def test_a_missing_right_at_the_start_ends_both_with_code_2(tmp_path: Path) -> None:
    async with secured(tmp_path) as (system, tls):
        await tls.tell("ACL", "SETUSER", "sluice", "-zadd")
        for words in (("-m", "worker"), ("-m", "app", "serve-receiver", "--port", "0")):
            process = system.process("late", *words)
            process.start()
            assert await process.ended() == 2
            assert "zadd sluice:" in process.log
            assert "redis-acl.conf" in process.log
