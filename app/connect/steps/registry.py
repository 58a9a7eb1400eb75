"""Field group, schema and identity descriptors (platform.md section 5.1).

Only what is missing is added: once data came in, nothing may be removed, renamed or narrowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.adobe.schema_registry import Resource
from app.connect import tutorial
from app.connect.plan import Action, Difference, Item, fresh
from app.connect.run import LATER, Run, blocked
from app.connect.schema_bodies import (
    clashing_fields,
    field_group_body,
    field_types,
    missing_fields,
    schema_body,
    standard_parts,
    tenant_fields,
)
from app.core.xdm.compose.document import TENANT_GROUP_DESCRIPTION

FIELD_GROUP: Final = "field_group"
SCHEMA: Final = "schema"

_CUSTOM: Final = "customFields"
_SHOWN: Final = 5
# platform.md section 2.4.
_CACHED: Final = (
    "Platform's validator may know a changed schema only after 15 minutes, and refuses fields that "
    "it does not know: hold the lane for so long (`sluice lanes pause {name} --for 15m`) before "
    "anything writes the new ones"
)


class Tenant:
    """Whose fields they are: asked first, since everything below names it. Nothing to make."""

    key, kind = "tenant", "tenant"

    async def look(self, run: Run) -> list[Item]:
        run.tenant = await run.ends.registry.tenant_id()
        return [Item(self.key, self.kind, run.tenant, Action.EXISTS, run.tenant)]

    async def act(self, run: Run, item: Item) -> None:
        """There is nothing to do."""


class FieldGroup:
    """The tenant's own fields, those of the document in config/schemas."""

    key, kind = FIELD_GROUP, "field group"

    async def look(self, run: Run) -> list[Item]:
        title = _group_title(run)
        found = await run.ends.registry.titled("fieldgroups", title)
        if found is None:
            run.ids[self.key] = ""
            made_of = fresh(*field_types(_fields(run)))
            return [Item(self.key, self.kind, title, Action.CREATE, differences=made_of)]
        run.ids[self.key] = found.id
        wanted, (_, have) = _fields(run), _custom(found)
        if clashes := list(clashing_fields(wanted, have)):
            said = "; ".join(f"{p} is {f}, not {w}" for p, f, w in clashes[:_SHOWN])
            why = f"types cannot be changed ({said}): choose another title for field_group"
            return [blocked(self, title, why, found.id)]
        missing = list(missing_fields(wanted, have))
        differences = tuple(
            Difference(pointer.replace("/properties", "").strip("/").replace("/", "."), "", "added")
            for pointer, _ in missing
        )
        if missing:
            run.note(_CACHED.format(name=run.setup.name))
        action = Action.CHANGE if missing else Action.EXISTS
        data = {"found": found}
        return [Item(self.key, self.kind, title, action, found.id, differences, data=data)]

    async def act(self, run: Run, item: Item) -> None:
        registry = run.ends.registry
        if item.action is Action.CREATE:
            body = field_group_body(item.name, TENANT_GROUP_DESCRIPTION, _fields(run))
            run.ids[self.key] = (await registry.create("fieldgroups", body)).id
            return
        where, have = _custom(item.data["found"])
        operations = [
            {"op": "add", "path": f"/definitions/{where}/properties{pointer}", "value": schema}
            for pointer, schema in missing_fields(_fields(run), have)
        ]
        await registry.patch("fieldgroups", item.id, operations)


