"""/api/v1 as a program meets it: what is masked, bounded, refused with a reason, written down."""

from __future__ import annotations

from typing import Any

import orjson

from app.store.connect import Store
from app.store.users import Role
from app.web.console.api.table import ENTRIES
from app.web.console.config import Console
from tests.dead import bury, letter_of
from tests.web.console.conftest import Browser, Visit, trail
from tests.web.console.furnish import HOSTILE, body_of, furnish


class Program:
    """Asks with a token."""

    def __init__(self, browser: Browser, token: str) -> None:
        self._browser, self._token = browser, token

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        content = body if isinstance(body, bytes) else orjson.dumps(body) if body else None
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._browser.client.request(
            method, f"/api/v1{path}", data=content, headers=headers
        ) as answer:
            raw = await answer.read()
            is_json = answer.content_type == "application/json"
            return answer.status, orjson.loads(raw) if is_json else raw


async def program(console: Console, visit: Visit, role: Role) -> Program:
    user = await console.users.get(role.value)
    assert user
    return Program(await visit(console), await console.tokens.make(user, 1, "ci"))


async def test_the_index_tells_of_every_address(console: Console, visit: Visit) -> None:
    ask = await program(console, visit, Role.VIEWER)
    status, told = await ask("GET", "")
    assert status == 200
    assert len(told["addresses"]) == len(ENTRIES)
    assert all(entry["about"] for entry in told["addresses"])


async def test_viewers_see_how_an_event_is_built_and_not_what_it_says(
    console: Console, visit: Visit, store: Store
) -> None:
    number = await furnish(store)
    [edited] = await bury(store, [letter_of(body_of("E2", subject="secret one"), 7)])
    operator = await program(console, visit, Role.OPERATOR)
    patch = [{"op": "add", "path": "/data/subject", "value": "secret two"}]
    assert (await operator("PUT", f"/dead-letters/{edited}/edit", {"patch": patch}))[0] == 200

    viewer = await program(console, visit, Role.VIEWER)
    for each in (number, edited):
        status, letter = await viewer("GET", f"/dead-letters/{each}")
        assert (status, letter["masked"]) == (200, True)
        said = letter["body"] + str(letter["edit"])
        assert "secret" not in said and HOSTILE not in said
        assert orjson.loads(letter["body"])["data"]["subject"].startswith("text of ")
    assert (await viewer("GET", f"/dead-letters/{edited}?whole=1"))[0] == 403

    assert "dead-letters.open" not in {what for _, what, _, _ in await trail(console)}
    _, letter = await operator("GET", f"/dead-letters/{edited}?whole=1")
    assert (letter["masked"], letter["body"]) == (
        False,
        body_of("E2", subject="secret one").decode(),
    )
    entry = (await trail(console))[0]
    assert entry == ("operator/ci", "dead-letters.open", str(edited), "127.0.0.1")


async def test_lists_are_pages_that_a_cursor_goes_through(
    console: Console, visit: Visit, store: Store
) -> None:
    numbers = await bury(store, [letter_of(body_of(f"E{n}"), n, causes=4) for n in range(30)])
    ask = await program(console, visit, Role.VIEWER)
    for path, name, mark, count in (
        ("/dead-letters?limit=7", "letters", "number", len(numbers)),
        ("/dead-letters/groups?limit=3", "groups", "fingerprint", 4),
    ):
        seen, cursor = [], ""
        while cursor is not None:
            _, page = await ask("GET", f"{path}&cursor={cursor}")
            seen += [each[mark] for each in page[name]]
            cursor = page["cursor"]
        assert len(seen) == len(set(seen)) == count


