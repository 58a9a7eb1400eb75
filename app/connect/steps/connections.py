"""Flow Service's connections: the HTTP API source's base, the source, the target (platform.md
sections 1.1, 1.4, 1.9).

None of them is ever changed: a change would not reach the dataflow (section 1.10). When one is not
as wanted, all that the dataflow in use has are made anew: were the source kept, or the base that
has its inlet, what is sent to the new dataflow would feed the old one, too. The old ones are left
to `destroy`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from app.adobe.flow_service import (
    BaseConnection,
    Flow,
    SourceConnection,
    TargetConnection,
    specs,
)
from app.connect.plan import Action, Difference, Item, fresh
from app.connect.run import LATER, Ambiguous, Run, Step
from app.connect.steps.dataset import Dataset
from app.connect.steps.registry import FieldGroup, Schema
from app.connect.wanted import DESCRIPTION

FLOW: Final = "flow"
BASE: Final = "base"
SOURCE: Final = "source"
TARGET: Final = "target"

# (step, id) of what the dataflow in use has, when that must be replaced.
_OUTGOING: Final = "outgoing"


class Base:
    """The HTTP API source's own connection: it holds the inlet."""

    key, kind = BASE, "base connection"

    async def look(self, run: Run) -> list[Item]:
        await _find_outgoing(run)
        name = run.setup.flow_name
        flows = run.ends.flows
        found = in_use(run, self.key, await flows.base_connections_named(name))
        found = found or await known(run, self.key, flows.base_connection)
        if found is None:
            return [_to_make(self, run, name)]
        wanted = run.setup.platform.source
        inlet = found.inlet
        given = (inlet.data_type or wanted.mode, inlet.authenticated) if inlet else ("", False)
        return [
            _judged(
                self,
                run,
                found,
                ("dataType", given[0], wanted.mode),
                ("authenticationRequired", str(given[1]).lower(), str(wanted.wants_token).lower()),
            )
        ]

    def parts(self, run: Run) -> list[tuple[str, object]]:
        """What it is made of."""
        source = run.setup.platform.source
        return [
            ("connectionSpec", specs.in_words(specs.HTTP_API)),
            ("dataType", source.mode),
            ("authenticationRequired", source.wants_token),
        ]

    async def act(self, run: Run, item: Item) -> None:
        source = run.setup.platform.source
        made = await run.ends.flows.create_base_connection(
            item.name, DESCRIPTION, data_type=source.mode, authenticated=source.wants_token
        )
        run.ids[self.key] = made.id


class Source:
    """The source connection: Customer.io's own, or one on the base."""

    key, kind = SOURCE, "source connection"

    async def look(self, run: Run) -> list[Item]:
        await _find_outgoing(run)
        name = run.setup.flow_name
        flows, spec = run.ends.flows, _source_spec(run)
        found = in_use(run, self.key, await flows.source_connections_named(name, spec))
        found = found or await known(run, self.key, flows.source_connection)
        # With another kind of source it is another's.
        if found is None or found.spec_id != spec:
            return [_to_make(self, run, name)]
        if spec == specs.CUSTOMERIO:
            return [_judged(self, run, found)]
        return [_judged(self, run, found, ("base", found.base_connection_id, _later(run, BASE)))]

    def parts(self, run: Run) -> list[tuple[str, object]]:
        """What it is made of."""
        spec = _source_spec(run)
        own = spec == specs.CUSTOMERIO
        return [
            ("connectionSpec", specs.in_words(spec)),
            ("data.format", "json") if own else ("base", _later(run, BASE)),
        ]

    async def act(self, run: Run, item: Item) -> None:
        flows = run.ends.flows
        if _source_spec(run) == specs.CUSTOMERIO:
            made = await flows.create_customerio_source(item.name, _description(run))
        else:
            made = await flows.create_http_source(item.name, run.id(BASE), DESCRIPTION)
        run.ids[self.key] = made.id


class Target:
    """The target connection: the dataset, and the schema that mapping set and dataset have, too
    (1425-400)."""

    key, kind = TARGET, "target connection"

    async def look(self, run: Run) -> list[Item]:
        await _find_outgoing(run)
        name = run.setup.flow_name
        flows = run.ends.flows
        found = in_use(run, self.key, await flows.target_connections_named(name))
        found = found or await known(run, self.key, flows.target_connection)
        if found is None:
            return [_to_make(self, run, name)]
        return [
            _judged(
                self,
                run,
                found,
                ("dataSetId", found.dataset_id, _later(run, "dataset")),
                ("schema.id", found.schema_id, _later(run, "schema")),
                ("schema.version", found.schema_type, specs.SCHEMA_TYPE),
            )
        ]

    def parts(self, run: Run) -> list[tuple[str, object]]:
        """What it is made of."""
        return [
            ("connectionSpec", specs.in_words(specs.DATA_LAKE)),
            ("dataSetId", _later(run, "dataset")),
            ("schema.id", _later(run, "schema")),
            ("schema.version", specs.SCHEMA_TYPE),
        ]

    async def act(self, run: Run, item: Item) -> None:
        made = await run.ends.flows.create_target(
            item.name, run.id("dataset"), run.id("schema"), specs.SCHEMA_TYPE, _description(run)
        )
        run.ids[self.key] = made.id