class Schema:
    """The class, Adobe's field groups, and ours."""

    key, kind = SCHEMA, "schema"

    async def look(self, run: Run) -> list[Item]:
        title = tutorial.SCHEMA if run.tutorial else run.setup.platform.schema_.title
        found = await run.ends.registry.titled("schemas", title)
        if found is None:
            run.ids[self.key] = ""
            made_of = fresh(*self._made_of(run))
            return [Item(self.key, self.kind, title, Action.CREATE, differences=made_of)]
        run.ids[self.key] = found.id
        parts = _parts(run)
        if parts[0] not in found.refs:
            why = f"its class is another one than {parts[0]}: choose another title for the schema"
            return [blocked(self, title, why, found.id)]
        return [self._judged(run, found, parts)]

    def _made_of(self, run: Run) -> list[tuple[str, object]]:
        union = run.setup.platform.schema_.union
        own, *standard, ours = _parts(run)
        return [
            ("class", own),
            *(("field group", group) for group in standard),
            ("field group", f"{_group_title(run)} {ours}"),
            ("meta:immutableTags", "union" if union else "none: not enabled for Profile"),
        ]

    def _judged(self, run: Run, found: Resource, parts: tuple[str, ...]) -> Item:
        wants_union = run.setup.platform.schema_.union
        differences = [Difference("allOf", "", part) for part in parts if part not in found.refs]
        if wants_union and not found.union:
            differences.append(Difference("meta:immutableTags", "", "union"))
        why = ""
        if found.union and not wants_union:
            why = "it is enabled for Profile, which cannot be undone"
        if differences:
            run.note(_CACHED.format(name=run.setup.name))
        action = Action.CHANGE if differences else Action.LEAVE if why else Action.EXISTS
        data = {"found": found}
        title = found.title
        return Item(self.key, self.kind, title, action, found.id, tuple(differences), why, data)

    async def act(self, run: Run, item: Item) -> None:
        registry, wanted = run.ends.registry, run.setup.platform.schema_
        if item.action is Action.CREATE:
            description = str(run.documents.schema.get("description", ""))
            body = schema_body(item.name, description, _parts(run), union=wanted.union)
            run.ids[self.key] = (await registry.create("schemas", body)).id
            return
        found: Resource = item.data["found"]
        operations: list[dict[str, Any]] = [
            {"op": "add", "path": "/allOf/-", "value": {"$ref": part}}
            for part in _parts(run)
            if part not in found.refs
        ]
        if wanted.union and not found.union:
            tags = {"op": "add", "path": "/meta:immutableTags", "value": ["union"]}
            operations.append(tags)
        await registry.patch("schemas", item.id, operations)


class Descriptors:
    """Identity descriptors that the setup asks for; none by default (identityMap does it)."""

    key, kind = "descriptor", "identity descriptor"

    async def look(self, run: Run) -> list[Item]:
        wanted = run.setup.platform.descriptors
        if not wanted:
            return []
        schema_id = run.id(SCHEMA)
        there = await run.ends.registry.descriptors(schema_id) if schema_id else []
        by_path = {each.path: each for each in there}
        items = []
        for each in wanted:
            path = each.path.replace("{TENANT}", run.tenant)
            step, found = f"{self.key}:{path}", by_path.get(path)
            if found is None:
                made_of = fresh(
                    ("xdm:sourceSchema", schema_id or LATER),
                    ("xdm:namespace", each.namespace),
                    ("xdm:isPrimary", each.primary),
                )
                items.append(Item(step, self.kind, path, Action.CREATE, differences=made_of))
            elif (found.namespace, found.primary) == (each.namespace, each.primary):
                items.append(Item(step, self.kind, path, Action.EXISTS, found.id))
            else:
                primary = "primary, " if found.primary else ""
                why = (
                    f"the field has one ({primary}{found.namespace}), which stays once data came "
                    "in: change the setup, or delete it in Platform"
                )
                items.append(Item(step, self.kind, path, Action.BLOCKED, found.id, why=why))
        return items

    async def act(self, run: Run, item: Item) -> None:
        wanted = next(
            each
            for each in run.setup.platform.descriptors
            if each.path.replace("{TENANT}", run.tenant) == item.name
        )
        made = await run.ends.registry.create_descriptor(
            run.id(SCHEMA), item.name, wanted.namespace, primary=wanted.primary
        )
        run.ids[item.step] = made.id


def _group_title(run: Run) -> str:
    return tutorial.FIELD_GROUP if run.tutorial else run.setup.platform.schema_.field_group


def _fields(run: Run) -> dict[str, Any]:
    if run.tutorial:
        return tutorial.tutorial_fields(run.tutorial, run.tenant)
    return tenant_fields(run.documents.schema, run.tenant)


def _parts(run: Run) -> tuple[str, ...]:
    standard = standard_parts(run.documents.schema)
    # The tutorial's schema has the class and what is mapped.
    return (*(standard[:1] if run.tutorial else standard), run.id(FIELD_GROUP) or LATER)


def _custom(found: Resource) -> tuple[str, Mapping[str, Any]]:
    """(name of the definition that holds the fields, its properties)."""
    definitions = found.document.get("definitions")
    for name, each in (definitions if isinstance(definitions, dict) else {}).items():
        fields = each.get("properties") if isinstance(each, dict) else None
        if isinstance(fields, dict):
            return str(name), fields
    fields = found.document.get("properties")
    return _CUSTOM, fields if isinstance(fields, dict) else {}
