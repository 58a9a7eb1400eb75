"""Which console is asked, and what is said when it is none, says no, or is away."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from app.store.connect import Store
from app.store.users import Role
from app.web.console.server import make_app
from tests.certificates import Authority
from tests.cli.afar.both_ways import Answered, Sluice, run
from tests.web.console.conftest import PASSWORD, ROOT, parts


async def test_what_works_beside_redis_only_says_so(sluice: Sluice) -> None:
    lines = ("users list", "dead-letters fsck", "up", "work", "serve-receiver", "doctor")
    for line in (*lines, "connection plan acme", "connect --sandbox"):
        answered = await sluice.afar(*line.split())
        assert answered.code == 2, (line, answered)
        assert "works beside its Redis only" in answered.err, line
    assert (await sluice.afar("mappings", "list")).code == 0, "it asks files alone"


async def test_the_address_may_be_given_with_the_command(sluice: Sluice) -> None:
    given: dict[str, str | None] = {"SLUICE_API_TOKEN": sluice.tokens[Role.VIEWER]}
    given |= {"SLUICE_REDIS_URL": "unix:///nobody.sock", "SLUICE_CONSOLE_URL": None}
    words = ("--console", sluice.url, "dead-letters", "list", "--json")
    assert (await asyncio.to_thread(run, given, words, "")).out == "[]\n"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"SLUICE_CONSOLE_URL": None}, "SLUICE_CONSOLE_URL: missing"),
        ({"SLUICE_CONSOLE_URL": "http://sluice.example.com"}, "use https://"),
        ({"SLUICE_CONSOLE_URL": "http://127.0.0.1.example.com"}, "use https://"),
        ({"SLUICE_API_TOKEN": "another secret\r\nX: y"}, "no token of `sluice users token add`"),
    ],
)
def test_an_address_or_token_that_will_not_do_is_wrong_use(
    given: dict[str, str | None], why: str
) -> None:
    base = {"SLUICE_CONSOLE_URL": "https://sluice.example.com"}
    base |= {"SLUICE_API_TOKEN": "sluice_" + "a" * 43, "SLUICE_REDIS_URL": "unix:///nobody.sock"}
    answered = run({**base, **given}, ("lanes",), "")
    assert answered.code == 2 and why in answered.err
    for secret in (base["SLUICE_API_TOKEN"], "another secret"):
        assert secret not in answered.err + answered.out


Handler = Callable[[web.Request], Any]


async def asked_of(handler: Handler, *words: str) -> tuple[Answered, str]:
    """What a command says when something else answers; and the token that it had."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    token = "sluice_" + "b" * 43
    async with TestServer(app) as server:
        environ: dict[str, str | None] = {
            "SLUICE_CONSOLE_URL": f"http://localhost:{server.port}", "SLUICE_API_TOKEN": token,
        }  # fmt: skip
        return await asyncio.to_thread(run, environ, words, ""), token


async def test_a_redirect_is_not_followed() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.path)
        raise web.HTTPFound("/elsewhere")

    answered, token = await asked_of(answer, "lanes")
    assert answered.code == 2 and "name that one itself" in answered.err
    assert seen == ["/api/v1/lanes"]
    assert token not in answered.err


@pytest.mark.parametrize(
    ("status", "body", "code", "why"),
    [
        (401, b'{"error": "Send a token\\u001b[2J"}', 2, "the console says: Send a token?[2J"),
        (429, b'{"error": "Try again in 15 min."}', 1, "Try again in 15 min."),
        (503, b'{"error": "Redis is away."}', 1, "the console says: Redis is away."),
        (500, b"<html>", 1, "the console says: 500"),
        (200, b"<html>", 1, "is no console"),
        (404, b'{"error": "There is no such page."}', 1, "of an older release"),
    ],
)
async def test_what_a_console_says_no_with_is_said(
    status: int, body: bytes, code: int, why: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    answered, token = await asked_of(answer, "lanes")
    assert (answered.code, why in answered.err) == (code, True), answered.err
    assert token not in answered.err + answered.out


async def test_a_console_that_is_away_or_breaks_off_is_said(sluice: Sluice) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport
        request.transport.close()
        return response

    answered, _ = await asked_of(answer, "dead-letters", "replay", "7", "--yes")
    assert answered.code == 1 and "cannot be asked" in answered.err
    sluice.url = "http://127.0.0.1:9"
    away = await sluice.afar("lanes")
    assert away.code == 1 and "cannot be asked: ClientConnectorError" in away.err


async def test_a_certificate_is_checked(store: Store, redis_url: str, tmp_path: Path) -> None:
    """In processes of their own: OpenSSL reads SSL_CERT_FILE at their start."""
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.issue("console")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    console = parts(store)
    await console.users.add("ada", Role.VIEWER, PASSWORD)
    user = await console.users.get("ada")
    assert user
    token = await console.tokens.make(user, 1, "laptop")
    server = TestServer(make_app(console), scheme="https")
    await server.start_server(ssl=context)
    try:
        clean = {n: v for n, v in os.environ.items() if not n.startswith("SLUICE_")}
        clean |= {"SLUICE_CONSOLE_URL": f"https://localhost:{server.port}"}

        async def ask(**more: str) -> tuple[int | None, str]:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "app", "lanes", "--json", cwd=ROOT,
                env={**clean, "SLUICE_API_TOKEN": token, **more},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            said, _ = await process.communicate()
            return process.returncode, said.decode()

        strange, trusted = await asyncio.gather(ask(), ask(SSL_CERT_FILE=str(authority.pem)))
    finally:
        await server.close()
    assert strange[0] == 1 and "its certificate is not one that this machine trusts" in strange[1]
    assert token not in strange[1]
    assert trusted[0] == 0 and '"connection": "example"' in trusted[1]
