"""The dataflow, and the inlet that comes with it (platform.md sections 1.6, 1.7, 1.10).

Before it is made or changed the lane is held (holding.py): nothing is sent into its first minutes,
and what is received meanwhile waits in Redis.
"""

from __future__ import annotations

from typing import Final

from app.adobe.flow_service import Flow as Found
from app.adobe.flow_service import MappingRef, mapping_change, name_change, specs
from app.adobe.flow_service.bodies import Operation
from app.connect import holding
from app.connect.plan import Action, Difference, Item, fresh
from app.connect.run import LATER, Run, blocked
from app.connect.steps.connections import FLOW, SOURCE, TARGET, flow_spec, in_use, known
from app.connect.wanted import DESCRIPTION
from app.core.errors import PlatformUnreadable

MAPPING: Final = "mapping"

# Of a flow that another takes over from; for OldFlow.
REPLACED: Final = "flow_replaced"

_NEW: Final = "the dataflow is new or changed: what is sent now may be lost"
_OFF: Final = "the dataflow is disabled"


class Flow:
    """Its name and its mapping are changed in place; for other ends there is a new one."""

    key, kind = FLOW, "dataflow"

    async def look(self, run: Run) -> list[Item]:
        [item] = await self._look(run)
        run.facts["flow_work"] = run.facts.get("flow_work") or item.is_work
        return [item]

    async def _look(self, run: Run) -> list[Item]:
        name = run.setup.flow_name
        flows = run.ends.flows
        found: Found | None = in_use(run, self.key, await flows.flows_named(name))
        found = found or await known(run, self.key, flows.flow)
        run.facts["flow"] = found
        if found is None:
            run.ids[self.key] = ""
            made_of = fresh(*_parts(run))
            return [Item(self.key, self.kind, name, Action.CREATE, differences=made_of)]
        ends = tuple(_ends(run, found))
        if ends:
            run.ids[self.key] = ""
            if holding.is_off(found):
                # A new one comes enabled, and nobody asked for that.
                why = f"a new one is needed: `sluice connection enable {run.setup.name}` first"
                return [blocked(self, name, f"it is {found.state}, and {why}", found.id)]
            run.facts[REPLACED] = found.id
            why = "its connections cannot be changed; the old flow goes on until this one is ready"
            return [Item(self.key, self.kind, name, Action.REPLACE, found.id, ends, why)]
        run.ids[self.key] = found.id
        await self._keep(run, found)
        if differences := tuple(_changes(run, found)):
            return [Item(self.key, self.kind, name, Action.CHANGE, found.id, differences)]
        if found.enabled:
            return [Item(self.key, self.kind, name, Action.EXISTS, found.id)]
        why = f"it is {found.state or 'not enabled'}"
        return [Item(self.key, self.kind, name, Action.LEAVE, found.id, why=why)]

    async def act(self, run: Run, item: Item) -> None:
        if item.action is Action.CHANGE:
            await self._change(run, item, run.facts["flow"])
        else:
            await self._create(run, item)
        found_now = await run.ends.flows.flow(run.id(self.key))
        if found_now is not None:
            await self._keep(run, found_now)

    async def _create(self, run: Run, item: Item) -> None:
        # Its inlet is another, or the first: to what is in use nothing happens.
        await holding.before_new(run, _NEW)
        async with holding.in_time("create the dataflow"):
            made = await run.ends.flows.create_flow(
                item.name, run.id(SOURCE), run.id(TARGET), _mapping(run),
                "" if run.tutorial else DESCRIPTION, flow_spec_id=flow_spec(run),
            )  # fmt: skip
        run.ids[self.key] = made.id
        await holding.settling(run, _NEW)

    async def _change(self, run: Run, item: Item, found: Found) -> None:
        off = holding.is_off(found)
        if off:
            # It drops everything, before and after: only `enable` may end that.
            await holding.lane_of(run).hold(None, _OFF)
        else:
            await holding.before_change(run, _NEW)
        async with holding.in_time("change the dataflow"):
            await run.ends.flows.patch(item.id, found.etag, _operations(run, found))
        run.ids[self.key] = item.id
        if not off:
            await holding.settling(run, _NEW)

    async def _keep(self, run: Run, found: Found) -> None:
        """The flow, and where its events go. Raises PlatformUnreadable when nobody says."""
        run.facts["flow"] = found
        inlet = await run.ends.flows.inlet(found)
        if inlet is None or not inlet.url:
            raise PlatformUnreadable(
                f"GET the inlet of dataflow {found.id}", "Platform names none yet; apply again"
            )
        run.facts["inlet"] = inlet.url
        if run.state.under_way == self.key:
            # When a call was carried out whose answer is not known, nobody can say.
            run.state.changed_at = run.clock()
        elif not run.state.changed_at:
            # The state file was lost: Platform knows it, too.
            run.state.changed_at = max(found.created_ms, found.updated_ms) / 1000


def _parts(run: Run) -> list[tuple[str, object]]:
    """What a new one is made of."""
    return [
        ("flow spec", specs.in_words(flow_spec(run))),
        ("source connection", run.id(SOURCE) or LATER),
        ("target connection", run.id(TARGET) or LATER),
        ("mapping", _said(_mapping(run)) or "none: Sluice maps before it sends"),
    ]


def _ends(run: Run, found: Found) -> list[Difference]:
    wanted = (
        ("source connection", found.source_connection_ids, run.id(SOURCE)),
        ("target connection", found.target_connection_ids, run.id(TARGET)),
        ("flow spec", (found.spec_id,), flow_spec(run)),
    )
    return [
        Difference(path, ", ".join(have), want or LATER)
        for path, have, want in wanted
        if have != (want,)
    ]


def _changes(run: Run, found: Found) -> list[Difference]:
    name, mapping = run.setup.flow_name, _mapping(run)
    changes = [] if found.name == name else [Difference("name", found.name, name)]
    if found.mapping != mapping and (mapping is not None or found.mapping):
        changes.append(Difference("mapping", _said(found.mapping), _said(mapping)))
    return changes


def _operations(run: Run, found: Found) -> list[Operation]:
    name, mapping = run.setup.flow_name, _mapping(run)
    operations = [] if found.name == name else [name_change(name)]
    if mapping is not None and found.mapping != mapping:
        operations.append(mapping_change(mapping))
    return operations


def _mapping(run: Run) -> MappingRef | None:
    if run.setup.mode == "xdm":
        return None
    return MappingRef(run.id(MAPPING), int(run.facts.get("mapping_version", 0)))


def _said(mapping: MappingRef | None) -> str:
    if mapping is None:
        return ""
    # Versions are counted by Platform.
    version = "in its next version" if mapping.version < 0 else f"version {mapping.version}"
    return f"{mapping.mapping_id or LATER} {version}"
