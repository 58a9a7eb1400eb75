"""Identity namespaces that `identityMap` names: they must be registered first (platform.md 5.2)."""

from __future__ import annotations

from typing import Any

from app.connect.plan import Action, Difference, Item, fresh
from app.connect.run import Run
from app.core.xdm.compose import registry_requests


class Namespaces:
    """Those that are not Adobe's own. One that is there stays as it is: codes are for ever."""

    key, kind = "namespace", "identity namespace"

    async def look(self, run: Run) -> list[Item]:
        wanted = _wanted(run)
        if not wanted:
            return []
        there = {each.code.lower(): each for each in await run.ends.namespaces.all()}
        items = []
        for body in wanted:
            code = body["code"]
            step = f"{self.key}:{code}"
            found = there.get(code.lower())
            if found is not None:
                other = () if found.id_type == body["idType"] else (
                    Difference("idType", found.id_type, body["idType"]),
                )  # fmt: skip
                action = Action.LEAVE if other else Action.EXISTS
                why = "it cannot be changed, and works as well" if other else ""
                items.append(
                    Item(step, self.kind, code, action, str(found.id), differences=other, why=why)
                )
            elif run.setup.platform.register_namespaces:
                made_of = fresh(*((key, body[key]) for key in ("name", "idType", "description")))
                items.append(Item(step, self.kind, code, Action.CREATE, differences=made_of))
            else:
                why = "register_namespaces is false; Profile refuses events of unknown namespaces"
                items.append(Item(step, self.kind, code, Action.LEAVE, why=why))
        return items

    async def act(self, run: Run, item: Item) -> None:
        body = next(each for each in _wanted(run) if each["code"] == item.name)
        made = await run.ends.namespaces.create(
            body["name"], body["code"], body["idType"], body["description"]
        )
        run.ids[item.step] = str(made.id)


def _wanted(run: Run) -> list[dict[str, Any]]:
    variables = run.setup.mapping_variables(run.tenant)
    found = registry_requests(variables)
    return [each["body"] for each in found if each["creates"] == "identity namespace"]
