"""The dataset (platform.md section 5.3)."""

from __future__ import annotations

from typing import Final

from app.adobe.catalog import Dataset as Found
from app.adobe.flow_service import specs
from app.connect.plan import Action, Difference, Item, fresh
from app.connect.run import LATER, Run, blocked
from app.connect.wanted import DESCRIPTION

DATASET: Final = "dataset"
PROFILE: Final = "profile"
EXPIRY: Final = "row_expiry"


class Dataset:
    """Made with error diagnostics on; whose schema is another one, it is somebody else's."""

    key, kind = DATASET, "dataset"

    async def look(self, run: Run) -> list[Item]:
        wanted = run.setup.platform.dataset
        found = await _find(run)
        run.facts["dataset"] = found
        if found is None:
            run.ids[self.key] = ""
            made_of = fresh(*_parts(run))
            return [Item(self.key, self.kind, wanted.name, Action.CREATE, differences=made_of)]
        run.ids[self.key] = found.id
        if found.schema_id != run.id("schema") or found.schema_type != specs.SCHEMA_TYPE:
            why = (
                f"its schema is {found.schema_id} as {found.schema_type}, and a dataset keeps its "
                "schema: choose another name for the dataset"
            )
            return [blocked(self, wanted.name, why, found.id)]
        why = ""
        if found.profile and not wanted.profile:
            why = "its rows go to Profile, too; that is switched off in Platform only"
        if not found.error_diagnostics:
            why = "error diagnostics are off: what Platform refuses cannot be read again"
        action = Action.LEAVE if why else Action.EXISTS
        return [Item(self.key, self.kind, wanted.name, action, found.id, why=why)]

    async def act(self, run: Run, item: Item) -> None:
        made = await run.ends.catalog.create_dataset(
            item.name, run.id("schema"), specs.SCHEMA_TYPE, DESCRIPTION,
            error_diagnostics=True, profile=run.setup.platform.dataset.profile,
        )  # fmt: skip
        run.ids[self.key] = made


class Profile:
    """Rows go on to Profile and Identity; a dataset that is made anew has it from the start."""

    key, kind = PROFILE, "dataset's Profile"

    async def look(self, run: Run) -> list[Item]:
        wanted = run.setup.platform.dataset
        found: Found | None = run.facts["dataset"]
        if not wanted.profile:
            return []
        if found is None or (found.profile and found.identity):
            return [Item(self.key, self.kind, wanted.name, Action.EXISTS)]
        change = (Difference("tags.unifiedProfile", "", "enabled:true"),)
        return [Item(self.key, self.kind, wanted.name, Action.CHANGE, "", change)]

    async def act(self, run: Run, item: Item) -> None:
        await run.ends.catalog.enable_profile(run.id(DATASET))
        run.facts["dataset"] = await run.ends.catalog.dataset(run.id(DATASET))


class RowExpiry:
    """How long rows are kept."""

    key, kind = EXPIRY, "dataset's row expiry"

    async def look(self, run: Run) -> list[Item]:
        wanted = run.setup.platform.dataset
        found: Found | None = run.facts["dataset"]
        have = "" if found is None else found.row_expiry
        if wanted.row_expiry is None:
            if not have:
                return []
            why = f"rows go after {have}; the setup says nothing about it"
            return [Item(self.key, self.kind, wanted.name, Action.LEAVE, why=why)]
        if have == wanted.row_expiry:
            return [Item(self.key, self.kind, wanted.name, Action.EXISTS)]
        change = (Difference("ttlValue", have, wanted.row_expiry),)
        return [Item(self.key, self.kind, wanted.name, Action.CHANGE, "", change)]

    async def act(self, run: Run, item: Item) -> None:
        wanted = run.setup.platform.dataset.row_expiry
        if wanted is not None:
            await run.ends.catalog.set_row_expiry(run.id(DATASET), wanted)


def _parts(run: Run) -> list[tuple[str, object]]:
    """What a new one has; its row expiry is set by a call of its own."""
    wanted = run.setup.platform.dataset
    tag = "enabled:true" if wanted.profile else "off"
    return [
        ("schemaRef.id", run.id("schema") or LATER),
        ("schemaRef.contentType", specs.SCHEMA_TYPE),
        ("enableErrorDiagnostics", True),
        ("tags.unifiedProfile", tag),
        ("tags.unifiedIdentity", tag),
        ("rowExpiration.ttlValue", wanted.row_expiry or "none: rows stay"),
    ]


async def _find(run: Run) -> Found | None:
    """Raises Ambiguous."""
    named = await run.ends.catalog.datasets_named(run.setup.platform.dataset.name)
    chosen = run.pick(DATASET, [{"id": each.id} for each in named])
    if chosen is None:
        return None
    # A listing may leave properties out.
    return await run.ends.catalog.dataset(chosen["id"])
