"""Faults, and what undoes them."""

from __future__ import annotations

import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, NamedTuple

import yaml

from app.adobe.flow_service import FlowService
from app.adobe.schema_registry import SchemaRegistry
from app.cli.doctor.finding import Level
from app.cli.doctor.ground import configured
from app.connect.lane import Lane
from app.core.batch import encode_received
from app.customerio.events import ALL
from app.sandbox.defaults import SIGNING_KEY
from app.store.batches import Batches
from app.store.dead_letters import DeadLetters
from app.store.lake import Lake
from app.store.lanes import Lanes
from app.store.signatures import Seen, SignatureNotes
from app.store.users import Role, Users
from tests.cli.doctor.whole import Whole
from tests.dead import letter_of

TENANT = "sluicesandbox"
# In the file of the schema, and as a descriptor has it.
CUSTOMERIO = ("properties", "_{TENANT}", "properties", "customerio", "properties")
ID_FIELD = "/_{TENANT}/customerio/id"
BODY = b'{"event_id": "01K0000000000000000000000A", "object_type": "email", "metric": "sent"}'


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
    "a lane that waits for its dataflow": Planted(
        lambda w: Lane(w.redis, "acme").hold(300, "the dataflow is new"),
        ACME, "lane", W, "the dataflow is new", "it opens by itself",
        lambda w: Lane(w.redis, "acme").open(),
    ),
    "a lane whose dataflow is off": Planted(
        lambda w: Lane(w.redis, "acme").hold(None, "the dataflow is disabled"),
        ACME, "lane", W, "the dataflow is disabled", "sluice connection enable acme",
        lambda w: Lane(w.redis, "acme").open(),
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
