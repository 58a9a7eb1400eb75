"""`sluice dead-letters`, as somebody types it: words, JSON, exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.core.dead_letter import DeadLetter
from app.core.errors import SluiceError
from app.sandbox.traffic import generate
from app.store import keys
from app.store.connect import Store
from app.store.dead_letters.files import FOLDER, SpillFiles
from app.store.dead_letters.spilling import Spilling
from tests.dead import bury, letter_of

# What a person's name may hold: markup of rich, a terminal's escape, a reversed line, a formula.
HOSTILE = "[red]x[/red] \x1b[2J\x1b]0;owned\x07 \u202eevil =cmd()"


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
    """Runs a command against the test's server; it has an event loop of its own."""
    for name in [name for name in os.environ if name.startswith("SLUICE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SLUICE_REDIS_URL", redis_url)
    monkeypatch.setenv("SLUICE_DATA_DIR", str(tmp_path))

    def run(*words: object, body: bytes | str = b"", noun: str = "dead-letters") -> Answered:
        result = CliRunner().invoke(cli, [noun, *map(str, words)], input=body)
        code, err = result.exit_code, result.stderr
        if isinstance(result.exception, SluiceError):
            code, err = 1, err + str(result.exception)
        elif result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answered(code, result.stdout, err)

    async def in_thread(*words: object, **more: Any) -> Answered:
        return await asyncio.to_thread(run, *words, **more)

    return in_thread


def made(count: int = 90, causes: int = 40) -> list[DeadLetter]:
    bodies = generate(1, count, body_bytes=300)
    return [letter_of(body, at, causes=causes) for at, body in enumerate(bodies)]


async def test_groups_first_then_their_letters_page_by_page(store: Store, sluice: Sluice) -> None:
    await bury(store, made(causes=3))
    groups = await sluice("groups", "--json")
    assert [(group["live"], group["ever"]) for group in groups.json] == [(30, 30)] * 3
    mark = groups.json[0]["fingerprint"]

    first = await sluice("list", "--group", mark[:10], "--limit", 20, "--json")
    [cursor] = [word for word in first.err.split() if word.rstrip(",").isdigit()]
    rest = await sluice(
        "list", "--group", mark, "--limit", 20, "--cursor", cursor.rstrip(","), "--json"
    )
    shown = [letter["number"] for letter in first.json + rest.json]
    assert (len(shown), shown) == (30, sorted(set(shown), reverse=True))
    assert rest.err == ""
    assert {letter["fingerprint"] for letter in first.json} == {mark}
    said = await sluice("groups", "--sort", "live", "--limit", 2)
    assert (said.code, "and more: --cursor" in said.err) == (0, True)
    assert (await sluice("list", "--cursor", "x")).code == 2
    assert (await sluice("list", "--group", "zz")).code == 2
    assert (await sluice("groups", "--state", "resolved")).out.count("\n") == 1


async def test_a_note_and_a_state_are_kept_and_the_trail_says_who(
    store: Store, sluice: Sluice
) -> None:
    await bury(store, made(5, causes=1))
    [mark] = [group["fingerprint"] for group in (await sluice("groups", "--json")).json]

    assert (await sluice("note", mark[:6], "ask [bold]Platform")).code == 0
    assert (await sluice("resolve", mark, "--known")).out == f"{mark} is known\n"
    assert (await sluice("resolve", mark)).out == f"{mark} is resolved\n"
    [group] = (await sluice("groups", "--json")).json
    assert (group["state"], group["note"]) == ("resolved", "ask [bold]Platform")
    assert "ask [bold]Platform" in (await sluice("groups")).out
    assert (await sluice("resolve", mark, "--known", "--reopen")).code == 2
    trail = (await sluice("--json", noun="audit")).json
    assert [entry["what"] for entry in trail] == [
        "dead-letters.resolved", "dead-letters.known", "dead-letters.note",
    ]  # fmt: skip
    assert all(entry["who"].startswith("cli") for entry in trail)


@pytest.mark.parametrize("by", ["event_id", "person", "campaign", "group", "text", "body"])
async def test_search_takes_whatever_one_has(store: Store, sluice: Sluice, by: str) -> None:
    body = (
        b'{"event_id":"evt-1","data":{"customer_id":"c-77","campaign_id":991,'
        b'"subject":"Unmistakable"}}'
    )
    given = [*made(30, causes=1), letter_of(body, 1)]
    numbers = await bury(store, given)
    letters = (await sluice("list", "--json")).json
    [mark] = [each["fingerprint"] for each in letters if each["number"] == numbers[-1]]
    words = {
        "event_id": ["evt-1"],
        "person": [" C-77 "],
        "campaign": ["campaign:991"],
        "group": [mark[:8]],
        "text": ["no DATE"],
        "body": ["unmistakable", "--body"],
    }[by]
    found = await sluice("search", *words, "--json")
    assert (found.code, [each["number"] for each in found.json]) == (0, [numbers[-1]])


async def test_a_search_in_bodies_stops_at_its_bound_and_says_so(
    store: Store, sluice: Sluice
) -> None:
    await bury(store, made(450))
    bounded = await sluice("search", "nowhere to be found", "--body", "--most", 100, "--json")
    assert (bounded.code, bounded.json) == (1, [])
    assert "stopped after 200 bodies" in bounded.err


async def test_a_discard_wants_the_number_typed_and_leaves_a_trail(
    store: Store, sluice: Sluice
) -> None:
    await bury(store, made(12))
    wrong = await sluice("discard", "--all", body="yes\n")
    right = await sluice("discard", "--all", "--reason", "a test", body="12\n")
    again = await sluice("discard", "--all", body="")

    assert (wrong.code, "nothing was discarded" in wrong.err) == (1, True)
    assert (right.code, "discarded 12 of 12" in right.out) == (0, True)
    assert again.out == "discarded 0 of 0\n"
    [entry] = (await sluice("--json", noun="audit")).json
    assert (entry["what"], entry["about"]["letters"]) == ("dead-letters.discard", 12)
    assert entry["about"]["reason"] == "a test"
    assert (await sluice("--check", noun="ledger")).code == 0


async def test_what_events_hold_is_shown_and_never_obeyed(store: Store, sluice: Sluice) -> None:
    body = json.dumps({"event_id": HOSTILE, "object_type": HOSTILE, "metric": "x",
                       "data": {"campaign_id": HOSTILE}}).encode()  # fmt: skip
    letter = letter_of(body)
    hostile = replace(letter.summary, detail=HOSTILE, path=HOSTILE, row=HOSTILE, code=HOSTILE)
    [number] = await bury(store, [replace(letter, summary=hostile)])

    for words in (["list"], ["groups"], ["show", number], ["search", HOSTILE]):
        said = await sluice(*words)
        assert said.code == 0, said.err
        for control in ("\x1b", "\x07", "\u202e"):
            assert control not in said.out
    assert "[red]x[/red]" in (await sluice("list")).out
    assert (await sluice("show", number, "--json")).json["body"] == body.decode()


async def test_export_and_import_carry_letters_from_one_store_to_another(
    store: Store, sluice: Sluice, tmp_path: Path
) -> None:
    given = [*made(30), letter_of(b"\xff\x00 no text", 31)]
    await bury(store, given)
    file = tmp_path / "letters.ndjson"
    exported = await sluice("export", "--output", file)
    piped = await sluice("export", "--class", "schema")
    assert (exported.code, exported.err) == (0, "exported 31\n")
    assert file.stat().st_mode & 0o77 == 0
    assert len(piped.out.splitlines()) == len((await sluice("list", "--class", "schema",
                                                            "--json")).json)  # fmt: skip

    await store.flushall()
    broken = file.read_bytes() + b"{}\n"
    first = await sluice("import", "-", "--json", body=broken)
    second = await sluice("import", file)
    assert (first.code, first.json) == (1, {"imported": 31, "already_there": 0, "refused": 1})
    assert "line 32: body is absent" in first.err
    # A body without an event id cannot be told from another.
    assert second.out == "imported 1, 30 were already there, 0 refused\n"
    assert (await sluice("--check", noun="ledger")).code == 0


async def test_an_edit_is_shown_kept_and_undone(store: Store, sluice: Sluice) -> None:
    [number] = await bury(store, made(1))
    dry = await sluice("edit", number, "--set", "/data/fixed=[1]", "--dry-run")
    assert (dry.code, '+    "fixed": [' in dry.out) == (0, True)
    assert (await sluice("show", number, "--json")).json["edit"] is None

    made_ = await sluice("edit", number, "--set", "/data/a=plain", "--remove", "/timestamp")
    assert (made_.code, "no event yet: timestamp_invalid" in made_.err) == (0, True)
    shown = (await sluice("show", number, "--json")).json
    assert [each["op"] for each in shown["edit"]["patch"]] == ["add", "remove"]
    assert "timestamp" in json.loads(shown["body"])
    assert "edited" in (await sluice("show", number)).out
    assert (await sluice("edit", number, "--undo")).code == 0
    assert (await sluice("show", number, "--json")).json["edit"] is None
    for wrong in (["--remove", "/none"], ["--set", "x"], ["--patch", "{"], [], ["--undo", "--set",
                  "/a=1"], ["--set", "/event_id=other"]):  # fmt: skip
        assert (await sluice("edit", number, *wrong)).code == 2
    assert (await sluice("edit", 999, "--set", "/a=1")).code == 1


async def test_fsck_says_what_is_wrong_and_mends_when_told_to(store: Store, sluice: Sluice) -> None:
    await bury(store, made())
    assert (await sluice("fsck")).out == "the dead letter store is whole\n"
    await store.delete(f"{keys.DEAD}blocks")

    found = await sluice("fsck", "--json")
    assert (found.code, len(found.json) >= 90) == (1, True)
    mended = await sluice("fsck", "--mend")
    assert mended.code == 0
    assert re.search(r"(\d+) found, \1 mended", mended.err)
    assert (await sluice("fsck")).code == 0


async def test_a_spilled_letter_is_shown_and_one_without_its_file_names_it(
    store: Store, sluice: Sluice, tmp_path: Path
) -> None:
    given = made(20)
    numbers = await bury(store, given)
    await Spilling(store, 1, SpillFiles(tmp_path)).step()
    shown = await sluice("show", numbers[0], "--json")
    assert (shown.code, shown.json["body"]) == (0, given[0].body.decode())

    for file in (tmp_path / FOLDER).iterdir():  # a local folder
        file.unlink()
    shown = await sluice("show", numbers[0])
    assert (shown.code, "dead-letters-00000001.ndjson.zst" in shown.err) == (1, True)
    assert (await sluice("replay", numbers[0], "--yes")).out.startswith("replayed 0")
    assert (await sluice("discard", numbers[0], "--yes")).out == "discarded 1 of 1\n"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--from", "2023-11-14T22:13:25"], 25),
        (["--to", "2023-11-14 22:13:24"], 5),
        (["--from", "2023-11-14T22:13:22Z", "--to", "2023-11-14T22:13:23", "--newer", "99999d"], 2),
        (["--mapping", "customerio-default@4"], 15),
        (["--kind", "none.such"], 0),
    ],
)
async def test_times_and_versions_narrow_lists_searches_groups_and_what_is_done(
    store: Store, sluice: Sluice, words: list[str], found: int
) -> None:
    await bury(store, made(30))
    listed = (await sluice("list", *words, "--json")).json
    dry = (await sluice("replay", *words, "--dry-run", "--json")).json
    searched = await sluice("search", "example", "--body", *words, "--json")
    groups = (await sluice("groups", *words, "--json")).json
    assert len(listed) == dry["selection"]["letters"] == found
    assert len(searched.json) <= found
    assert {each["fingerprint"] for each in groups} <= {x["fingerprint"] for x in listed}
    assert bool(groups) is bool(found)


