"""Recipes in the console: read, written, tried, run; and what each role may."""

from __future__ import annotations

from html import unescape

import orjson
import pytest
from arq.connections import ArqRedis

from app.core.replay_run import RunState
from app.store import keys
from app.store.dead_letters import DeadLetters, Filter
from app.store.recipes import Recipes
from app.store.replay_runs import ReplayRuns
from app.web.console.config import Console
from tests.dead import bury, letter_of
from tests.web.console.conftest import Browser, Visit, field_of, trail

RECIPE = """\
about: Subjects that are numbers
selection: {class: schema}
steps:
  - {cast: /data/subject, to: string}
  - {drop: /data/junk, optional: true}
rate: 50
stop: {at: 0.1, least: 7}
"""


def event(at: int, subject: object) -> bytes:
    return orjson.dumps({
        "event_id": f"01HF{at:022d}", "object_type": "email", "metric": "sent",
        "timestamp": 1_700_000_000,
        "data": {"customer_id": "c1", "delivery_id": "D", "identifiers": {"id": "c1"},
                 "subject": subject},
    })  # fmt: skip


async def three_dead(redis: ArqRedis) -> list[int]:
    """Two that the recipe mends, one that it cannot."""
    bodies = [event(0, 7), event(1, 8), event(2, {"deep": 1})]
    return await bury(redis, [letter_of(each, at, causes=1) for at, each in enumerate(bodies)])


async def kept(console: Console, text: str = RECIPE) -> None:
    assert await Recipes(console.redis).save("subjects", text, "anna")


async def written(browser: Browser, act: str = "save", **fields: str) -> tuple[int, str]:
    given = {"name": "subjects", "text": RECIPE, "seen": "0", "act": act, **fields}
    answer = await browser.post("/recipes/_save", given)
    return answer.status, unescape(await answer.text())