def in_use(run: Run, step: str, found: list[Any]) -> Any:
    """Of objects of Flow Service's with one name the one in use, or None. Raises Ambiguous."""
    chosen = run.pick(step, [{"id": each.id} for each in found])
    return None if chosen is None else next(e for e in found if e.id == chosen["id"])


async def known(run: Run, step: str, get: Callable[[str], Awaitable[Any]]) -> Any:
    """What the state file knows, whatever it is called now; None when it is not there any more."""
    found = run.state.ids.get(step)
    return await get(found) if found else None


def flow_spec(run: Run) -> str:
    """Which dataflow goes with the source and with who maps."""
    if run.setup.platform.source.kind == "customerio":
        return specs.STREAMING
    return specs.HTTP_API_MAPPED if run.setup.mode == "raw" else specs.HTTP_API_PLAIN


async def _find_outgoing(run: Run) -> None:
    """Once for a run, before anything is done: what is made in it is never outgoing. Nor is what a
    killed command made: no dataflow has it yet."""
    if _OUTGOING in run.facts:
        return
    run.facts[_OUTGOING] = frozenset()
    try:
        flow: Flow | None = in_use(run, FLOW, await run.ends.flows.flows_named(run.setup.flow_name))
        flow = flow or await known(run, FLOW, run.ends.flows.flow)
        if flow is None or await _fits(run, flow):
            return
    except Ambiguous:
        # The step whose it is says so.
        return
    sources, targets = flow.source_connection_ids, flow.target_connection_ids
    found = {(SOURCE, each) for each in sources} | {(TARGET, each) for each in targets}
    for each in sources:
        source = await run.ends.flows.source_connection(each)
        if source is not None:
            found.add((BASE, source.base_connection_id))
    run.facts[_OUTGOING] = frozenset(found)


async def _fits(run: Run, flow: Flow) -> bool:
    """Whether a dataflow's connections are there as they are wanted."""
    http = run.setup.platform.source.kind == "http_api"
    # Adobe's tutorials begin with the source: what the target is held against comes later there.
    before: list[Step] = [FieldGroup(), Schema(), Dataset()] if run.tutorial else []
    own: list[Step] = [*([Base()] if http else []), Source(), Target()]
    items = [item for step in (*before, *own) for item in await step.look(run)]
    ends = (flow.source_connection_ids, flow.target_connection_ids)
    wanted = ((run.id(SOURCE),), (run.id(TARGET),))
    as_wanted = not any(item.is_work for item in items if item.step in (BASE, SOURCE, TARGET))
    return as_wanted and ends == wanted and flow.spec_id == flow_spec(run)


def _source_spec(run: Run) -> str:
    http = run.setup.platform.source.kind == "http_api"
    return specs.HTTP_API if http else specs.CUSTOMERIO


def _to_make(step: Base | Source | Target, run: Run, name: str) -> Item:
    run.ids[step.key] = ""
    return Item(step.key, step.kind, name, Action.CREATE, differences=fresh(*step.parts(run)))


def _judged(
    step: Base | Source | Target,
    run: Run,
    found: BaseConnection | SourceConnection | TargetConnection,
    *pairs: tuple[str, str, str],
) -> Item:
    name = run.setup.flow_name
    differences = tuple(Difference(*pair) for pair in pairs if pair[1] != pair[2])
    if not differences and (step.key, found.id) not in run.facts[_OUTGOING]:
        run.ids[step.key] = found.id
        why = "" if found.name == name else f"it goes on under its name, {found.name}"
        action = Action.LEAVE if why else Action.EXISTS
        return Item(step.key, step.kind, name, action, found.id, why=why)
    run.ids[step.key] = ""
    why = "changes of a connection do not reach its dataflow, so both ends and it are made anew"
    return Item(step.key, step.kind, name, Action.REPLACE, found.id, differences, why)


def _later(run: Run, step: str) -> str:
    return run.id(step) or LATER


def _description(run: Run) -> str:
    # The tutorials' are optional, and left out.
    return "" if run.tutorial else DESCRIPTION
