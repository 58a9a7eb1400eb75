"""Saved recipes, and runs that follow one, over a real server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from arq.connections import ArqRedis

from app.core.batch import decode
from app.core.dead_letter import DeadLetter, Edit
from app.core.errors import RecipeInvalid
from app.core.recipe import read_recipe
from app.core.replay_run import Orders, ReplayRun, RunState
from app.core.replay_words import counts_of
from app.store import keys
from app.store.audit import Audit
from app.store.dead_letters import DeadLetters, Filter
from app.store.ledger import Ledger
from app.store.recipes import Recipes, selected_by
from app.store.replay_runs import ReplayRuns
from app.store.replay_steps import ReplaySteps, Sorted
from tests.store.burying import NOW_MS, bury, open_batches, settle

FAST = Orders(rate=100_000.0, stop_at=0.2, stop_least=10)


async def test_a_recipe_is_saved_listed_changed_and_deleted(store: ArqRedis) -> None:
    recipes = Recipes(store)
    assert await recipes.get("zones") is None
    assert await recipes.save("zones", "text: é", "anna") == 1
    assert await recipes.save("ages", "x", "anna") == 1

    found = await recipes.get("zones")

    assert found is not None
    assert (found.name, found.version, found.who, found.text) == ("zones", 1, "anna", "text: é")
    assert found.saved_ms > 1_700_000_000_000
    assert [each.name for each in await recipes.all()] == ["ages", "zones"]
    assert (await recipes.delete("zones", "bert"), await recipes.delete("zones", "bert")) == (
        True, False,
    )  # fmt: skip
    assert [each.name for each in await recipes.all()] == ["ages"]


async def test_a_version_is_given_once_also_after_a_deletion(store: ArqRedis) -> None:
    recipes = Recipes(store)

    assert [await recipes.save("zones", text, "anna") for text in ("a", "a", "b", "a")] == [
        1, 1, 2, 3,
    ]  # fmt: skip
    await recipes.delete("zones", "anna")
    assert await recipes.save("zones", "a", "anna") == 4


async def test_who_saved_and_deleted_is_in_the_trail(store: ArqRedis) -> None:
    await Recipes(store).save("zones", "secret: x", "anna")
    await Recipes(store).delete("zones", "bert")

    entries, _ = await Audit(store).page()

    assert [(each.who, each.what, each.about) for each in entries] == [
        ("bert", "recipes.delete", {"recipe": "zones"}),
        ("anna", "recipes.save", {"recipe": "zones"}),
    ]


async def begun(store: ArqRedis) -> ReplayRun:
    runs = ReplayRuns(store)
    run = await runs.begin(Filter(), FAST, "anna", ("zones@3", "steps"))
    await runs.freeze(run, Filter())
    await runs.start(run.number)
    return await now(store, run)


async def now(store: ArqRedis, run: ReplayRun) -> ReplayRun:
    found = await ReplayRuns(store).get(run.number)
    assert found is not None
    return found


async def even(letters: Sequence[DeadLetter]) -> Sorted:
    """Mends letters with an even number in their name, and keeps the others."""
    good = [each for each in letters if int(each.body[1:]) % 2 == 0]
    rest = len(letters) - len(good)
    better = [each.sending(b"better " + each.outgoing) for each in good]
    return Sorted(better, {"step 1: absent": rest} if rest else {})


async def finish(store: ArqRedis, run: ReplayRun, most: int = 3, owner: str = "w") -> ReplayRun:
    steps = ReplaySteps(store, owner)
    while True:
        look = await steps.look(run.number)
        if look.run is None or not look.parts:
            return await now(store, run)
        await steps.step(look.run, look.parts[0], most, NOW_MS, even)
        assert (await Ledger(store).read()).faults == ()


async def test_what_is_mended_is_put_and_the_rest_stays_dead_as_it_is(store: ArqRedis) -> None:
    await bury(store, [f"e{at}" for at in range(10)])
    run = await begun(store)
    assert (run.recipe, run.recipe_text) == ("zones@3", "steps")

    run = await finish(store, run)

    [*batches] = await open_batches(store)
    put = [body for batch in batches for body in decode(batch.frame).bodies]
    assert sorted(put) == [b"better e%d" % at for at in range(0, 10, 2)]
    mark = decode(batches[0].frame).history(0)[-1]
    assert (mark.code, mark.message) == (f"run:{run.number}", "recipe zones@3")
    assert (run.put, run.gone, run.kept, run.kept_why) == (5, 0, 5, {"step 1: absent": 5})
    assert (run.to_come, "5 kept dead" in counts_of(run)) == (0, True)
    letters = DeadLetters(store)
    stay = await letters.get([each.number async for each in letters.find(Filter())])
    assert sorted(each.body for each in stay) == [b"e%d" % at for at in range(1, 10, 2)]
    assert {each.edit for each in stay} == {None}
    for batch in batches:
        await settle(store, batch)
    await ReplaySteps(store, "w").look(run.number)
    assert (await now(store, run)).state is RunState.FINISHED


async def test_who_is_discarded_meanwhile_is_gone_and_not_kept(store: ArqRedis) -> None:
    await bury(store, [f"e{at}" for at in range(6)])
    run = await begun(store)
    letters, steps = DeadLetters(store), ReplaySteps(store, "w")
    look = await steps.look(run.number)
    assert look.run is not None

    async def discarded_under_it(found: Sequence[DeadLetter]) -> Sorted:
        await letters.discard([each.summary for each in found if each.body in (b"e0", b"e2")])
        return await even(found)

    step = await steps.step(look.run, look.parts[0], 6, NOW_MS, discarded_under_it)

    assert (step.put, step.gone, step.kept) == (1, 2, 3)
    run = await now(store, run)
    assert (run.put, run.gone, run.kept, run.to_come) == (1, 2, 3, 0)


@pytest.mark.parametrize("kept", [0, 2])
async def test_a_step_that_was_done_already_is_done_once(store: ArqRedis, kept: int) -> None:
    """A worker that believes it was killed before its step, and was killed after it."""
    await bury(store, [f"e{at}" for at in range(0, 8, 2)] + ["e1", "e3"][:kept])
    run = await begun(store)
    steps = ReplaySteps(store, "w")
    look = await steps.look(run.number)
    assert look.run is not None
    await steps.step(look.run, look.parts[0], 3, NOW_MS, even)
    before = await now(store, run)

    again = await steps.step(look.run, look.parts[0], 3, NOW_MS, even)

    assert again.moved
    assert replace(await now(store, run), owner="") == replace(before, owner="")
    run = await finish(store, run)
    assert (run.put, run.kept, run.gone) == (4, kept, 0)


async def test_a_letter_sends_what_it_is_told_to_in_place_of_its_edit(store: ArqRedis) -> None:
    await bury(store, ["e0"])
    letters = DeadLetters(store)
    [number] = [each.number async for each in letters.find(Filter())]
    [letter] = await letters.get([number])
    better = replace(
        letter, body=b'{"a":1}', edit=Edit("anna", 1, b'[{"op":"remove","path":"/a"}]')
    )

    assert better.outgoing == b"{}"
    assert better.sending(b'{"b":2}').outgoing == b'{"b":2}'
    ready = replace(letter, body=b"", record=b'{"a":1}').sending(b'{"b":2}')
    assert (ready.ready, ready.record, ready.outgoing) == (True, b'{"b":2}', b'{"b":2}')


async def test_what_a_recipe_selects_is_as_narrow_as_all_its_times_say(store: ArqRedis) -> None:
    text = """
