"""`sluice recipes`, as somebody types it: words, JSON, exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from app.cli import cli
from app.core.dead_letter import DeadLetter
from app.core.replay_run import RunState
from app.store import keys
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from app.store.recipes import Recipes
from app.store.replay_runs import ReplayRuns
from tests.dead import bury, letter_of
from tests.e2e.process import ROOT

RECIPE = """\
about: "[red]Recipients\\e[2J"
selection: {connection: raw}
steps:
  - {cast: /timestamp, to: integer}
  - {drop: /data/junk, optional: true}
"""


@dataclass
class Answered:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Sluice = Callable[..., Any]


@pytest.fixture
def sluice(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sluice:
    """Runs a command against the test's server; it has an event loop of its own. The connection
    `raw` is mapped by its dataflow, so that parsing is all there is to pass."""
    for name in [name for name in os.environ if name.startswith("SLUICE_")]:
        monkeypatch.delenv(name)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    example = tmp_path / "config" / "connections" / "example.yaml"
    document = yaml.safe_load(example.read_text())
    document["name"], document["platform"]["mode"] = "raw", "raw"
    example.with_name("raw.yaml").write_text(yaml.safe_dump(document))
    monkeypatch.setenv("SLUICE_REDIS_URL", redis_url)
    monkeypatch.setenv("SLUICE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SLUICE_CONFIG_DIR", str(tmp_path / "config"))

    def run(*words: object, body: str = "", noun: str = "recipes") -> Answered:
        result = CliRunner().invoke(cli, [noun, *map(str, words)], input=body)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answered(result.exit_code, result.stdout, result.stderr)

    async def in_thread(*words: object, **more: Any) -> Answered:
        return await asyncio.to_thread(run, *words, **more)

    return in_thread


def letter(at: int, **changes: object) -> DeadLetter:
    event = {"event_id": f"e{at}", "object_type": "email", "metric": "sent",
             "timestamp": "1760000000", "data": {"subject": "x" * 99}, **changes}  # fmt: skip
    return letter_of(json.dumps(event).encode(), at, connection="raw", causes=1)


async def test_a_recipe_is_saved_listed_shown_and_deleted(store: Store, sluice: Sluice) -> None:
    assert (await sluice("list")).err.startswith("no recipe is saved")

    first = await sluice("save", "times", "-", body=RECIPE)
    again = await sluice("save", "times", "-", "--json", body=RECIPE + "rate: 5\n")

    assert (first.code, first.out.startswith("saved as times@1;")) == (0, True)
    assert again.json == {"name": "times", "version": 2}
    listed = await sluice("list")
    # Whoever wrote it cannot speak to the terminal of who reads it.
    assert ("times" in listed.out, "[red]Recipients\\x1b[2J" in listed.out) == (True, True)
    [told] = (await sluice("list", "--json")).json
    assert (told["name"], told["version"], told["text"]) == ("times", 2, RECIPE + "rate: 5\n")
    assert told["who"].startswith("cli")
    assert (await sluice("show", "times")).out == RECIPE + "rate: 5\n"
    assert (await sluice("show", "times", "--json")).json == told
    assert (await sluice("delete", "times")).out == "times is deleted\n"
    gone = await sluice("delete", "times", "--json")
    assert (gone.code, gone.json) == (1, {"name": "times", "deleted": False})
    assert (await sluice("delete", "times")).out == "there is no recipe times\n"
    for words in (("show", "times"), ("run", "times"), ("dry-run", "times")):
        answered = await sluice(*words)
        assert (answered.code, "there is no recipe 'times'" in answered.err) == (1, True)


async def test_a_recipe_with_faults_is_not_saved_and_all_are_told(
    store: Store, sluice: Sluice, tmp_path: Path
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("selection: {clas: x}\nsteps: [{drop: a}]\n")

    for words in (("save", "bad", path), ("dry-run", path)):
        answered = await sluice(*words)
        assert (answered.code, answered.err.splitlines()) == (2, [
            "selection.clas: there is no such key; did you mean class?",
            "steps.1.drop: a JSON pointer, such as /data/recipient (~1 is /, ~0 is ~)",
        ])  # fmt: skip
    assert (await sluice("save", "Bad", "-", body=RECIPE)).code == 2
    assert (await sluice("save", "bad", tmp_path / "none.yaml")).code == 2
    assert (await sluice("list", "--json")).json == []


async def test_one_that_this_release_cannot_read_is_listed_with_the_reason(
    store: Store, sluice: Sluice
) -> None:
    await Recipes(store).save("old", "- x", "anna")

    assert "cannot be read by this release: the recipe: an object" in (await sluice("list")).out
    assert (await sluice("run", "old")).code == 2


async def test_a_dry_run_tells_what_would_pass_what_changes_and_why_not(
    store: Store, sluice: Sluice
) -> None:
    given = [letter(0), letter(1, data={"junk": 1}), letter(2, timestamp="soon"), letter(3)]
    await bury(store, [*given, replace(letter(4), body=b"{")])

    told = await sluice("dry-run", "-", "--shown", 9, body=RECIPE)
    found = await sluice("dry-run", "-", "--all", "--json", body=RECIPE)

    assert told.code == 0, told.err
    lines = told.out.splitlines()
    assert "3 of 5 tried would pass mapping and schema" in lines
    assert "1 would stay dead: step 1 (cast /timestamp): not_castable" in lines
    assert "1 would stay dead: the body is not JSON" in lines
    assert "2 without an optional step: step 2 (drop /data/junk): absent" in lines
    assert '  /timestamp: "1760000000" -> 1760000000' in lines
    assert "  /data/junk: 1 -> -" in lines
    assert found.json["trial"] == {
        "tried": 5, "would_pass": 3,
        "why": {"step 1 (cast /timestamp): not_castable": 1, "the body is not JSON": 1},
    }  # fmt: skip
    assert found.json["left_out"] == {"step 2 (drop /data/junk): absent": 2}
    assert len(found.json["differences"]) == 3
    assert found.json["selection"]["letters"] == 5
    assert await ReplayRuns(store).newest(1) == []
    few = await sluice("dry-run", "-", "--sample", 2, "--shown", 0, "--json", body=RECIPE)
    assert (few.json["trial"]["tried"], few.json["differences"]) == (2, [])


async def test_a_step_that_changes_nothing_says_so_and_long_values_are_cut(
    store: Store, sluice: Sluice
) -> None:
    await bury(store, [letter(0, timestamp=1760000000)])
    text = "selection: {all: true}\nsteps: [{cast: /data/subject, to: string}]"

    same = await sluice("dry-run", "-", body=text)
    cut = await sluice(
        "dry-run", "-", body=text.replace("cast", "set").replace("to: string", "value: 1")
    )

    assert same.out.splitlines()[-1] == "  stays as it is"
    assert cut.out.splitlines()[-1] == f'  /data/subject: "{"x" * 59}... -> 1'


async def test_a_run_carries_the_recipe_and_asks_first(store: Store, sluice: Sluice) -> None:
    await bury(store, [letter(0), letter(1)])
    await sluice("save", "times", "-", body=RECIPE + "rate: 5\nstop: {at: 0.5, least: 3}\n")

    unsure = await sluice("run", "times")
    started = await sluice("run", "times", "--detach", "--json")

    assert (unsure.code, "times@1; what it cannot mend stays dead" in unsure.out) == (1, True)
    run = started.json
    assert (run["recipe"], run["frozen"], run["rate"], run["stop_least"]) == ("times@1", 2, 5.0, 3)
    assert run["recipe_text"].startswith("about:")
    shown = await sluice("show", run["number"], noun="replays")
    assert "recipe       times@1" in shown.out
    [entry] = [x for x in (await sluice("--json", noun="audit")).json if "run" in x["about"]]
    assert (entry["what"], entry["about"]["recipe"]) == ("dead-letters.replay", "times@1")
    assert len([each async for each in DeadLetters(store).find(Filter())]) == 2


async def test_what_was_kept_is_told_with_the_reason(store: Store, sluice: Sluice) -> None:
    await bury(store, [letter(0)])
    await sluice("save", "times", "-", body=RECIPE)
    run = (await sluice("run", "times", "--detach", "--json")).json
    await store.hset(  # type: ignore[misc]  # redis-py's stub
        keys.replay_run(run["number"]), mapping={"kept": 1, "kept:step 1 (x\x1b): absent": 1}
    )

    shown = (await sluice("show", run["number"], noun="replays")).out

    assert "kept dead    1: step 1 (x\\x1b): absent" in shown
    assert "1 of 1: 0 delivered, 0 died again, 0 in flight, 1 kept dead" in shown


async def test_a_version_that_is_not_the_one_here_is_refused(store: Store, sluice: Sluice) -> None:
    await bury(store, [letter(0), replace(letter(1), summary=replace(
        letter(1).summary, connection="unknown"))])  # fmt: skip
    await sluice("save", "v", "-", body="selection: {all: true}\nmapping: a@1")

    for words in (("run", "v", "--yes"), ("dry-run", "v")):
        answered = await sluice(*words)
        assert answered.code == 1
        assert "raw is mapped by its dataflow, and not here" in answered.err
        assert "unknown cannot be tried: " in answered.err
        assert "the recipe wants a@1" in answered.err
    [run] = await ReplayRuns(store).newest(5)
    assert (run.state, run.reason) == (RunState.CANCELLED, "it was refused")


async def test_a_group_that_is_not_there_is_wrong_use(store: Store, sluice: Sluice) -> None:
    text = "selection: {group: abcd}\nsteps: [{drop: /a}]"
    assert (await sluice("dry-run", "-", body=text)).code == 2