async def test_a_time_that_is_none_is_said(store: Store, sluice: Sluice) -> None:
    for words in (["list", "--from", "soon"], ["groups", "--to", "2023-13-01"]):
        answered = await sluice(*words)
        assert answered.code == 2 and "no time in UTC" in answered.err


async def test_acts_answer_in_json_when_asked(store: Store, sluice: Sluice, tmp_path: Path) -> None:
    [number] = await bury(store, made(1))
    [mark] = [group["fingerprint"] for group in (await sluice("groups", "--json")).json]
    noted = (await sluice("note", mark, "theirs", "--json")).json
    assert (noted["fingerprint"], noted["note"], noted["live"]) == (mark, "theirs", 1)
    assert (await sluice("resolve", mark, "--known", "--json")).json["state"] == "known"
    edited = (await sluice("edit", number, "--set", "/data/x=1", "--json")).json
    assert edited["edit"]["patch"] == [{"op": "add", "path": "/data/x", "value": 1}]
    assert (await sluice("edit", number, "--set", "/event_id=1", "--json")).code == 2
    file = tmp_path / "one.ndjson"
    assert (await sluice("export", "--output", file, "--json")).json == {
        "exported": 1, "unread": 0,
    }  # fmt: skip
    piped = await sluice("export", "--json")
    assert json.loads(piped.out)["number"] == number and json.loads(piped.err)["exported"] == 1
    assert (await sluice("edit", number, "--undo", "--json")).json["edit"] is None


async def test_an_edit_travels_with_its_letter(
    store: Store, sluice: Sluice, tmp_path: Path
) -> None:
    numbers = await bury(store, made(3))
    await sluice("edit", numbers[1], "--set", "/data/x=[1]")
    before = (await sluice("show", numbers[1], "--json")).json
    file = tmp_path / "letters.ndjson"
    await sluice("export", "--output", file)
    await store.flushall()

    tried = await sluice("import", file, "--dry-run", "--json")
    assert tried.json == {"would_import": 3, "already_there": 0, "refused": 0}
    assert (await sluice("list", "--json")).json == []
    assert (await sluice("import", file)).out.startswith("imported 3,")

    shown = [(await sluice("show", number, "--json")).json for number in (1, 2, 3)]
    assert [each["edit"] for each in shown] == [None, before["edit"], None]
    assert shown[1]["body"] == before["body"] and before["edit"]["who"].startswith("cli")
    wrong = json.loads(file.read_bytes().splitlines()[1])
    wrong["edit"]["patch"] = [{"op": "remove", "path": "/none"}]
    answered = await sluice("import", "-", body=json.dumps(wrong))
    assert answered.code == 1 and "edit.patch cannot be applied" in answered.err
