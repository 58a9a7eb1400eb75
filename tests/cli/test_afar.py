"""`sluice` through a console elsewhere: the same words, the same answers, under another's name."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from typer.testing import CliRunner

from app.cli import cli
from app.core.errors import ConfigError, SluiceError
from app.sandbox.traffic import generate
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from app.store.lanes import Lanes
from app.store.recipes import Recipes
from app.store.replay_runs import ReplayRuns
from app.store.users import Role
from app.web.console.config import Console
from app.web.console.server import make_app
from tests.certificates import Authority
from tests.dead import bury, letter_of
from tests.web.console.conftest import PASSWORD, ROOT, parts
from tests.web.console.furnish import DEAD, DELIVERED, WAITING, furnish

RECIPE = """\
about: those that came as numbers
selection: {connection: example, class: schema}
steps:
  - {set: /data/mended, value: 1}
"""


@dataclass
class Answered:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Sluice:
    """Runs commands beside Redis, or through a console."""

    console: Console
    redis_url: str
    url: str
    tokens: dict[Role, str]

    async def here(self, *words: object, body: str = "") -> Answered:
        return await self._run({}, words, body)

    async def afar(self, *words: object, body: str = "", role: Role = Role.OPERATOR) -> Answered:
        # A Redis that nobody has: whatever asks it says so.
        given = {"SLUICE_CONSOLE_URL": self.url, "SLUICE_API_TOKEN": self.tokens[role]}
        return await self._run({"SLUICE_REDIS_URL": "unix:///nobody.sock", **given}, words, body)

    async def _run(self, environ: dict[str, str], words: tuple[object, ...], body: str) -> Answered:
        clean: dict[str, str | None] = {n: None for n in os.environ if n.startswith("SLUICE_")}
        clean |= {"SLUICE_REDIS_URL": self.redis_url, "SLUICE_CONFIG_DIR": str(ROOT / "config")}
        return await asyncio.to_thread(run, {**clean, **environ}, words, body)

    async def trail(self) -> list[tuple[str, str]]:
        entries, _ = await self.console.audit.page()
        return [(entry.who, entry.what) for entry in entries]


def run(environ: dict[str, str | None], words: tuple[object, ...], body: str) -> Answered:
    result = CliRunner().invoke(cli, [*map(str, words)], input=body, env=environ)
    code, err = result.exit_code, result.stderr
    if isinstance(result.exception, SluiceError):  # as app/__main__.py does
        code = 2 if isinstance(result.exception, ConfigError) else 1
        err += str(result.exception)
    elif result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answered(code, result.stdout, err)


@pytest.fixture
async def sluice(store: Store, redis_url: str, tmp_path: Path) -> AsyncIterator[Sluice]:
    """A console with something to show, and an operator's and a viewer's token for it."""
    console, tokens = parts(store), {}
    for role in (Role.OPERATOR, Role.VIEWER):
        await console.users.add(role.value, role, PASSWORD)
        user = await console.users.get(role.value)
        assert user
        tokens[role] = await console.tokens.make(user, 1, "laptop")
    async with TestServer(make_app(console)) as server:
        url = f"http://127.0.0.1:{server.port}"
        yield Sluice(console, redis_url, url, tokens)


async def fill(redis: Store) -> None:
    """Letters of three causes, one of them of bytes that are no text, hostile ones; a recipe."""
    await furnish(redis)
    bodies = [b"\xff\xfe no text", *generate(1, 60, body_bytes=300)]
    await bury(redis, [letter_of(body, at, causes=3) for at, body in enumerate(bodies)])
    await Recipes(redis).save("numbers", RECIPE, "ada")


READING = (
    "dead-letters groups", "dead-letters groups --class schema --sort live --limit 1",
    "dead-letters list --limit 20", "dead-letters list --class schema --newer 9999d --kind x",
    "dead-letters list --person 4711", "dead-letters list --mapping customerio-default@3",
    "dead-letters search link", "dead-letters search --body recipient --limit 5",
    "dead-letters show 1", "dead-letters show 2", "dead-letters show 999",
    "dead-letters replay --all --dry-run --sample 500", "replays list", "replays show 1",
    "replays show 9", "recipes list", "recipes show numbers", "recipes show nobody",
    "recipes dry-run numbers --sample 100", "ledger", "ledger --hours --connection example",
    "ledger --check", f"trace {DELIVERED}", f"trace {DEAD} --connection example",
    f"trace {WAITING}", "trace nothing/known?of=it",
)  # fmt: skip


async def test_reading_commands_answer_the_same_from_afar(store: Store, sluice: Sluice) -> None:
    await fill(store)
    audits = [await way("audit", "--json") for way in (sluice.here, sluice.afar)]
    assert audits[0] == audits[1] and len(audits[0].json) > 2
    for line in READING:
        for form in ([], ["--json"]):
            here = await sluice.here(*line.split(), *form)
            afar = await sluice.afar(*line.split(), *form)
            assert (afar.code, afar.out) == (here.code, here.out), line
            assert afar.err == here.err, line
            assert here.code in (0, 1)
    lanes = [(await way("lanes", "--json")).json for way in (sluice.here, sluice.afar)]
    for each in (*lanes[0], *lanes[1]):
        each["since"] = "the clock goes on"
    assert lanes[0] == lanes[1]


async def test_a_resumed_lane_may_still_wait_for_its_dataflow(store: Store, sluice: Sluice) -> None:
    await fill(store)
    lanes = Lanes(store)
    name = (await sluice.here("lanes", "--json")).json[0]["connection"]
    await lanes.hold(name, "connect:the dataflow is disabled", None)
    for way in (sluice.here, sluice.afar):
        await lanes.pause(name, "operator:stock-taking", 60, by_operator=True)
        answered = await way("lanes", "resume", name)
        assert answered.code == 0, answered.err
        said = f"{name} is still held back: connect:the dataflow is disabled\n"
        assert answered.out == said


async def test_looking_at_bodies_and_for_people_from_afar_is_written_down(
    store: Store, sluice: Sluice
) -> None:
    await fill(store)
    before = len(await sluice.trail())
    await sluice.afar("dead-letters", "show", 1)
    await sluice.afar("dead-letters", "list", "--person", 4711)
    await sluice.afar("dead-letters", "search", "--body", "secret")
    await sluice.afar("dead-letters", "export")
    acts = (await sluice.trail())[:-before]
    assert {who for who, _ in acts} == {"operator/laptop"}
    assert {what for _, what in acts} == {
        "dead-letters.open", "dead-letters.person", "dead-letters.search", "dead-letters.exported",
    }  # fmt: skip


async def test_a_viewer_s_token_reads_what_is_nobody_s(store: Store, sluice: Sluice) -> None:
    await fill(store)
    role = Role.VIEWER
    assert (await sluice.afar("dead-letters", "list", role=role)).code == 0
    for line in (
        "dead-letters show 1", "dead-letters list --person 1", "dead-letters search x",
        "dead-letters export", "dead-letters discard 1 --yes", "dead-letters replay 1 --yes",
        "replays cancel 1", "recipes delete numbers", "lanes resume example", "audit",
    ):  # fmt: skip
        answered = await sluice.afar(*line.split(), role=role)
        assert answered.code == 1, (line, answered)
        assert "role operator" in answered.err, line
    assert await DeadLetters(store).count("example") == 62


async def test_acts_from_afar_are_those_of_user_and_token(store: Store, sluice: Sluice) -> None:
    await fill(store)
    mark = (await sluice.afar("dead-letters", "groups", "--json")).json[0]["fingerprint"]
    before = len(await sluice.trail())
    for line in (
        f"dead-letters note {mark[:6]} seen", f"dead-letters resolve {mark[:6]} --known",
        "dead-letters edit 3 --set /data/a=1", "dead-letters discard 4 5 --yes --reason gone",
        "dead-letters replay 6 --yes", "lanes resume example", "recipes delete numbers",
        "replays cancel 1 --reason enough",
    ):  # fmt: skip
        answered = await sluice.afar(*line.split())
        assert answered.code == 0, (line, answered)
    [group] = (await sluice.here("dead-letters", "groups", "--json", "--text", mark)).json
    assert (group["note"], group["note_by"], group["state"]) == ("seen", "operator/laptop", "known")
    [letter] = await DeadLetters(store).look([3])
    assert letter.edit and letter.edit.who == "operator/laptop"
    assert (await sluice.afar("dead-letters", "edit", 3, "--undo")).code == 0
    assert [x.number for x in await DeadLetters(store).summaries([3, 4, 5, 6, 7])] == [3, 7]
    run = await ReplayRuns(store).get(1)
    assert run and run.reason == "cancelled by operator/laptop: enough"
    acts = (await sluice.trail())[:-before]
    assert {who for who, _ in acts} == {"operator/laptop"}
    assert [what for _, what in reversed(acts)] == [
        "dead-letters.note", "dead-letters.known", "dead-letters.open", "dead-letters.edit",
        "dead-letters.discard", "dead-letters.replay", "lanes.resume", "recipes.delete",
        "replays.cancelled", "dead-letters.open", "dead-letters.edit-undone",
    ]  # fmt: skip


async def test_a_bulk_replay_is_frozen_shown_and_started_from_afar(
    store: Store, sluice: Sluice
) -> None:
    await fill(store)
    refused = await sluice.afar("dead-letters", "replay", "--class", "schema", body="n\n")
    assert refused.code == 1 and "replay 41 dead letter(s)?" in refused.out
    run = await ReplayRuns(store).get(2)
    assert run and run.state == "cancelled" and "the answer was no" in run.reason

    started = await sluice.afar("recipes", "run", "numbers", "--yes", "--detach", "--json")
    assert started.code == 0
    assert (started.json["state"], started.json["recipe"]) == ("running", "numbers@1")
    assert (started.json["frozen"], started.json["by"]) == (41, "operator/laptop")
    paused = await sluice.afar("replays", "pause", 3, "--json")
    assert (paused.code, paused.json["changed"], paused.json["state"]) == (0, True, "paused")
    again = await sluice.afar("replays", "pause", 3)
    assert again.code == 1 and "cannot be paused" in again.err
    assert (await sluice.afar("replays", "resume", 3, "--rate", 7, "--json")).json["rate"] == 7
    nothing = await sluice.afar("dead-letters", "replay", "--kind", "none", "--yes")
    assert nothing.code == 0 and "no dead letters match" in nothing.err


async def test_letters_go_out_and_come_in_from_afar(
    store: Store, sluice: Sluice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.operations import letters as operations

    # Several pages of an export, one of which has none of what is wanted.
    monkeypatch.setattr(operations, "_READ", 10)
    monkeypatch.setattr(operations, "EXPORT_LETTERS", 20)
    await fill(store)
    files = [tmp_path / "here", tmp_path / "afar"]
    for way, file in zip((sluice.here, sluice.afar), files, strict=True):
        done = await way("dead-letters", "export", "--connection", "example", "--output", file)
        assert (done.code, done.err) == (0, "exported 62\n")
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[1].stat().st_mode & 0o777 == 0o600

    letters = DeadLetters(store)
    gone = [letter async for letter in letters.find(Filter())]
    await letters.discard(gone)
    with files[1].open("ab") as file:
        file.write(b"no line of ours\n")
    taken = await sluice.afar("dead-letters", "import", files[1], "--json")
    assert taken.code == 1 and "line 63: the line is not JSON" in taken.err
    assert taken.json["refused"] == 1 and taken.json["imported"] > 55
    again = await sluice.afar("dead-letters", "import", files[1], "--json")
    # Those without an event id cannot be told from others.
    assert again.json["already_there"] >= taken.json["imported"] - 2


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
