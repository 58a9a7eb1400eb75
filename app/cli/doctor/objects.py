"""Platform's objects behind a connection: are they there, and do they fit each other?

Schema id and version must be the same in dataset, mapping set and target connection, else Platform
refuses the dataflow (1425-400) or drops what comes (platform.md sections 1.11 and 7).
"""

from __future__ import annotations

import re
from typing import Final

from app.adobe.catalog import Catalog, Dataset
from app.adobe.flow_service import Flow, FlowService, SourceConnection, TargetConnection, specs
from app.adobe.namespaces import Namespaces
from app.adobe.schema_registry import Resource, SchemaRegistry
from app.cli.doctor.credentials import platform_of
from app.cli.doctor.finding import NotAsked, Said, failed, ok, warning
from app.cli.doctor.ground import Ground
from app.connect.state import StateFile
from app.settings import Connection

_SAME: Final = "use the same schema id and version everywhere (else 1425-400)"
_SPECS: Final = {"http_api": specs.HTTP_API, "customerio": specs.CUSTOMERIO}
_VERSION: Final = re.compile(r"version=(\d+)")


async def flow_of(ground: Ground, connection: Connection) -> Flow | None:
    """The dataflow that the connection names; None = there is none. Raises NotAsked."""
    client = await platform_of(ground, connection)
    flow_id = connection.platform.flow_id
    return await ground.once(("flow", flow_id), lambda: FlowService(client).flow(flow_id))


async def the_flow(ground: Ground, connection: Connection) -> Flow:
    """The same. Raises NotAsked when there is none."""
    found = await flow_of(ground, connection)
    if found is None:
        raise NotAsked("there is no such dataflow, see `flow`")
    return found


async def tenant(ground: Ground, connection: Connection) -> list[Said]:
    """Custom fields live under the tenant id: records of another one are refused."""
    client = await platform_of(ground, connection)
    theirs, ours = await SchemaRegistry(client).tenant_id(), connection.tenant
    if theirs == ours:
        return [ok(f"the tenant id is {ours}")]
    text = f"the organization's tenant id is {theirs}, and the connection says {ours}"
    return [failed(text, f"write `tenant: {theirs}`")]


async def schema(ground: Ground, connection: Connection) -> list[Said]:
    """Whether it is there, in that version, and enabled as streaming wants it."""
    found, named = await schema_of(ground, connection), connection.platform.schema_ref
    if found is None:
        text = f"there is no schema {named.id} in this sandbox"
        return [failed(text, "copy the schema's $id into platform.schema.id")]
    wanted = _version(named.content_type)
    if wanted != found.major:
        text = f"the schema is at version {found.version}, and the connection asks for {wanted}"
        return [failed(text, f"write version={found.major} into platform.schema.content_type")]
    if not found.union:
        text = f"the schema {found.title} is not enabled for Profile (union)"
        return [warning(text, "Adobe says streaming validation wants it; it cannot be undone")]
    return [ok(f"{found.title}, version {found.version}")]


async def dataset(ground: Ground, connection: Connection) -> list[Said]:
    """Whether it is there, of the connection's schema, and keeps error diagnostics."""
    found, platform = await dataset_of(ground, connection), connection.platform
    if found is None:
        text = f"there is no dataset {platform.dataset_id} in this sandbox"
        return [failed(text, "copy the target dataset's id into platform.dataset_id")]
    named = platform.schema_ref
    said = unlike("the dataset", found.schema_id, found.schema_type, named.id, named.content_type)
    if not found.error_diagnostics:
        text = f"the dataset {found.name} keeps no error diagnostics"
        fix = "switch them on in Platform, else nobody learns which records were refused and why"
        said.append(warning(text, fix))
    return said or [ok(f"{found.name}, of the connection's schema")]


async def source(ground: Ground, connection: Connection) -> list[Said]:
    """Whether what the dataflow reads from is there: its source, and the base with the inlet."""
    client, flow = await platform_of(ground, connection), await the_flow(ground, connection)
    said: list[Said] = []
    for source_id in flow.source_connection_ids:
        found = await FlowService(client).source_connection(source_id)
        if found is None:
            text = f"the dataflow's source connection {source_id} is not there any more"
            return [failed(text, anew(connection))]
        said += await _source(ground, connection, found)
    return said or [ok("the dataflow's source connection is there")]