async def test_a_recipe_is_written_listed_read_changed_and_deleted(
    console: Console, visit: Visit
) -> None:
    browser = await visit(console, "operator")
    _, page = await browser.get("/recipes")
    assert "No recipe is saved" in page and 'href="/recipes/_new"' in page
    crlf = RECIPE.replace("\n", "\r\n")
    assert (await written(browser, text=crlf))[0] == 303
    found = await Recipes(console.redis).get("subjects")
    assert found and (found.version, found.who, found.text) == (1, "operator", RECIPE)

    _, page = await browser.get("/recipes")
    assert "Subjects that are numbers" in page and "class=schema" in page
    _, page = await browser.get("/recipes/subjects")
    assert "subjects@1" in page and "cast /data/subject to string" in page
    _, page = await browser.get("/recipes/subjects/edit")
    assert field_of(page, "seen") == "1" and "cast: /data/subject" in page
    status, _ = await written(browser, text=RECIPE.replace("50", "60"), seen="1")
    assert status == 303
    assert (await browser.post("/recipes/subjects/delete", {})).status == 303
    assert await Recipes(console.redis).all() == []
    acts = [(who, what, origin) for who, what, _, origin in await trail(console)][:3]
    assert acts == [
        ("operator", "recipes.delete", "127.0.0.1"), ("operator", "recipes.save", "127.0.0.1"),
        ("operator", "recipes.save", "127.0.0.1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("selection: {class: schema}\nsteps: [", "no YAML: line 2, column"),
        ("steps: [{drop: /a}]", "selection: say which dead letters"),
        (RECIPE.replace("cast", "cats"), "steps.1: one of set, rename, cast"),
        (RECIPE.replace("class: schema", "group: '0123'"), "no group begins with '0123'"),
    ],
)
async def test_what_is_no_recipe_is_said_as_it_is_typed_and_not_saved(
    console: Console, visit: Visit, text: str, says: str
) -> None:
    browser = await visit(console, "operator")
    checked = await browser.post("/recipes/_check", {"text": text})
    page = unescape(await checked.text())
    assert checked.status == 200 and says in page and "<html" not in page
    status, page = await written(browser, text=text)
    assert status == 422 and says in page and text.splitlines()[0] in page
    assert await Recipes(console.redis).all() == []


async def test_a_good_one_is_told_in_words_as_it_is_typed(console: Console, visit: Visit) -> None:
    browser = await visit(console, "operator")
    page = await (await browser.post("/recipes/_check", {"text": RECIPE})).text()
    for said in ("class=schema", "drop /data/junk (optional)", "at most 50/s", "10 %"):
        assert said in page


async def test_nobody_saves_over_what_somebody_else_saved_meanwhile(
    console: Console, visit: Visit
) -> None:
    await kept(console, "theirs")
    browser = await visit(console, "operator")
    for seen in ("0", "2", "x"):
        status, page = await written(browser, seen=seen)
        assert status == 409 and "meanwhile" in page
    assert (await written(browser, name="No Name"))[0] == 422
    found = await Recipes(console.redis).get("subjects")
    assert found and found.text == "theirs"


async def test_a_dry_run_says_what_passes_what_changes_and_what_does_not(
    console: Console, visit: Visit
) -> None:
    await three_dead(console.redis)
    await kept(console)
    browser = await visit(console, "operator")
    saved = (await browser.get("/recipes/subjects/trial"))[1]
    typed = (await written(browser, "try"))[1]
    for page in map(unescape, (saved, typed)):
        assert "2 of 3</span> tried would pass" in page
        assert "would stay dead: step 1 (cast /data/subject): not_castable" in page
        assert "without an optional step: step 2 (drop /data/junk): absent" in page
        assert "<code>7</code>" in page and '<code>"7"</code>' in page
    assert len([each async for each in DeadLetters(console.redis).find(Filter())]) == 3
    assert [what for _, what, *_ in await trail(console)][:2] == ["recipes.dry-run"] * 2


async def test_a_recipe_is_frozen_tried_and_started_with_its_own_orders(
    console: Console, visit: Visit
) -> None:
    await three_dead(console.redis)
    await kept(console)
    browser = await visit(console, "operator")
    answer = await browser.post("/recipes/subjects/freeze", {})
    path = answer.headers["Location"]
    assert (answer.status, path) == (303, "/replays/1")
    _, page = await browser.get(path)
    assert "follows the recipe" in page and "Replay 3 letters" in page and 'value="50"' in page
    _, tried = await browser.get(f"{path}/trial")
    assert "2 of 3</span> tried would pass" in tried and "mended" in tried

    started = await browser.post(f"{path}/start", {"expected": "3", "rate": "50", "stop_at": "10"})
    assert started.status == 303
    run = await ReplayRuns(console.redis).get(1)
    assert run and (run.state, run.recipe, run.recipe_text) == (
        RunState.RUNNING, "subjects@1", RECIPE,
    )  # fmt: skip
    assert (run.orders.rate, run.orders.stop_at, run.orders.stop_least) == (50, 0.1, 7)
    # What a worker would count: what is kept dead is done, too.
    counted = {"put": 2, "delivered": 2, "kept": 1, "kept:step 1: absent": 1}
    await console.redis.hset(keys.replay_run(1), mapping=counted)  # type: ignore[misc]
    for shown in (path, "/replays"):
        _, page = await browser.get(shown)
        assert 'max="3" value="3"' in page, "the bar is full"
    assert "<strong>1</strong> kept dead: step 1: absent" in (await browser.get(path))[1]
    assert f'href="{path}"' in (await browser.get("/recipes/subjects"))[1]


async def test_a_recipe_for_another_mapping_version_is_refused_at_its_start(
    console: Console, visit: Visit
) -> None:
    await three_dead(console.redis)
    await kept(console, f"mapping: customerio-default@99\n{RECIPE}")
    browser = await visit(console, "operator")
    path = (await browser.post("/recipes/subjects/freeze", {})).headers["Location"]
    assert "It would be refused: example is mapped with" in (await browser.get(f"{path}/trial"))[1]
    orders = {"expected": "3", "rate": "5", "stop_at": "10"}
    answer = await browser.post(f"{path}/start", orders)
    assert answer.status == 409 and "customerio-default@99" in await answer.text()
    run = await ReplayRuns(console.redis).get(1)
    assert run and run.state is RunState.FROZEN


async def test_a_viewer_reads_recipes_and_is_shown_no_button(
    console: Console, visit: Visit
) -> None:
    await kept(console)
    browser = await visit(console, "viewer")
    for path in ("/recipes", "/recipes/subjects"):
        status, page = await browser.get(path)
        assert status == 200 and "Subjects that are numbers" in page
        assert "/freeze" not in page and "/edit" not in page and "_new" not in page


async def test_one_that_is_not_there_or_cannot_be_read_any_more(
    console: Console, visit: Visit
) -> None:
    await kept(console, "steps: of a later release")
    browser = await visit(console, "operator")
    for path in ("/recipes/nobody", "/recipes/No%20Name", "/recipes/nobody/edit"):
        assert (await browser.get(path))[0] == 404
    for act in ("freeze", "delete"):
        assert (await browser.post(f"/recipes/nobody/{act}", {})).status == 404
    assert "cannot be read by this release" in (await browser.get("/recipes"))[1]
    assert "/freeze" not in (await browser.get("/recipes/subjects"))[1]
    assert (await browser.post("/recipes/subjects/freeze", {})).status == 409
    trial = await browser.get("/recipes/subjects/trial")
    assert trial[0] == 409 and "selection: say which" in trial[1]
