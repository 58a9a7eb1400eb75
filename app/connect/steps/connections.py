"""Flow Service's connections: the HTTP API source's base, the source, the target (platform.md
sections 1.1, 1.4, 1.9).

None of them is ever changed: a change would not reach the dataflow (section 1.10). What is not as
wanted is replaced by a new one, and the old one is left to `destroy`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from app.adobe.flow_service import BaseConnection, SourceConnection, TargetConnection, specs
from app.connect.plan import Action, Difference, Item, fresh
from app.connect.run import LATER, Run
from app.connect.wanted import DESCRIPTION

BASE: Final = "base"
SOURCE: Final = "source"
TARGET: Final = "target"


class Base:
    """The HTTP API source's own connection: it holds the inlet."""

    key, kind = BASE, "base connection"

    async def look(self, run: Run) -> list[Item]:
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
    if not differences:
        run.ids[step.key] = found.id
        why = "" if found.name == name else f"it goes on under its name, {found.name}"
        action = Action.LEAVE if why else Action.EXISTS
        return Item(step.key, step.kind, name, action, found.id, why=why)
    run.ids[step.key] = ""
    why = "changes of a connection do not reach its dataflow, so a new pair and flow are made"
    return Item(step.key, step.kind, name, Action.REPLACE, found.id, differences, why)


def _later(run: Run, step: str) -> str:
    return run.id(step) or LATER


def _description(run: Run) -> str:
    # The tutorials' are optional, and left out.
    return "" if run.tutorial else DESCRIPTION
