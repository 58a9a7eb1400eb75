"""What goes when a connection is destroyed, in the order of platform.md section 1.10, and what
stays.

Only what we made goes, as the state file knows it; what was there before stays. A dataset goes
only when that was asked for by name; with it go schema and field group, unless something else needs
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from app.connect.belongings import belongings, made_by_us, webhooks_of
from app.connect.connection_file import is_ours
from app.connect.lane import Lane
from app.connect.plan import Action, Item
from app.connect.run import Run
from app.connect.sharing import sharers
from app.connect.signing_keys import key_files
from app.connect.typed_secrets import typed_secrets
from app.customerio.webhooks import Webhook

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
DATA: Final = ("dataset", "descriptor", "schema", "field_group")
# Of what each is a part: it is needed for as long as that stays.
_PART_OF: Final = {"schema": "dataset", "field_group": "schema"}


class Why(StrEnum):
    """Why something stays."""

    BEFORE = "was there before"
    SWITCHED_OFF = "was there before, and is switched off"
    SHARED = "named by other setups"
    USED = "needed by what stays"
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
    goes on naming them; `refusal`: why nothing may go now, "" = it may; `closes`: the connection
    ends, rather than lose what was replaced only."""

    name: str
    setup: Path
    items: tuple[Item, ...]
    stays: tuple[Stay, ...]
    files: tuple[Path, ...] = ()
    secrets: tuple[Path, ...] = ()
    refusal: str = ""
    closes: bool = True

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to do."""
        off = any(stay.why is Why.SWITCHED_OFF for stay in self.stays)
        return not (self.items or self.files or self.secrets or off)

    @property
    def takes_data(self) -> bool:
        """Whether the dataset goes, with the events in it, or what is left of its making."""
        return any(_kind(item.step) in DATA for item in self.items)

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
    name, setup = run.setup.name, run.places.setup
    if retired_only:
        return Doomed(name, setup, tuple(_in_order(_replaced(run))), (), closes=False)
    refusal = await _refusal(name, lane)
    items, stays = await _in_use(run)
    data = _data_stays(run, dataset)
    if dataset:
        items += [
            Item(step, KINDS[kind], "", Action.LEAVE, made)
            for step, made in run.state.made
            if (kind := _kind(step)) in DATA and kind not in data
        ]
    stays += [*data.values(), *_undeletable(run)]
    secrets = typed_secrets(run.places, name)
    if secrets and any(stay.why in (Why.DATA, Why.SHARED, Why.USED) for stay in stays):
        stays.append(Stay("secret files", Why.NEEDED))
        secrets = ()
    files = _files(run, remembers=any(_kind(step) in data for step, _ in run.state.made))
    return Doomed(name, setup, tuple(_in_order(items)), tuple(stays), files, secrets, refusal)


async def _refusal(name: str, lane: Lane | None) -> str:
    waiting = 0 if lane is None else await lane.in_flight()
    if not waiting:
        return ""
    return (
        f"{waiting} events of {name} are still on their way: wait until they are delivered or dead "
        "(`sluice ledger`)"
    )


async def _in_use(run: Run) -> tuple[list[Item], list[Stay]]:
    """What we made, and what was there before."""
    items = [item for item in _replaced(run) if made_by_us(run, item.step, item.id)]
    stays = []
    for step, found, name, ours in await belongings(run):
        if ours:
            items.append(Item(step, KINDS[step], name, Action.LEAVE, found))
        else:
            stays.append(Stay(KINDS[step], Why.BEFORE))
    for webhook, ours in await webhooks_of(run):
        if ours:
            name, found = webhook.name, str(webhook.id)
            items.append(Item("webhook", KINDS["webhook"], name, Action.LEAVE, found))
        else:
            off = calls_us(run, webhook)
            stays.append(Stay(KINDS["webhook"], Why.SWITCHED_OFF if off else Why.BEFORE))
    return items, list(dict.fromkeys(stays))


def calls_us(run: Run, webhook: Webhook) -> bool:
    """Whether it sends to an address at which nobody will know it any more."""
    return webhook.endpoint == run.setup.webhook_url and not webhook.disabled


def _replaced(run: Run) -> list[Item]:
    return [
        Item(step, KINDS[step], "", Action.LEAVE, found, why="was replaced")
        for step, found in run.state.retired
        if step not in DATA
    ]


def _in_order(items: list[Item]) -> list[Item]:
    order = list(KINDS)
    return sorted(items, key=lambda item: order.index(_kind(item.step)))


def _data_stays(run: Run, dataset: bool) -> dict[str, Stay]:
    """By kind, each judged by itself: what of it was there before, or is needed by others."""
    made = {_kind(step) for step, _ in run.state.made}
    shared = sharers(run)
    stays: dict[str, Stay] = {}
    for kind in DATA:
        others = shared["schema" if kind == "descriptor" else kind]
        if kind not in made:
            if kind in run.state.ids:
                stays[kind] = Stay(KINDS[kind], Why.BEFORE)
        elif others:
            stays[kind] = Stay(KINDS[kind], Why.SHARED, others)
        elif not dataset:
            stays[kind] = Stay(KINDS[kind], Why.DATA)
        elif _PART_OF.get(kind) in stays:
            stays[kind] = Stay(KINDS[kind], Why.USED)
    return stays


def _undeletable(run: Run) -> Iterator[Stay]:
    if "mapping" in run.state.ids:
        yield Stay("mapping set", Why.NO_CALL)
    if any(step.startswith("namespace:") for step in run.state.ids):
        yield Stay("identity namespaces", Why.NO_CALL)


def _files(run: Run, *, remembers: bool) -> tuple[Path, ...]:
    """This machine's. `remembers`: what of the data we made is still to be known."""
    places = run.places
    own = [*key_files(places.signing_key), *([] if remembers else [run.file.path])]
    if is_ours(places.connection):
        own.insert(0, places.connection)
    return tuple(path for path in own if path.is_file())


def _kind(step: str) -> str:
    return step.partition(":")[0]
