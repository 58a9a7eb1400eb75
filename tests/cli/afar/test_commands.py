"""Commands through a console elsewhere: the same words, the same answers, under another's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.sandbox.traffic import generate
from app.store.connect import Store
from app.store.dead_letters import DeadLetters, Filter
from app.store.lanes import Lanes
from app.store.recipes import Recipes
from app.store.replay_runs import ReplayRuns
from app.store.users import Role
from tests.cli.afar.both_ways import Sluice
from tests.dead import bury, letter_of
from tests.web.console.furnish import DEAD, DELIVERED, WAITING, furnish

RECIPE = """\
about: those that came as numbers
selection: {connection: example, class: schema}
steps:
  - {set: /data/mended, value: 1}
"""


async def fill(redis: Store) -> None:
    """Letters of three causes, one of them of bytes that are no text, hostile ones; a recipe."""
    await furnish(redis)
    bodies = [b"\xff\xfe no text", *generate(1, 60, body_bytes=300)]
    await bury(redis, [letter_of(body, at, causes=3) for at, body in enumerate(bodies)])
    await Recipes(redis).save("numbers", RECIPE, "ada")


READING = (
    "dead-letters groups", "dead-letters groups --class schema --sort live --limit 1",
    "dead-letters list --limit 20", "dead-letters list --class schema --newer 9999d --kind x",
    "dead-letters list --person 4711", "dead-letters list --mapping customerio-default@3",
    "dead-letters search link", "dead-letters search --body recipient --limit 5",
    "dead-letters show 1", "dead-letters show 2", "dead-letters show 999",
    "dead-letters replay --all --dry-run --sample 500", "replays list", "replays show 1",
    "replays show 9", "recipes list", "recipes show numbers", "recipes show nobody",
    "recipes dry-run numbers --sample 100", "ledger", "ledger --hours --connection example",
    "ledger --check", f"trace {DELIVERED}", f"trace {DEAD} --connection example",
    f"trace {WAITING}", "trace nothing/known?of=it",
)  # fmt: skip


async def test_reading_commands_answer_the_same_from_afar(store: Store, sluice: Sluice) -> None:
    await fill(store)
    audits = [await way("audit", "--json") for way in (sluice.here, sluice.afar)]
    assert audits[0] == audits[1] and len(audits[0].json) > 2
    for line in READING:
        for form in ([], ["--json"]):
            here = await sluice.here(*line.split(), *form)
            afar = await sluice.afar(*line.split(), *form)
            assert (afar.code, afar.out) == (here.code, here.out), line
            assert afar.err == here.err, line
            assert here.code in (0, 1)
    lanes = [(await way("lanes", "--json")).json for way in (sluice.here, sluice.afar)]
    for each in (*lanes[0], *lanes[1]):
        each["since"] = "the clock goes on"
    assert lanes[0] == lanes[1]


async def test_a_resumed_lane_may_still_wait_for_its_dataflow(store: Store, sluice: Sluice) -> None:
    await fill(store)
    lanes = Lanes(store)
    name = (await sluice.here("lanes", "--json")).json[0]["connection"]
    await lanes.hold(name, "connect:the dataflow is disabled", None)
    for way in (sluice.here, sluice.afar):
        await lanes.pause(name, "operator:stock-taking", 60, by_operator=True)
        answered = await way("lanes", "resume", name)
        assert answered.code == 0, answered.err
        said = f"{name} is still held back: connect:the dataflow is disabled\n"
        assert answered.out == said


async def test_looking_at_bodies_and_for_people_from_afar_is_written_down(
    store: Store, sluice: Sluice
) -> None:
    await fill(store)
    before = len(await sluice.trail())
    await sluice.afar("dead-letters", "show", 1)
    await sluice.afar("dead-letters", "list", "--person", 4711)
    await sluice.afar("dead-letters", "search", "--body", "secret")
    await sluice.afar("dead-letters", "export")
    acts = (await sluice.trail())[:-before]
    assert {who for who, _ in acts} == {"operator/laptop"}
    assert {what for _, what in acts} == {
        "dead-letters.open", "dead-letters.person", "dead-letters.search", "dead-letters.exported",
    }  # fmt: skip


async def test_a_viewer_s_token_reads_what_is_nobody_s(store: Store, sluice: Sluice) -> None:
    await fill(store)
    role = Role.VIEWER
    assert (await sluice.afar("dead-letters", "list", role=role)).code == 0
    for line in (
        "dead-letters show 1", "dead-letters list --person 1", "dead-letters search x",
        "dead-letters export", "dead-letters discard 1 --yes", "dead-letters replay 1 --yes",
        "replays cancel 1", "recipes delete numbers", "lanes resume example", "audit",
    ):  # fmt: skip
        answered = await sluice.afar(*line.split(), role=role)
        assert answered.code == 1, (line, answered)
        assert "role operator" in answered.err, line
    assert await DeadLetters(store).count("example") == 62


async def test_acts_from_afar_are_those_of_user_and_token(store: Store, sluice: Sluice) -> None:
    await fill(store)
    mark = (await sluice.afar("dead-letters", "groups", "--json")).json[0]["fingerprint"]
    before = len(await sluice.trail())
    for line in (
        f"dead-letters note {mark[:6]} seen", f"dead-letters resolve {mark[:6]} --known",
        "dead-letters edit 3 --set /data/a=1", "dead-letters discard 4 5 --yes --reason gone",
        "dead-letters replay 6 --yes", "lanes resume example", "recipes delete numbers",
        "replays cancel 1 --reason enough",
    ):  # fmt: skip
        answered = await sluice.afar(*line.split())
        assert answered.code == 0, (line, answered)
    [group] = (await sluice.here("dead-letters", "groups", "--json", "--text", mark)).json
    assert (group["note"], group["note_by"], group["state"]) == ("seen", "operator/laptop", "known")
    [letter] = await DeadLetters(store).look([3])
    assert letter.edit and letter.edit.who == "operator/laptop"
    assert (await sluice.afar("dead-letters", "edit", 3, "--undo")).code == 0
    assert [x.number for x in await DeadLetters(store).summaries([3, 4, 5, 6, 7])] == [3, 7]
    run = await ReplayRuns(store).get(1)
    assert run and run.reason == "cancelled by operator/laptop: enough"
    acts = (await sluice.trail())[:-before]
    assert {who for who, _ in acts} == {"operator/laptop"}
    assert [what for _, what in reversed(acts)] == [
        "dead-letters.note", "dead-letters.known", "dead-letters.open", "dead-letters.edit",
        "dead-letters.discard", "dead-letters.replay", "lanes.resume", "recipes.delete",
        "replays.cancelled", "dead-letters.open", "dead-letters.edit-undone",
    ]  # fmt: skip


async def test_a_bulk_replay_is_frozen_shown_and_started_from_afar(
    store: Store, sluice: Sluice
) -> None:
    await fill(store)
    refused = await sluice.afar("dead-letters", "replay", "--class", "schema", body="n\n")
    assert refused.code == 1 and "replay 41 dead letter(s)?" in refused.out
    run = await ReplayRuns(store).get(2)
    assert run and run.state == "cancelled" and "the answer was no" in run.reason

    started = await sluice.afar("recipes", "run", "numbers", "--yes", "--detach", "--json")
    assert started.code == 0
    assert (started.json["state"], started.json["recipe"]) == ("running", "numbers@1")
    assert (started.json["frozen"], started.json["by"]) == (41, "operator/laptop")
    paused = await sluice.afar("replays", "pause", 3, "--json")
    assert (paused.code, paused.json["changed"], paused.json["state"]) == (0, True, "paused")
    again = await sluice.afar("replays", "pause", 3)
    assert again.code == 1 and "cannot be paused" in again.err
    assert (await sluice.afar("replays", "resume", 3, "--rate", 7, "--json")).json["rate"] == 7
    nothing = await sluice.afar("dead-letters", "replay", "--kind", "none", "--yes")
    assert nothing.code == 0 and "no dead letters match" in nothing.err


async def test_letters_go_out_and_come_in_from_afar(
    store: Store, sluice: Sluice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Several pages of an export, one of which has none of what is wanted.
    monkeypatch.setattr("app.store.dead_letters.exchange.PART", 10)
    monkeypatch.setattr("app.operations.letters.EXPORT_LETTERS", 20)
    await fill(store)
    files = [tmp_path / "here", tmp_path / "afar"]
    for way, file in zip((sluice.here, sluice.afar), files, strict=True):
        done = await way("dead-letters", "export", "--connection", "example", "--output", file)
        assert (done.code, done.err) == (0, "exported 62\n")
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[1].stat().st_mode & 0o777 == 0o600

    letters = DeadLetters(store)
    gone = [letter async for letter in letters.find(Filter())]
    await letters.discard(gone)
    with files[1].open("ab") as file:
        file.write(b"no line of ours\n")
    taken = await sluice.afar("dead-letters", "import", files[1], "--json")
    assert taken.code == 1 and "line 63: the line is not JSON" in taken.err
    assert taken.json["refused"] == 1 and taken.json["imported"] > 55
    again = await sluice.afar("dead-letters", "import", files[1], "--json")
    # Those without an event id cannot be told from others.
    assert again.json["already_there"] >= taken.json["imported"] - 2