async def _source(ground: Ground, connection: Connection, found: SourceConnection) -> list[Said]:
    base_id, setup = found.base_connection_id, ground.configured.setups.get(connection.name)
    if setup and found.spec_id != _SPECS[setup.platform.source.kind]:
        wanted = setup.platform.source.kind
        text = f"the source connection {found.name} is of another kind than {wanted}"
        return [failed(text, f"sluice connection update {connection.name}")]
    service = FlowService(await platform_of(ground, connection))
    if base_id and await service.base_connection(base_id) is None:
        text = f"the base connection {base_id}, which has the inlet, is not there any more"
        return [failed(text, anew(connection))]
    return []


async def target(ground: Ground, connection: Connection) -> list[Said]:
    """Whether the dataflow's target is the connection's dataset, in its schema."""
    client, flow = await platform_of(ground, connection), await the_flow(ground, connection)
    wanted = connection.platform.dataset_id
    said: list[Said] = []
    for target_id in flow.target_connection_ids:
        found = await FlowService(client).target_connection(target_id)
        if found is None:
            text = f"the dataflow's target connection {target_id} is not there any more"
            return [failed(text, anew(connection))]
        said += await _target(ground, connection, found)
    return said or [ok(f"the dataflow writes into the dataset {wanted}")]


async def _target(ground: Ground, connection: Connection, found: TargetConnection) -> list[Said]:
    wanted = connection.platform.dataset_id
    if found.dataset_id != wanted:
        text = f"the dataflow writes into the dataset {found.dataset_id}, not into {wanted}"
        return [failed(text, "name the dataflow's own dataset in platform.dataset_id")]
    into = await dataset_of(ground, connection)
    if into is None:
        raise NotAsked("there is no such dataset, see `dataset`")
    return unlike(
        "the target connection", found.schema_id, found.schema_type, into.schema_id,
        into.schema_type, than="the dataset",
    )  # fmt: skip


async def namespaces(ground: Ground, connection: Connection) -> list[Said]:
    """Whether the codes that records use are registered, however they are spelled there, as an
    apply reads them: Profile refuses others."""
    client = await platform_of(ground, connection)
    known = {each.code.lower() for each in await Namespaces(client).all()}
    used = connection.identity_namespaces
    keys = {"email": used.email, "id": used.id, "cio_id": used.cio_id}
    missing = [
        f"{code} (identity_namespaces.{key})"
        for key, code in keys.items()
        if code.lower() not in known
    ]
    if missing:
        text = f"not registered as identity namespaces: {', '.join(missing)}"
        fix = "make them in Platform (Identities), or name those that are there"
        into = await dataset_of(ground, connection)
        profile = into is not None and into.profile
        return [failed(text, fix) if profile else warning(text, fix)]
    return [ok(f"{', '.join(keys.values())} are registered")]


async def schema_of(ground: Ground, connection: Connection) -> Resource | None:
    """The schema that the connection names; None = there is none. Raises NotAsked."""
    client, named = await platform_of(ground, connection), connection.platform.schema_ref
    registry = SchemaRegistry(client)
    return await ground.once(
        ("schema", named.id, client.account), lambda: registry.resource("schemas", named.id)
    )


async def dataset_of(ground: Ground, connection: Connection) -> Dataset | None:
    """The same of the dataset."""
    client, named = await platform_of(ground, connection), connection.platform.dataset_id
    return await ground.once(("dataset", named), lambda: Catalog(client).dataset(named))


def unlike(
    what: str, has_id: str, has_type: str, wanted_id: str, wanted_type: str,
    than: str = "the connection",
) -> list[Said]:  # fmt: skip
    """How the schema of one differs from that of the other."""
    if has_id != wanted_id:
        text = f"{what} has the schema {has_id or '(none)'}, and {than} {wanted_id}"
        return [failed(text, _SAME)]
    if _version(has_type) != _version(wanted_type):
        has, wanted = _version(has_type), _version(wanted_type)
        return [failed(f"{what} has schema version {has}, and {than} {wanted}", _SAME)]
    return []


def _version(content_type: str) -> int:
    """`...;version=1`: 1. Without one it is the first."""
    found = _VERSION.search(content_type)
    return int(found[1]) if found else 1


def tutorial_of(ground: Ground, connection: Connection) -> str:
    """Which of Adobe's tutorials its objects were made after, as in State.like_tutorial."""
    if connection.name not in ground.configured.setups:
        return ""
    return StateFile(ground.settings.data_dir, connection.name).state.like_tutorial


def anew(connection: Connection) -> str:
    """How parts that are gone come back."""
    return f"sluice connection apply {connection.name}: it makes a new pair and a new dataflow"
