"""The calls to Flow Service (platform.md sections 1 and 6.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from app.adobe.flow_service import bodies, objects, specs
from app.adobe.flow_service.bodies import DataType, MappingRef, Operation
from app.adobe.flow_service.calls import Calls, name_filter, path_of
from app.adobe.flow_service.objects import (
    BaseConnection,
    Flow,
    Inlet,
    Made,
    SourceConnection,
    Spec,
    TargetConnection,
)
from app.adobe.flow_service.runs import Run, run
from app.adobe.platform_client import PlatformClient
from app.adobe.reading import at
from app.core.errors import PlatformFault, PlatformStale


class FlowService:
    """Raises what PlatformClient raises. Names are not unique here: whoever makes something looks
    for its name first, and again after a fault that says `maybe_done`."""

    def __init__(self, client: PlatformClient) -> None:
        self._calls = Calls(client)

    # Looking.

    async def flows_named(self, name: str) -> list[Flow]:
        """Every dataflow of this name, the oldest first."""
        return await self._calls.named("flows", objects.flow, name, name_filter(name))

    async def source_connections_named(
        self, name: str, spec_id: str = specs.CUSTOMERIO
    ) -> list[SourceConnection]:
        """Of this name and spec, the oldest first."""
        return await self._calls.named_of_spec(
            "sourceConnections", objects.source_connection, name, spec_id
        )

    async def target_connections_named(
        self, name: str, spec_id: str = specs.DATA_LAKE
    ) -> list[TargetConnection]:
        """Of this name and spec, the oldest first."""
        return await self._calls.named_of_spec(
            "targetConnections", objects.target_connection, name, spec_id
        )

    async def base_connections_named(self, name: str) -> list[BaseConnection]:
        """Every base connection of this name, the oldest first."""
        return await self._calls.named(
            "connections", objects.base_connection, name, name_filter(name)
        )

    async def flow(self, flow_id: str) -> Flow | None:
        """None = there is none."""
        return await self._calls.one("flows", objects.flow, flow_id)

    async def source_connection(self, connection_id: str) -> SourceConnection | None:
        """None = there is none."""
        return await self._calls.one("sourceConnections", objects.source_connection, connection_id)

    async def target_connection(self, connection_id: str) -> TargetConnection | None:
        """None = there is none."""
        return await self._calls.one("targetConnections", objects.target_connection, connection_id)

    async def base_connection(self, connection_id: str) -> BaseConnection | None:
        """None = there is none."""
        return await self._calls.one("connections", objects.base_connection, connection_id)

    async def inlet(self, flow: Flow) -> Inlet | None:
        """Where a dataflow's events go; None = Platform has not said yet.

        Customer.io's has it itself. Of the HTTP API source only the base connection says whether
        it wants a token (section 1.9), whatever the dataflow shows.
        """
        if specs.CUSTOMERIO in flow.source_spec_ids and flow.inlet_url:
            return objects.open_inlet(flow.inlet_url)
        for source_id in flow.source_connection_ids:
            source = await self.source_connection(source_id)
            if source is not None and source.base_connection_id:
                base = await self.base_connection(source.base_connection_id)
                return base.inlet if base is not None else None
        return objects.open_inlet(flow.inlet_url) if flow.inlet_url else None

    async def connection_spec(self, spec_id: str) -> Spec | None:
        """None = Platform does not offer it to this organization."""
        return await self._calls.spec("connectionSpecs", spec_id)

    async def flow_spec(self, spec_id: str) -> Spec | None:
        """None = Platform does not offer it to this organization."""
        return await self._calls.spec("flowSpecs", spec_id)

    async def connection_specs_named(self, name: str) -> list[Spec]:
        return await self._calls.specs_named("connectionSpecs", name)

    async def flow_specs_named(self, name: str) -> list[Spec]:
        return await self._calls.specs_named("flowSpecs", name)

    # Making.

    async def create_customerio_source(self, name: str, description: str = "") -> Made:
        """Section 1.1."""
        return await self._calls.create(
            "sourceConnections", bodies.customerio_source(name, description)
        )

    async def create_base_connection(
        self,
        name: str,
        description: str = "",
        *,
        data_type: DataType,
        authenticated: bool,
        source_id: str = "",
    ) -> Made:
        """The HTTP API source's (section 1.9), with a new inlet. `source_id`: "" = the name."""
        body = bodies.http_base(name, description, data_type, authenticated, source_id)
        return await self._calls.create("connections", body)

    async def create_http_source(
        self, name: str, base_connection_id: str, description: str = ""
    ) -> Made:
        """Section 1.9, step 3."""
        body = bodies.http_source(name, description, base_connection_id)
        return await self._calls.create("sourceConnections", body)

    async def create_target(
        self,
        name: str,
        dataset_id: str,
        schema_id: str,
        schema_type: str = specs.SCHEMA_TYPE,
        description: str = "",
    ) -> Made:
        """Section 1.4. Schema and type must be the dataset's and the mapping set's (1425-400)."""
        body = bodies.data_lake_target(name, description, dataset_id, schema_id, schema_type)
        return await self._calls.create("targetConnections", body)

    async def create_flow(
        self,
        name: str,
        source_connection_id: str,
        target_connection_id: str,
        mapping: MappingRef | None,
        description: str = "",
        *,
        flow_spec_id: str = specs.STREAMING,
    ) -> Made:
        """Section 1.6. Wait five minutes before anything is sent. `mapping`: None only with
        specs.HTTP_API_PLAIN."""
        body = bodies.flow(
            name, description, flow_spec_id, source_connection_id, target_connection_id, mapping
        )
        return await self._calls.create("flows", body)

    # Changing.

    async def patch(self, flow_id: str, etag: str, operations: Sequence[Operation]) -> Made:
        """Changes a dataflow: see bodies for operations. Returns its new etag.

        When somebody changed it since `etag`, it is read again and tried once more; raises
        PlatformStale when that is not enough. Wait five minutes after a change of the mapping.
        """
        try:
            return await self._calls.patch(flow_id, etag, operations)
        except PlatformStale as stale:
            newest = await self.flow(flow_id)
            if newest is None or not newest.etag:
                raise
            try:
                return await self._calls.patch(flow_id, newest.etag, operations)
            except PlatformFault as fault:
                # It may be a try of our own that made the etag an old one.
                fault.maybe_done = fault.maybe_done or stale.maybe_done
                raise

    async def set_enabled(self, flow_id: str, enabled: bool) -> None:
        """Enables or disables a dataflow. `subOp` is left out: unclear (section 1.10)."""
        path = f"{path_of('flows', flow_id)}/action"
        params = [("op", "ENABLE" if enabled else "DISABLE")]
        await self._calls.client.call("POST", path, params, safe=True)

    # Taking away: False = it was not there any more. Dataflows first (PlatformInUse).

    async def delete_flow(self, flow_id: str) -> bool:
        return await self._calls.delete("flows", flow_id)

    async def delete_source_connection(self, connection_id: str) -> bool:
        return await self._calls.delete("sourceConnections", connection_id)

    async def delete_target_connection(self, connection_id: str) -> bool:
        return await self._calls.delete("targetConnections", connection_id)

    async def delete_base_connection(self, connection_id: str) -> bool:
        return await self._calls.delete("connections", connection_id)

    # Watching.

    async def runs(self, flow_id: str, started_after_ms: int) -> AsyncIterator[Run]:
        """The runs of a flow that began after a time, in the order in which Platform gives them."""
        params = [
            ("property", f"flowId=={flow_id}"),
            ("property", f"metrics.durationSummary.startedAtUTC>{started_after_ms}"),
        ]
        async for item in self._calls.listed("runs", params, strict=False):
            # A server that does not know the filters gives all there is.
            found = run(item)
            if found.started_ms > started_after_ms and at(item, "flowId") in (flow_id, None):
                yield found
