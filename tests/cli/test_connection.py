"""`sluice connection` and `connect`: wrong use, and what is said of a plan."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.cli.connection import working
from app.cli.connection.destroy import show_doomed
from app.cli.connection.showing import Watch, show_plan
from app.connect.destroying import Doomed, Stay, Why
from app.connect.plan import Action, Difference, Item, Plan, fresh
from app.connect.run import Progress
from app.core.errors import ConfigError
from tests.connect.surroundings import config_folder

PLAN = Plan(
    "acme",
    (
        Item("schema", "schema", "Events", Action.EXISTS, "s1"),
        Item("flow", "dataflow", "Sluice acme", Action.REPLACE, "f1", why="it cannot be changed"),
        Item(
            "webhook", "reporting webhook", "Sluice \x1b[31macme", Action.CHANGE, "4",
            (Difference("endpoint", "https://old.example", "https://new.example"),),
        ),
        Item("file", "connection file", "acme.yaml", Action.BLOCKED, why="a person wrote it"),
    ),
    ("mind the gap",),
)  # fmt: skip


def test_a_plan_reads_like_a_list_of_what_is_to_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    show_plan(PLAN)
    shown = capsys.readouterr().out
    for line in (
        "= schema             Events  (exists)",
        "± dataflow           Sluice acme  (replace): it cannot be changed",
        "~ reporting webhook  Sluice \\x1b[31macme  (change)",
        "    endpoint: https://old.example -> https://new.example",
        "! connection file    acme.yaml  (cannot be changed): a person wrote it",
        "note: mind the gap",
        "acme: 1 to change, 1 to replace, 1 as wanted, 1 cannot be changed",
    ):
        assert line in shown


def test_what_is_to_be_created_is_told_and_long_texts_are_cut(
    capsys: pytest.CaptureFixture[str],
) -> None:
    many = fresh(*((f"row {number}", "x" * 500 if number == 1 else "y") for number in range(15)))
    show_plan(Plan("acme", (Item("m", "mapping set", "m", Action.CREATE, differences=many),)))
    shown = capsys.readouterr().out.splitlines()
    assert shown[1] == "    row 0: y"
    assert shown[2].startswith("    row 1: xxx") and shown[2].endswith("x...")
    assert len(shown[2]) < 320
    assert shown[13] == "    and 3 more; --json has all"


def test_a_countdown_without_a_terminal_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    watch = Watch(as_json=False)
    for left in range(65, 0, -1):
        watch(Progress("waiting", PLAN.items[0], "new", left))
    assert capsys.readouterr().out.splitlines() == [
        "new; the lane opens in 1:05",
        "new; the lane opens in 0:35",
        "new; the lane opens in 0:05",
    ]


def test_what_would_be_destroyed_says_what_stays_and_how_it_goes_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    webhook = Item("webhook", "reporting webhook", "Sluice acme", Action.LEAVE, "4")
    old = Item("flow", "dataflow", "", Action.LEAVE, "f0", why="was replaced")
    stays = (
        Stay("dataset", Why.DATA),
        Stay("schema", Why.SHARED, ("beta", "gamma")),
        Stay("field group", Why.BEFORE),
        Stay("reporting webhook", Why.SWITCHED_OFF),
        Stay("identity descriptor", Why.USED),
        Stay("mapping set", Why.NO_CALL),
    )
    secret = Path("var/connect/acme.client-secret")
    setup, state = Path("generated/setups/acme.yaml"), Path("var/connect/acme.json")
    show_doomed(Doomed("acme", setup, (webhook, old), stays, (state,), (secret,)))
    assert capsys.readouterr().out.splitlines() == [
        "- reporting webhook  Sluice acme",
        "- dataflow  f0",
        "- file  var/connect/acme.json",
        "- file  var/connect/acme.client-secret",
        "= dataset: with --dataset --yes-delete-the-data it goes, too",
        "= schema: setup beta, gamma names it, too",
        "= field group: it was there before",
        "= reporting webhook: it was there before; it is switched off, since it calls us",
        "= identity descriptor: what stays needs it",
        "= mapping set: Platform has no call that deletes one",
        "= setup: generated/setups/acme.yaml names secret files that go; delete it, or put them "
        "back before you apply it",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("connection", "destroy", "acme", "--dataset"), "go together"),
        (("connection", "destroy", "acme", "--yes-delete-the-data"), "go together"),
        (
            ("connection", "destroy", "a", "--retired", "--dataset", "--yes-delete-the-data"),
            "nothing but what was replaced",
        ),
        (("connection", "plan", "acme", "--like-tutorial", "both"), "it is `api` or `ui`"),
        (("connect", "--set", "name"), "is no KEY=VALUE"),
        (("connect", "--from", "a.yaml", "--set", "name=a"), "--from asks none"),
    ],
)
def test_wrong_use_is_exit_2_with_a_hint(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_CONFIG_DIR", str(config_folder(tmp_path)))
    monkeypatch.setenv("SLUICE_DATA_DIR", str(tmp_path))
    found = CliRunner().invoke(cli, words)
    assert found.exit_code == 2
    assert said in " ".join(found.output.replace("│", "").split())


def test_a_wizard_that_could_not_write_asks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_CONFIG_DIR", str(config_folder(tmp_path)))
    monkeypatch.setenv("SLUICE_DATA_DIR", str(tmp_path))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SLUICE_GENERATED_DIR", str(tmp_path / "file"))
    found = CliRunner().invoke(cli, ("connect", "--sandbox", "--yes"))
    assert isinstance(found.exception, ConfigError)
    assert "set SLUICE_GENERATED_DIR to a folder that can" in str(found.exception)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"platform.settle_seconds": "abc"}, "platform.settle_seconds: is 'abc': input should be"),
        ({"platform.settle_seconds": "nan"}, "platform.settle_seconds: is nan"),
        ({"nonsense.key": "1"}, "nonsense.key: unknown; known: "),
        ({"platform": "abc"}, "platform: unknown; did you mean platform.flow?"),
        ({"written": "1"}, "written: unknown"),
        ({"platform.source.kind": "customerio"}, "did you mean platform.source?"),
        ({"platform.credentials.client_secrets": "x"}, "platform.credentials.client_secrets: unk"),
        ({"platform.schema.union": "maybe"}, "platform.schema.union: is 'maybe'"),
        ({"mapping_set": "nope"}, "mapping_set: there is no"),
        ({"customerio.families": "fax"}, "customerio.families: unknown: fax"),
        ({"customerio.region": "mars"}, "customerio.region: it is one of: us, eu"),
        ({"platform.org_id": "acme"}, "platform.org_id: wanted an id that ends in @AdobeOrg"),
        ({"name": "../up"}, "name: wanted a-z, 0-9 and -"),
        ({"platform.flow": ""}, "platform.flow: is ''"),
        (
            {"platform.schema.union": "false", "platform.dataset.profile": "yes"},
            "dataset.profile is true, so schema.union must be, too",
        ),
        # All of them at once.
        ({"nonsense": "1", "name": "X", "body_limit_bytes": "x"}, "body_limit_bytes: is 'x'"),
        ({"nonsense": "1", "name": "X", "body_limit_bytes": "x"}, "nonsense: unknown"),
        ({"nonsense": "1", "name": "X", "body_limit_bytes": "x"}, "name: wanted a-z"),
    ],
)
def test_what_is_set_beforehand_is_looked_at_before_anything_is_asked_or_written(
    given: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_CONFIG_DIR", str(config_folder(tmp_path)))
    monkeypatch.setenv("SLUICE_DATA_DIR", str(tmp_path / "var"))
    before = set(tmp_path.rglob("*"))
    words = [word for key, value in given.items() for word in ("--set", f"{key}={value}")]
    found = CliRunner().invoke(cli, ("connect", *words), input="")
    assert found.exit_code == 2
    shown = " ".join(found.output.replace("│", "").split())
    assert said in shown
    assert "written" not in shown.replace("written: unknown", "")
    assert "Ctrl-C" not in shown
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("seconds", "told"), [(0.0, False), (0.3, True)])
async def test_a_look_that_takes_its_time_is_told_once(
    seconds: float, told: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(working, "_SLOW_SECONDS", 0.1)
    with working.told_when_slow():
        await asyncio.sleep(seconds)
    await asyncio.sleep(0.3)
    shown = capsys.readouterr()
    assert shown.err.count("is slow to answer; --show-calls says which") == told
    assert shown.out == ""