REFUSED = [
    ("GET", "/dead-letters?limit=1001", None, 400, "limit: a whole number from 0 to 1,000."),
    ("GET", "/dead-letters?cursor=x", None, 400, "cursor: this is no place in the list."),
    ("GET", "/dead-letters?connectoin=a", None, 400, "did you mean connection?"),
    ("GET", "/dead-letters?run=x", None, 400, "run: a whole number"),
    ("GET", "/dead-letters?person=ada", None, 400, "person: send it in a POST"),
    ("GET", "/dead-letters?numbers=1,,2", None, 400, "numbers: a list of 1 to 1,000"),
    ("GET", "/dead-letters/groups?state=odd", None, 400, "state: one of new, known"),
    ("GET", "/dead-letters/groups?cursor=x", None, 400, "no place in the list"),
    ("GET", "/dead-letters/99", None, 404, "There is no such dead letter."),
    ("GET", "/dead-letters/x", None, 404, "There is no such dead letter."),
    ("GET", "/replays/99", None, 404, "There is no such replay."),
    ("GET", "/recipes/none", None, 404, "There is no such recipe."),
    ("GET", "/audit?cursor=x", None, 400, "no entry of the audit trail"),
    ("GET", "/events/" + "x" * 300, None, 400, "An event id has at most"),
    ("GET", "/nothing", None, 404, "There is no such page."),
    ("POST", "/dead-letters/list", b"{", 400, "The body is no JSON"),
    ("POST", "/dead-letters/list", [1], 400, "Send a JSON object."),
    ("POST", "/dead-letters/list", b"{}" + b" " * 70_000, 413, ""),
    ("POST", "/dead-letters/replay", {"numbers": [1.5]}, 400, "numbers: a list"),
    ("POST", "/dead-letters/discard", {"numbers": list(range(1001))}, 400, "numbers: a list"),
    ("POST", "/dead-letters/discard", {"numbers": [1], "reason": 1}, 400, "reason: a text"),
    ("POST", "/dead-letters/export", {}, 400, "wanted: say which"),
    ("POST", "/dead-letters/export", {"wanted": {}, "cursor": "x"}, 400, "no place"),
    ("POST", "/dead-letters/import", b"{}", 422, "line 1: body is absent."),
    ("POST", "/dead-letters/find", {"wanted": {}}, 400, "word: say what to look for."),
    ("POST", "/dead-letters/search", {"wanted": {}}, 400, "text: say what bodies"),
    ("PUT", "/dead-letters/1/edit", {"patch": {}}, 400, "a list of operations"),
    ("PUT", "/dead-letters/1/edit", {"patch": [{"op": "remove", "path": "/event_id"}]}, 422,
     "the event_id must stay what it is"),
    ("DELETE", "/dead-letters/99/edit", None, 404, "no dead letter of this number"),
    ("PUT", "/dead-letters/groups/zz/note", {"text": "x"}, 404, "There is no such group."),
    ("PUT", "/dead-letters/groups/0123456789abcdef/state", {"state": "known"}, 404, "no such"),
    ("PUT", "/dead-letters/groups/0123456789abcdef/state", {"state": "new"}, 400, "state:"),
    ("POST", "/replays", {"wanted": {}, "rate": 0}, 400, "rate: a number from 0.1"),
    ("POST", "/replays", {"recipe": "none"}, 404, "There is no recipe 'none'."),
    ("POST", "/replays/1/start", {}, 409, "expected: 1 are selected"),
    ("PUT", "/recipes/Bad", {"text": "x"}, 400, "A recipe's name"),
    ("PUT", "/recipes/good", {"text": "steps: 7"}, 422, "selection: say which dead letters"),
    ("POST", "/recipes/dry-run", {"text": "x: 1"}, 422, "there is no such key"),
    ("POST", "/lanes/example/pause", {"reason": " "}, 400, "reason: say why"),
    ("POST", "/lanes/example/pause", {"reason": "x", "for": "soon"}, 400, "for: "),
    ("POST", "/lanes/nobody/resume", None, 404, "There is no such connection."),
]  # fmt: skip


async def test_what_cannot_be_done_is_refused_with_the_reason(
    console: Console, visit: Visit, store: Store
) -> None:
    await furnish(store)
    before = await trail(console)
    ask = await program(console, visit, Role.OPERATOR)
    for method, path, body, status, why in REFUSED:
        code, answer = await ask(method, path, body)
        assert (code, why in answer["error"]) == (status, True), (path, answer)
    assert await trail(console) == before, "nothing was done, so nothing is written down"


async def test_a_recipe_is_run_by_its_name_alone(
    console: Console, visit: Visit, store: Store
) -> None:
    await bury(store, [letter_of(body_of(f"E{n}"), n, causes=1) for n in range(5)])
    ask = await program(console, visit, Role.OPERATOR)
    [group] = (await ask("GET", "/dead-letters/groups"))[1]["groups"]
    text = f"selection: {{group: '{group['fingerprint'][:5]}', older: 1s}}\n"
    text += "steps: [{drop: /data}]\nrate: 12\n"
    assert (await ask("PUT", "/recipes/drop", {"text": text}))[1] == {"name": "drop", "version": 1}
    _, tried = await ask("POST", "/recipes/dry-run", {"recipe": "drop", "shown": 1})
    assert (tried["trial"]["tried"], tried["unfit"]) == (5, [])
    assert (await ask("POST", "/replays", {"recipe": "drop@2"}))[0] == 409

    status, run = await ask("POST", "/replays", {"recipe": "drop"})
    assert (status, run["state"], run["frozen"], run["rate"]) == (201, "frozen", 5, 12)
    assert (await ask("POST", f"/replays/{run['number']}/start", {"expected": 4}))[0] == 409
    _, run = await ask("POST", f"/replays/{run['number']}/start", {"expected": 5})
    assert (run["changed"], run["state"], run["by"]) == (True, "running", "operator/ci")