selection: {newer: 1h, from: 2026-01-31, older: 1m, to: "2026-01-31 18:00", group: ab, class: x}
mapping: set@3
"""
    recipe, now_ms = read_recipe(text), 1_769_880_000_000
    with pytest.raises(RecipeInvalid, match="no group begins with 'ab'"):
        await selected_by(store, recipe, now_ms)
    await store.zadd(keys.DEAD_GROUPS_LAST, {"ab00000000000000": 1})
    found = await selected_by(store, recipe, now_ms)
    assert (found.died_after_ms, found.died_before_ms) == (now_ms - 3_600_000, now_ms - 60_000)
    assert (found.fingerprint, found.failure) == ("ab00000000000000", "x")
    later = await selected_by(store, recipe, now_ms + 86_400_000)
    assert later.died_before_ms == 1_769_882_400_000


async def test_nobody_saves_over_a_version_that_was_not_seen(store: ArqRedis) -> None:
    recipes = Recipes(store)
    assert await recipes.save("zones", "a", "anna", over=1) is None
    assert await recipes.save("zones", "a", "anna", over=0) == 1
    assert await recipes.save("zones", "b", "bert", over=0) is None
    assert await recipes.save("zones", "b", "bert", over=1) == 2
    found = await recipes.get("zones")
    assert found and (found.text, found.version) == ("b", 2)
