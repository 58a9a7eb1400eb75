"""Taking everything away again, in the order of platform.md section 1.10: flows first.

What was there before us stays. A dataset goes only when that was asked for by name; with it go the
schema and the field group, which nothing can use any more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from app.adobe.flow_service import specs
from app.connect.connection_file import is_ours
from app.connect.lane import Lane
from app.connect.plan import Action, Item
from app.connect.run import Ambiguous, Progress, Run
from app.connect.steps.connections import in_use
from app.connect.steps.webhook import find_webhook
from app.connect.typed_secrets import typed_secrets
from app.core.errors import SluiceError
from app.settings.load import read_yaml
from app.settings.setups import WantedDataset, WantedSchema

# Step -> what it makes, for people; in the order in which they go.
KINDS: Final = {
    "webhook": "reporting webhook",
    "flow": "dataflow",
    "source": "source connection",
    "target": "target connection",
    "base": "base connection",
    "dataset": "dataset",
    "descriptor": "identity descriptor",
    "schema": "schema",
    "field_group": "field group",
}
_DATA: Final = ("dataset", "descriptor", "schema", "field_group")


class Why(StrEnum):
    """Why something stays."""

    BEFORE = "was there before"
    SHARED = "named by other setups"
    DATA = "goes with the data only"
    NO_CALL = "Platform cannot delete it"
    NEEDED = "needed to take the data away later"


@dataclass(frozen=True, slots=True)
class Stay:
    """Objects of one kind that stay. `others`: the setups that name them, too."""

    kind: str
    why: Why
    others: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {"kind": self.kind, "why": self.why.value, "others": list(self.others)}


@dataclass(frozen=True, slots=True)
class Doomed:
    """`setup`: its file, which stays; `items`: in the order in which they go; `stays`: what else
    does not; `files`: of this machine; `secrets`: those that a wizard wrote for the setup, which
    goes on naming them; `refusal`: why nothing may go now, "" = it may."""

    name: str
    setup: Path
    items: tuple[Item, ...]
    stays: tuple[Stay, ...]
    files: tuple[Path, ...] = ()
    secrets: tuple[Path, ...] = ()
    refusal: str = ""

    @property
    def takes_data(self) -> bool:
        """Whether the dataset goes, with the events in it, or what is left of its making."""
        return any(item.step.partition(":")[0] in _DATA for item in self.items)

    @property
    def leaves_data(self) -> bool:
        """Whether more would go, were it asked for with the data."""
        return any(stay.why is Why.DATA for stay in self.stays)

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "setup": self.name,
            "setup_file": str(self.setup),
            "destroys": [{"kind": e.kind, "name": e.name or None, "id": e.id} for e in self.items],
            "stays": [each.document() for each in self.stays],
            "files": [str(path) for path in (*self.files, *self.secrets)],
            "refusal": self.refusal or None,
        }


async def doomed(run: Run, lane: Lane | None, *, dataset: bool, retired_only: bool) -> Doomed:
    """What would go. Only looks."""
    waiting = 0 if lane is None else await lane.in_flight()
    refusal = ""
    if waiting and not retired_only:
        refusal = (
            f"{waiting} events of {run.setup.name} are still on their way: wait until they are "
            "delivered or dead (`sluice ledger`)"
        )
    items = [] if retired_only else await _in_use(run, dataset)
    listed = {(item.step, item.id) for item in items}
    items += [
        Item(step, KINDS[step], "", Action.LEAVE, found, why="was replaced")
        for step, found in run.state.retired
        if step not in _DATA and (step, found) not in listed
    ]
    order = list(KINDS)
    items.sort(key=lambda item: order.index(item.step.partition(":")[0]))
    if retired_only:
        return Doomed(run.setup.name, run.places.setup, tuple(items), ())
    stays, secrets = list(_stays(run, dataset)), typed_secrets(run.places, run.setup.name)
    if secrets and any(stay.why in (Why.DATA, Why.SHARED) for stay in stays):
        stays.append(Stay("secret files", Why.NEEDED))
        secrets = ()
    return Doomed(
        run.setup.name, run.places.setup, tuple(items), tuple(stays), _files(run), secrets, refusal
    )


async def destroy(run: Run, what: Doomed) -> None:
    """Takes it away; what is gone already is no fault. Raises SluiceError."""
    if what.refusal:
        raise SluiceError(what.refusal)
    for item in what.items:
        run.tell(Progress("doing", item))
        await _removers(run)[item.step.partition(":")[0]](item.id)
        _forget(run, item)
        run.tell(Progress("done", item))
        if item.step == "webhook" and run.lane is not None and (left := await run.lane.in_flight()):
            raise SluiceError(
                f"the webhook is gone, and {left} events are still on their way: destroy again "
                "when they are delivered"
            )
    if what.files:
        # The lock is there since we have it.
        for path in (*what.files, run.file.lock):
            path.unlink(missing_ok=True)
        _close(run)
        if run.lane is not None:
            await run.lane.open()
    # Last: without them nothing of this can be done again.
    for path in what.secrets:
        path.unlink(missing_ok=True)


async def _in_use(run: Run, dataset: bool) -> list[Item]:
    """By name, and what the state file knows: a name may have been changed since."""
    flows, name = run.ends.flows, run.setup.flow_name
    found = [
        await _one(run, "flow", flows.flows_named(name)),
        await _one(run, "target", flows.target_connections_named(name)),
        await _one(run, "base", flows.base_connections_named(name)),
    ]
    for spec in (specs.CUSTOMERIO, specs.HTTP_API):
        found.append(await _one(run, "source", flows.source_connections_named(name, spec)))
    webhook = await find_webhook(run)
    if webhook is not None:
        found.append(Item("webhook", KINDS["webhook"], webhook.name, Action.LEAVE, str(webhook.id)))
    items = [item for item in found if item is not None]
    if dataset and not _sharers(run):
        items += [
            Item(step, KINDS[step.partition(":")[0]], "", Action.LEAVE, made)
            for step, made in run.state.made
            if step.partition(":")[0] in _DATA
        ]
    return items


async def _one(run: Run, step: str, named: Awaitable[list[Any]]) -> Item | None:
    try:
        found = in_use(run, step, await named)
    except Ambiguous as several:
        raise SluiceError(
            f"there are {len(several.ids)} {KINDS[step]}s of this name ({several}), and nobody "
            "knows which is ours: delete those that are not"
        ) from None
    return None if found is None else Item(step, KINDS[step], found.name, Action.LEAVE, found.id)


def _stays(run: Run, dataset: bool) -> Iterator[Stay]:
    made = {step.partition(":")[0] for step, _ in run.state.made}
    others = tuple(_sharers(run))
    for step in _DATA:
        if step not in run.state.ids and step not in made:
            continue
        if step not in made:
            yield Stay(KINDS[step], Why.BEFORE)
        elif others:
            yield Stay(KINDS[step], Why.SHARED, others)
        elif not dataset:
            yield Stay(KINDS[step], Why.DATA)
    if "mapping" in run.state.ids:
        yield Stay("mapping set", Why.NO_CALL)
    if any(step.startswith("namespace:") for step in run.state.ids):
        yield Stay("identity namespaces", Why.NO_CALL)


def _sharers(run: Run) -> list[str]:
    """Other setups whose events lie in the same dataset, or have the same schema."""
    mine = _data_names(run.setup.written)
    found = []
    for path in run.places.folders.files("setups"):
        faults: list[str] = []
        document = read_yaml(path, faults) if path != run.places.setup else None
        # What cannot be read may name it, too.
        if faults or (document is not None and mine & _data_names(document)):
            found.append(path.stem)
    return found


def _data_names(written: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """(organization, sandbox, what, name) of each, defaults filled in."""
    platform = written.get("platform")
    given = platform if isinstance(platform, dict) else {}
    schema, dataset = given.get("schema") or {}, given.get("dataset") or {}
    where = (str(given.get("org_id")), str(given.get("sandbox_name", "prod")))
    schemas, datasets = WantedSchema.model_fields, WantedDataset.model_fields
    return {
        (*where, "dataset", str(dataset.get("name", datasets["name"].default))),
        (*where, "schema", str(schema.get("title", schemas["title"].default))),
        (*where, "field group", str(schema.get("field_group", schemas["field_group"].default))),
    }


def _files(run: Run) -> tuple[Path, ...]:
    places = run.places
    own = [places.signing_key, run.file.path, run.file.lock]
    if places.connection.is_file() and is_ours(places.connection):
        own.insert(0, places.connection)
    return tuple(path for path in own if path.is_file())


def _close(run: Run) -> None:
    """Of what stays it is remembered that we made it: it may be destroyed later."""
    left = [each for each in run.state.made if each[0].partition(":")[0] in _DATA]
    run.file.remove()
    if left:
        run.state.made = left
        run.file.save()


def _forget(run: Run, item: Item) -> None:
    state = run.state
    pair = (item.step, item.id)
    state.retired = [each for each in state.retired if tuple(each) != pair]
    state.made = [each for each in state.made if tuple(each) != pair]
    if state.ids.get(item.step) == item.id:
        del state.ids[item.step]
    run.file.save()


def _removers(run: Run) -> dict[str, Callable[[str], Awaitable[bool]]]:
    ends = run.ends
    return {
        "webhook": lambda found: ends.webhooks.delete(int(found)),
        "flow": ends.flows.delete_flow,
        "source": ends.flows.delete_source_connection,
        "target": ends.flows.delete_target_connection,
        "base": ends.flows.delete_base_connection,
        "dataset": ends.catalog.delete_dataset,
        "descriptor": ends.registry.delete_descriptor,
        "schema": lambda found: ends.registry.delete("schemas", found),
        "field_group": lambda found: ends.registry.delete("fieldgroups", found),
    }
