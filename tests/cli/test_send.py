"""`sluice send` as a command: options, key, exit codes, summary."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import typer
from aiohttp import web
from aiohttp.test_utils import TestServer
from typer.testing import CliRunner

from app.cli.send import exact_shots, key_name, resolve_key, send
from app.core.signature import matching_key
from app.sandbox.traffic import ShotKind, every_kind, send_test_body

KEY = "a-signing-key"


@dataclass
class Answered:
    code: int
    text: str
    error: str

    @property
    def summary(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = json.loads(self.text)
        return found


@dataclass
class Receiver:
    url: str = ""
    status: int = 200
    bodies: list[bytes] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        stamp, signature = (request.headers[f"X-CIO-{n}"] for n in ("Timestamp", "Signature"))
        if matching_key([KEY.encode()], stamp, signature, body) is None:
            return web.Response(status=401)
        self.bodies.append(body)
        return web.Response(status=self.status)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.add_routes([web.post("/webhooks/example", found.receive)])
    async with TestServer(app) as server:
        found.url = str(server.make_url("/webhooks/example"))
        yield found


Command = Callable[..., Awaitable[Answered]]


@pytest.fixture
def command(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("EXAMPLE_SIGNING_KEY", KEY)
    app = typer.Typer()
    app.command()(send)

    async def run(*options: str) -> Answered:
        arguments = ["--url", receiver.url, *options]
        # The command has an event loop of its own, and ours serves it meanwhile.
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments)
        return Answered(result.exit_code, result.stdout, result.stderr)

    return run


async def test_the_summary_counts_what_the_ledger_must_say(
    command: Command, receiver: Receiver
) -> None:
    answered = await command(
        *("--count", "200", "--duplicates", "0.1", "--garbage", "0.05"),
        *("--bad-signatures", "0.05", "--seed", "3", "--json"),
    )

    ledger = answered.summary["ledger"]
    assert answered.code == 0
    assert ledger["received"] == len(receiver.bodies) == sum(ledger.values()) - ledger["received"]
    assert ledger["delivered"] + ledger["dead"] == len(set(receiver.bodies))


async def test_the_table_is_for_people(command: Command) -> None:
    answered = await command("--count", "3")
    assert answered.code == 0
    assert "3 webhooks in" in answered.text
    assert "never acknowledged" in answered.text


async def test_exit_1_when_something_was_never_acknowledged(
    command: Command, receiver: Receiver
) -> None:
    receiver.status = 413
    answered = await command("--count", "2", "--json")
    assert answered.code == 1
    assert answered.summary["refused"] == {"413": 2}


@pytest.mark.parametrize(
    "options",
    [
        ("--duplicates", "0.6", "--garbage", "0.6"),
        ("--test", "--duplicates", "0.1"),
        ("--duplicates", "2"),
        ("--key-env", "NOT_SET_ANYWHERE"),
        ("--key-file", "no-such-file"),
        ("--count", "0"),
    ],
)
async def test_wrong_use_is_exit_2(
    command: Command, receiver: Receiver, options: tuple[str, ...]
) -> None:
    answered = await command(*options)
    assert answered.code == 2
    assert answered.error
    assert not receiver.bodies


async def test_the_send_test_body_is_sent_once(command: Command, receiver: Receiver) -> None:
    answered = await command("--test", "--json")
    assert answered.summary["ledger"]["tests"] == 1
    assert b"01E2EMRMM6TZ12TF9WGZN0WJQT" in receiver.bodies[0]


async def test_exact_bodies_are_sent_byte_for_byte(
    command: Command, receiver: Receiver, tmp_path: Path
) -> None:
    odd = tmp_path / "odd.json"
    odd.write_bytes(b'{ "event_id" : "x" }\n')
    good = tmp_path / "good.json"
    good.write_bytes(every_kind(1)[0])

    answered = await command("--body", str(odd), "--body", str(good), "--serial", "--json")

    assert receiver.bodies == [odd.read_bytes(), good.read_bytes()]
    assert answered.summary["ledger"]["dead"] == 1
    assert answered.summary["ledger"]["delivered"] == 1


async def test_the_seed_decides_the_bytes(command: Command, receiver: Receiver) -> None:
    for _ in range(2):
        await command("--count", "5", "--seed", "9", "--serial")
    await command("--count", "5", "--serial")

    assert receiver.bodies[:5] == receiver.bodies[5:10]
    assert not set(receiver.bodies[:5]) & set(receiver.bodies[10:])


def test_the_key_comes_from_a_file_or_a_variable(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("from-file\n")

    assert resolve_key(path, "NAME", {"NAME": "x"}) == b"from-file"
    assert resolve_key(None, "NAME", {"NAME": "from-variable\n"}) == b"from-variable"
    assert resolve_key(None, "NAME", {"NAME_FILE": str(path)}) == b"from-file"
    with pytest.raises(typer.BadParameter, match="NAME"):
        resolve_key(None, "NAME", {})


def test_an_empty_or_unreadable_key_file_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name in ("empty", "absent"):
        with pytest.raises(typer.BadParameter):
            resolve_key(tmp_path / name, "NAME", {})


def test_the_keys_variable_is_named_after_the_connection() -> None:
    assert key_name("http://127.0.0.1:8080/webhooks/example") == "EXAMPLE_SIGNING_KEY"
    assert key_name("http://x/webhooks/my-shop/?a=b") == "MY_SHOP_SIGNING_KEY"
    assert key_name("http://x/") == "EXAMPLE_SIGNING_KEY"


def test_exact_bodies_are_told_apart() -> None:
    event = every_kind(1)[0]
    bodies = [event, b"garbage", send_test_body(1)]

    made = list(exact_shots(bodies, 4))

    kinds = [ShotKind.EVENT, ShotKind.GARBAGE, ShotKind.TEST, ShotKind.DUPLICATE]
    assert [shot.kind for shot in made] == kinds
    assert made[3].number == made[0].number
