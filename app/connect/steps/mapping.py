"""The mapping set at Platform, for dataflows that map (platform.md section 4.1).

It is checked by us first, then by Platform's `validate`, and `preview` says whether both make the
same of the set's examples. When Sluice maps (mode xdm) there is none at Platform.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from app.adobe.data_prep import StoredSet
from app.adobe.flow_service import specs
from app.connect.plan import Action, Difference, Item, fresh
from app.connect.preview_differences import remarks_on
from app.connect.run import LATER, Run, blocked
from app.connect.tutorial import tutorial_set
from app.core.dataprep import compile_mapping_set
from app.core.dataprep.document import posted
from app.core.errors import ConfigError, MappingSetInvalid, SluiceError
from app.core.preview import preview
from app.core.xdm import fill_schema, types_of
from app.settings.mapping_files import check_files

MAPPING: Final = "mapping"

# Of a set that is to be changed: no version of Platform's.
_NEXT: Final = -1
_SHOWN: Final = 5
# Of a preview: examples say enough, and a request has 1 MB at most.
_EXAMPLES: Final = 50


class MappingSet:
    """Made once; a new version of the file is put in place, and the dataflow pointed at it."""

    key, kind = MAPPING, "mapping set"

    async def look(self, run: Run) -> list[Item]:
        name = _name(run)
        variables = run.setup.mapping_variables(run.tenant)
        report = check_files(run.documents.files, variables)
        if report.problems:
            why = "; ".join(str(problem) for problem in report.problems[:_SHOWN])
            return [blocked(self, name, f"{why} (`sluice mappings check` says it all)")]
        if run.tutorial:
            run.note("Adobe's mapping has neither _id nor timestamp, so events are refused later")
        if run.setup.mode == "xdm":
            rows = 0 if report.mapping_set is None else len(report.mapping_set.rows)
            why = f"Sluice maps by itself; checked: {rows} rows, {len(run.documents.examples)} "
            return [Item(self.key, self.kind, name, Action.LEAVE, why=f"{why}examples")]
        found = await self._found(run, name)
        item = self._judged(run, name, found)
        # What is to be posted is shown to Platform first, as soon as its schema is there.
        if not item.is_work:
            return [item]
        if not run.id("schema"):
            run.note("Platform looks at the mapping set when its schema is there, before it is put")
        elif refused := await approve(run, wanted_set(run)):
            return [blocked(self, name, refused, item.id)]
        return [item]

    def _judged(self, run: Run, name: str, found: StoredSet | None) -> Item:
        if found is None:
            run.ids[self.key], run.facts["mapping_version"] = "", _NEXT
            made_of = _made_of(run)
            return Item(self.key, self.kind, name, Action.CREATE, differences=made_of)
        run.ids[self.key], run.facts["mapping_version"] = found.id, found.version
        if not (differences := tuple(_differences(found, wanted_set(run)))):
            return Item(self.key, self.kind, name, Action.EXISTS, found.id)
        run.facts["mapping_version"] = _NEXT
        return Item(self.key, self.kind, name, Action.CHANGE, found.id, differences)

    async def act(self, run: Run, item: Item) -> None:
        document = wanted_set(run)
        mappings = run.ends.mappings
        if item.action is Action.CREATE:
            made = await mappings.create(document)
        else:
            made = await mappings.replace(item.id, document)
        run.ids[self.key], run.facts["mapping_version"] = made.id, made.version

    async def _found(self, run: Run, name: str) -> StoredSet | None:
        mappings = run.ends.mappings
        if run.tutorial:
            # The tutorial's has no name.
            wanted = _rows(wanted_set(run))
            there = [e async for e in mappings.sets() if not e.name and _rows(e.document) == wanted]
            there = [each for each in there if each.schema_id == run.id("schema")]
        else:
            there = await mappings.named(name)
        chosen = run.pick(self.key, [{"id": each.id} for each in there])
        # Listings need not show the rows.
        wanted_id = chosen["id"] if chosen else run.state.ids.get(self.key, "")
        return await mappings.set(wanted_id) if wanted_id else None


def wanted_set(run: Run) -> dict[str, Any]:
    """The set as it is posted; its schema is the one that dataset and target have. Raises
    ConfigError for a file that is none."""
    reference = {"id": run.id("schema"), "contentType": specs.SCHEMA_TYPE}
    if run.tutorial:
        return tutorial_set(run.tutorial, run.tenant, reference)
    variables = run.setup.mapping_variables(run.tenant)
    try:
        document = posted(run.documents.mapping, variables)
    except MappingSetInvalid as fault:
        path = run.places.folders.config / "mappings" / f"{run.setup.mapping_set}.json"
        raise ConfigError([f"{path}: {each}; mend it" for each in fault.faults]) from None
    # Platform counts versions by itself.
    document.pop("version", None)
    return {**document, "name": _name(run), "outputSchema": {"schemaRef": reference}}


async def approve(run: Run, document: dict[str, Any]) -> str:
    """What Platform refuses of the set, "" when nothing; what it maps otherwise than we do is
    told. Nothing is stored."""
    rows = document["mappings"]
    verdicts = await run.ends.mappings.validate(document)
    refused = [
        f"#{number} {row.get('source') or row.get('sourceAttribute')}: {', '.join(verdict.errors)}"
        for number, (row, verdict) in enumerate(zip(rows, verdicts, strict=True), 1)
        if not verdict.ok
    ]
    if refused:
        more = f" (and {len(refused) - _SHOWN} more)" if len(refused) > _SHOWN else ""
        return f"Platform refuses rows of it: {'; '.join(refused[:_SHOWN])}{more}"
    if not run.tutorial:
        await _compare(run, document)
    return ""


async def _compare(run: Run, document: dict[str, Any]) -> None:
    every = run.documents.examples
    events = every[:_EXAMPLES]
    if not events:
        run.note(
            "the mapping set has no examples, so Platform's preview is not held against ours: put "
            f"some into config/mappings/examples/{run.setup.mapping_set}.json"
        )
        return
    theirs = await run.ends.mappings.preview(events, document)
    schema = fill_schema(run.documents.schema, run.setup.mapping_variables(run.tenant))
    try:
        ours = compile_mapping_set(document, {}, types_of(schema))
    except MappingSetInvalid as fault:
        raise SluiceError(f"the mapping set as it would be posted: {fault}") from None
    pairs = [(preview(ours, None, e).data, t.record) for e, t in zip(events, theirs, strict=True)]
    for remark in remarks_on(pairs):
        run.note(remark)
    if len(every) > len(events):
        run.note(f"only the first {len(events)} of {len(every)} examples were shown to Platform")


def _name(run: Run) -> str:
    return run.setup.flow_name


def _made_of(run: Run) -> tuple[Difference, ...]:
    """A new set's schema, and each of its rows."""
    rows = _rows(wanted_set(run))
    source = (
        f"Adobe's tutorial, {run.tutorial}" if run.tutorial else f"{run.setup.mapping_set}.json"
    )
    return fresh(
        ("outputSchema", run.id("schema") or LATER),
        ("mappings", f"{len(rows)} rows, of {source}"),
        *((destination, f"{kind} {text}") for kind, text, destination in rows),
    )


def _differences(found: StoredSet, wanted: dict[str, Any]) -> Iterator[Difference]:
    """Rows, and the schema, whatever spelling they came in."""
    schema = wanted["outputSchema"]["schemaRef"]["id"]
    if found.schema_id != schema:
        yield Difference("outputSchema", found.schema_id, schema)
    have, want = _rows(found.document), _rows(wanted)
    for row in have:
        if row not in want:
            yield Difference(row[2], f"{row[0]} {row[1]}", "")
    for row in want:
        if row not in have:
            yield Difference(row[2], "", f"{row[0]} {row[1]}")
    if sorted(have) == sorted(want) and have != want:
        yield Difference("order of the rows", "another", "that of the file")


def _rows(document: Any) -> list[tuple[str, str, str]]:
    try:
        body = posted({**document, "outputSchema": {"schemaRef": {"id": "any"}}})
    except (MappingSetInvalid, TypeError):
        return []
    return [(each["sourceType"], each["source"], each["destination"]) for each in body["mappings"]]
