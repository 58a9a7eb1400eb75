"""The clients against the sandbox, which was written from the same reference by somebody else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest

from app.adobe.catalog import Catalog
from app.adobe.data_prep import DataPrep
from app.adobe.flow_service import (
    FlowService,
    MappingRef,
    description_change,
    mapping_change,
    name_change,
    specs,
)
from app.adobe.ims import Credential, TokenClient
from app.adobe.namespaces import Namespaces
from app.adobe.own_token import OwnToken
from app.adobe.platform_client import Account, PlatformClient
from app.adobe.schema_registry import EXPERIENCE_EVENT, Resource, SchemaRegistry
from app.core.errors import (
    ApiFault,
    CustomerIoRefused,
    CustomerIoUnavailable,
    PlatformFault,
    PlatformInUse,
    PlatformRefused,
    PlatformTaken,
    PlatformUnavailable,
)
from app.customerio.app_api import AppApi, Workspace
from app.customerio.events import ALL, FAMILIES, events_of
from app.customerio.webhooks import Webhooks
from app.sandbox.defaults import (
    APP_KEY,
    IMS_CLIENT_ID,
    IMS_CLIENT_SECRET,
    ORG_ID,
    SANDBOX_NAME,
)
from tests.adobe.test_complaints import FLOW_SERVICE, GATEWAY
from tests.sandbox.conftest import Platform as Sandbox
from tests.sandbox.conftest import Start, start

__all__ = ["start"]

TYPE = specs.SCHEMA_TYPE


@dataclass
class Ends:
    """Every client, of one sandbox."""

    sandbox: Sandbox
    url: str
    session: aiohttp.ClientSession
    tokens: OwnToken
    shown: list[str]

    def __post_init__(self) -> None:
        client = self.client(SANDBOX_NAME)
        self.registry, self.flows = SchemaRegistry(client), FlowService(client)
        self.catalog, self.prep = Catalog(client), DataPrep(client)
        self.namespaces = Namespaces(client)
        self.webhooks = self.hooks(APP_KEY)

    def client(self, sandbox_name: str) -> PlatformClient:
        account = Account(self.url, IMS_CLIENT_ID, ORG_ID, sandbox_name)
        return PlatformClient(
            self.session, account, self.tokens,
            requests_per_second=1e9, patience_seconds=30, show=self.shown.append, sleep=self._sleep,
        )  # fmt: skip

    def hooks(self, key: str) -> Webhooks:
        api = AppApi(
            self.session, Workspace(self.url, key), requests_per_second=1e9,
            show=self.shown.append, sleep=self._sleep,
        )  # fmt: skip
        return Webhooks(api)

    async def _sleep(self, seconds: float) -> None:
        self.sandbox.clock.now += seconds

    async def left(self) -> dict[str, int]:
        counts = (await self.sandbox.get("/objects"))["counts"]
        return {kind: number for kind, number in counts.items() if number}

    async def schema(self, title: str = "events") -> Resource:
        tenant = await self.registry.tenant_id()
        text = {"type": "string", "title": "T"}
        event = {"type": "object", "properties": {"email": text, "metric": text}}
        fields = {f"_{tenant}": {"type": "object", "properties": {"customerio": event}}}
        group = await self.registry.create_field_group(f"{title}, fields", fields)
        return await self.registry.create_schema(title, [group.id], "ours")

    def mapping_set(self, schema_id: str, name: str = "set") -> dict[str, Any]:
        return {
            "name": name,
            "version": 0,
            "outputSchema": {"schemaRef": {"id": schema_id, "contentType": TYPE}},
            "mappings": [
                {"sourceType": "ATTRIBUTE", "source": "event_id", "destination": "_id"},
                {
                    "sourceType": "EXPRESSION",
                    "source": "lower(metric)",
                    "destination": "_sluicesandbox.customerio.metric",
                },
            ],
        }


@pytest.fixture
async def ends(start: Start) -> AsyncIterator[Ends]:
    sandbox = await start()
    url = str(sandbox.client.make_url("")).rstrip("/")
    shown: list[str] = []
    async with aiohttp.ClientSession() as session:
        credential = Credential(
            IMS_CLIENT_ID, (IMS_CLIENT_SECRET,), token_url=f"{url}/ims/token/v3"
        )
        tokens = OwnToken(TokenClient(session, credential, show=shown.append))
        yield Ends(sandbox, url, session, tokens, shown)


async def test_a_schema_is_made_read_and_taken_away(ends: Ends) -> None:
    registry = ends.registry
    await registry.check_access()
    schema = await ends.schema("events, all (1)")
    assert await registry.titled("schemas", "events, all (1)") == schema
    assert schema.refs[0] == EXPERIENCE_EVENT and schema.union
    full = await registry.full_schema(schema.alt_id)
    assert full is not None
    assert {"_id", "timestamp", "_sluicesandbox"} <= set(full["properties"])
    with pytest.raises(PlatformTaken):
        await registry.create_schema("events, all (1)", [])

    path = "/_sluicesandbox/customerio/email"
    email = await registry.create_descriptor(schema.id, path, "Email", primary=True)
    assert await registry.descriptors(schema.id) == [email]

    assert await registry.delete_descriptor(email.id)
    assert await registry.delete("schemas", schema.id)
    assert await registry.delete("fieldgroups", schema.refs[1])
    assert not await registry.delete("fieldgroups", schema.refs[1])
    assert await ends.left() == {}


async def test_a_dataset_and_a_namespace(ends: Ends) -> None:
    schema = await ends.schema()
    made = await ends.catalog.create_dataset("set of data", schema.id, TYPE)
    await ends.catalog.set_row_expiry(made, "P3Y")
    await ends.catalog.enable_profile(made)
    await ends.catalog.patch_dataset(made, {"description": "ours"})
    [found] = await ends.catalog.datasets_named("set of data")
    assert found == await ends.catalog.dataset(made)
    assert (found.schema_id, found.schema_type, found.description) == (schema.id, TYPE, "ours")
    assert (found.error_diagnostics, found.profile, found.identity) == (True, True, True)
    assert found.row_expiry == "P3Y"
    assert await ends.catalog.delete_dataset(made)
    assert await ends.catalog.dataset(made) is None

    namespace = await ends.namespaces.create("Customer.io", "cioid", "Cross_device")
    assert await ends.namespaces.coded("CIOID") == namespace
    with pytest.raises(PlatformTaken):
        await ends.namespaces.create("Customer.io", "cioid", "Cross_device")


async def test_a_flow_from_its_source_to_its_end(ends: Ends) -> None:
    flows, prep = ends.flows, ends.prep
    schema = await ends.schema()
    dataset = await ends.catalog.create_dataset("data", schema.id, TYPE)
    document = ends.mapping_set(schema.id)
    assert all(verdict.ok for verdict in await prep.validate(document))
    [shown] = await prep.preview([{"event_id": "e1", "metric": "SENT"}], document)
    assert shown.record == {"_id": "e1", "_sluicesandbox": {"customerio": {"metric": "sent"}}}
    mapping = await prep.create(document)
    source = await flows.create_customerio_source("source")
    target = await flows.create_target("target", dataset, schema.id)
    made = await flows.create_flow("flow", source.id, target.id, MappingRef(*mapping))

    [flow] = await flows.flows_named("flow")
    inlet = await flows.inlet(flow)
    assert inlet is not None and not inlet.authenticated
    assert flow.enabled and flow.etag == made.etag
    assert [each.id for each in await flows.source_connections_named("source")] == [source.id]
    [aim] = await flows.target_connections_named("target")
    assert (aim.dataset_id, aim.schema_id, aim.schema_type) == (dataset, schema.id, TYPE)

    newer = await prep.replace(mapping.id, document)
    changes = [name_change("f"), description_change("d"), mapping_change(MappingRef(*newer))]
    changed = await flows.patch(flow.id, flow.etag, changes)
    # The old etag: it is read again.
    await flows.patch(flow.id, flow.etag, [name_change("flow 2")])
    found = await flows.flow(flow.id)
    assert found is not None
    assert (found.name, found.mapping) == ("flow 2", MappingRef(*newer))
    assert found.etag not in (flow.etag, changed.etag)

    await flows.set_enabled(flow.id, False)
    await flows.set_enabled(flow.id, True)
    with pytest.raises(PlatformInUse):
        await flows.delete_source_connection(source.id)
    assert await flows.delete_flow(flow.id)
    assert not await flows.delete_flow(flow.id)
    assert await flows.delete_source_connection(source.id)
    assert await flows.delete_target_connection(target.id)


async def test_the_http_api_source_and_the_specs(ends: Ends) -> None:
    flows = ends.flows
    base = await flows.create_base_connection("http", data_type="raw", authenticated=True)
    [found] = await flows.base_connections_named("http")
    assert found.id == base.id and found.inlet is not None
    assert (found.inlet.authenticated, found.inlet.data_type) == (True, "raw")
    source = await flows.create_http_source("http source", base.id)
    known = await flows.source_connection(source.id)
    assert known is not None and known.base_connection_id == base.id
    assert await flows.connection_spec(specs.CUSTOMERIO) is not None
    [streaming] = await flows.flow_specs_named("GenericStreamingAEP")
    assert streaming.id == specs.STREAMING
    assert await flows.flow_spec("00000000-0000-4000-8000-00000000dead") is None


async def test_a_webhook_at_customerio(ends: Ends) -> None:
    hooks = ends.webhooks
    await hooks.check_key()
    with pytest.raises(CustomerIoRefused, match="App API key"):
        await ends.hooks("another").check_key()
    made = await hooks.create("sluice", "https://sluice.example.com/webhooks/a", ["email_sent"])
    assert await hooks.named("sluice") == [made]
    assert made.disabled and made.full_resolution and not made.with_content
    changed = await hooks.update(replace(made, events=events_of(FAMILIES), disabled=False))
    assert set(changed.events) == ALL
    assert await hooks.get(made.id) == changed
    with pytest.raises(CustomerIoRefused, match="no event"):
        await hooks.create("b", "https://sluice.example.com", ["slack_undeliverable"])
    for _ in range(15):
        await hooks.all()  # over the limit: waits, and goes on
    assert len(await hooks.addresses()) >= 10
    assert await hooks.delete(made.id)
    assert not await hooks.delete(made.id)
    assert await hooks.all() == []


async def test_every_code_of_flow_service_and_the_gateway_says_what_to_do(ends: Ends) -> None:
    """Section 1.11, each provoked on a call that makes something."""
    table: list[tuple[str, type[PlatformFault], str]] = [
        *FLOW_SERVICE, *((code, PlatformRefused, words) for code, _, words in GATEWAY),
    ]  # fmt: skip
    for code, kind, words in table:
        await ends.sandbox.client.delete("/faults")
        status = next((number for each, number, _ in GATEWAY if each == code), int(code[-3:]))
        await ends.sandbox.fault(scope="connections", method="POST", error_code=code, status=status)
        with pytest.raises(kind, match=words) as caught:
            await ends.flows.create_customerio_source("source")
        assert (type(caught.value), caught.value.code) == (kind, code)
        assert caught.value.maybe_done == (status >= 500), code
    assert await ends.left() == {}


async def test_a_wrong_sandbox_shows_everywhere_and_is_never_a_missing_thing(ends: Ends) -> None:
    wrong = ends.client("wrong")
    schema_id = (await ends.schema()).id
    looks: list[Callable[[], Awaitable[Any]]] = [
        lambda: FlowService(wrong).flow("x"),
        lambda: SchemaRegistry(wrong).resource("schemas", schema_id),
        lambda: SchemaRegistry(wrong).delete("schemas", schema_id),
        lambda: Catalog(wrong).dataset("5f00000000000000000000d5"),
        lambda: Catalog(wrong).delete_dataset("5f00000000000000000000d5"),
        lambda: DataPrep(wrong).set("0" * 32),
        lambda: Namespaces(wrong).all(),
    ]
    for look in looks:
        with pytest.raises(PlatformRefused, match=r"platform\.sandbox_name must name"):
            await look()


async def test_what_was_made_and_not_answered_is_found_by_its_name_once(ends: Ends) -> None:
    """Whatever becomes of an answer, a call that makes something is made once."""
    schema = await ends.schema()
    dataset = await ends.catalog.create_dataset("data", schema.id, TYPE)
    document = ends.mapping_set(schema.id, "lost set")
    flows = ends.flows
    makes: list[tuple[str, Callable[[], Awaitable[Any]], Callable[[], Awaitable[Any]]]] = [
        ("control", lambda: ends.namespaces.create("lost", "lost", "Cross_device"),
         lambda: ends.namespaces.coded("lost")),
        ("control", lambda: ends.registry.create_schema("lost", []),
         lambda: ends.registry.titled("schemas", "lost")),
        ("control", lambda: ends.catalog.create_dataset("lost", schema.id, TYPE),
         lambda: ends.catalog.datasets_named("lost")),
        ("control", lambda: ends.prep.create(document), lambda: ends.prep.named("lost set")),
        ("control", lambda: flows.create_customerio_source("lost"),
         lambda: flows.source_connections_named("lost")),
        ("control", lambda: flows.create_target("lost", dataset, schema.id),
         lambda: flows.target_connections_named("lost")),
        ("control", lambda: flows.create_base_connection(
            "lost", data_type="raw", authenticated=False),
         lambda: flows.base_connections_named("lost")),
        ("app_api", lambda: ends.webhooks.create("lost", "https://x.example.com", ["email_sent"]),
         lambda: ends.webhooks.named("lost")),
    ]  # fmt: skip
    for scope, make, find in makes:
        await ends.sandbox.fault(scope=scope, method="POST", cut="after", times=1)
        with pytest.raises(ApiFault) as caught:
            await make()
        assert isinstance(caught.value, PlatformUnavailable | CustomerIoUnavailable)
        assert caught.value.maybe_done
        found = await find()
        assert found is not None and (not isinstance(found, list) or len(found) == 1)


async def test_nothing_that_is_shown_holds_a_secret(ends: Ends) -> None:
    await ends.schema()
    await ends.webhooks.all()
    token = await ends.tokens.token()
    shown = "\n".join(ends.shown)
    assert shown.count("curl -X ") == len(ends.shown) >= 5
    for secret in (token, IMS_CLIENT_SECRET, APP_KEY):
        assert secret not in shown
    for variable in ("ACCESS_TOKEN", "CLIENT_SECRET", "CUSTOMERIO_APP_API_KEY"):
        assert f'"${variable}"' in shown
