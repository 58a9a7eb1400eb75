"""The wizard's questions: each answer is looked at, at once, by whom it is about."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import typer
import yaml

from app.cli.connect import _ask
from app.connect.checks import Checks
from app.connect.given import known_keys
from app.connect.questions import QUESTIONS, Question
from app.connect.setup_file import take_in, write_setup
from app.connect.state import write_private
from app.core.errors import ConfigError
from app.sandbox.defaults import APP_KEY, IMS_CLIENT_ID, IMS_CLIENT_SECRET, ORG_ID
from app.settings import Settings
from app.settings.folders import Folders
from app.settings.load_setups import load_setup
from tests.connect.stage import Stage, staged

BY_KEY = {question.key: question for question in QUESTIONS}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as found:
        yield found


@pytest.fixture
async def checks(stage: Stage) -> AsyncIterator[Checks]:
    async with aiohttp.ClientSession() as session:
        yield Checks(session, Folders(stage.config), {"SECRET": IMS_CLIENT_SECRET})


def addresses(stage: Stage) -> dict[str, str]:
    """Where the sandboxes are: answers without a question."""
    return {
        "platform.api_url": stage.url,
        "platform.credentials.ims_url": f"{stage.url}/ims/token/v3",
        "customerio.api_url": stage.url,
    }


def good(stage: Stage) -> dict[str, str]:
    """An answer to every question that has no default."""
    return {
        "name": "fresh",
        "platform.credentials.client_id": IMS_CLIENT_ID,
        "platform.credentials.client_secret": IMS_CLIENT_SECRET,
        "platform.org_id": ORG_ID,
        "customerio.api_key": APP_KEY,
        "customerio.public_url": stage.url,
    }


async def complaint(key: str, answer: str, stage: Stage, checks: Checks, **more: str) -> str:
    answers = addresses(stage) | good(stage) | {"platform.sandbox_name": "prod"} | more
    return await BY_KEY[key].complaint(answer, answers, checks)


async def test_good_answers_raise_no_complaint(stage: Stage, checks: Checks) -> None:
    answers = addresses(stage)
    for question in QUESTIONS:
        answer = good(stage).get(question.key, question.default)
        assert await question.complaint(answer, answers, checks) == "", question.key
        answers[question.key] = answer


@pytest.mark.parametrize(
    ("key", "answer", "said"),
    [
        ("name", "Acme Inc", "wanted a-z, 0-9 and -, at most 40"),
        ("platform.org_id", "acme", "wanted an id that ends in @AdobeOrg"),
        ("platform.credentials.client_secret", "wrong", "IMS"),
        ("platform.credentials.client_secret", "env:NOT_SET", "NOT_SET is not set"),
        ("platform.credentials.client_secret", "", "an answer is needed"),
        ("platform.sandbox_name", "nowhere", "platform.sandbox_name must name a sandbox"),
        ("platform.source", "magic", "it is one of: sluice, platform, customerio"),
        ("customerio.api_key", "wrong", "the App API key is wrong, or of the other region"),
        ("customerio.public_url", "http://127.0.0.1:9", "nobody answers there"),
        ("customerio.families", "email, fax", "unknown: fax"),
    ],
)
async def test_a_wrong_answer_is_told_at_once_with_what_to_do(
    key: str, answer: str, said: str, stage: Stage, checks: Checks
) -> None:
    found = await complaint(key, answer, stage, checks)
    assert said in found
    assert IMS_CLIENT_SECRET not in found


async def test_a_secret_may_come_from_elsewhere(stage: Stage, checks: Checks) -> None:
    secret = stage.folder / "secret"
    secret.write_text(f"{IMS_CLIENT_SECRET}\n")
    for answer in ("env:SECRET", f"file:{secret}"):
        assert await complaint("platform.credentials.client_secret", answer, stage, checks) == ""


async def test_a_name_that_is_taken_is_refused(stage: Stage, checks: Checks) -> None:
    (stage.config / "connections" / "taken.yaml").write_text("")
    assert "is there already" in await complaint("name", "taken", stage, checks)


def test_answers_become_a_setup_that_loads_and_secrets_stay_out_of_it(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.url = "http://127.0.0.1:1"
    answers = addresses(stage) | good(stage) | {"platform.sandbox_name": "dev"}
    answers |= {"platform.source": "platform", "platform.dataset.profile": "yes"}
    answers |= {"customerio.families": "email, sms", "platform.settle_seconds": "5"}
    path = write_setup(Folders(stage.config), tmp_path / "var", answers)
    assert IMS_CLIENT_SECRET not in path.read_text()
    assert APP_KEY not in path.read_text()
    setup = load_setup(Folders(stage.config), "fresh", {})
    assert setup.platform.credentials.client_secrets == (IMS_CLIENT_SECRET.encode(),)
    assert setup.customerio.api_key == APP_KEY.encode()
    assert (setup.mode, setup.platform.dataset.profile) == ("raw", True)
    assert setup.customerio.families == ("email", "sms")
    assert setup.platform.settle_seconds == 5
    for kept in (tmp_path / "var" / "connect").iterdir():
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with pytest.raises(ConfigError, match="it is there already"):
        write_setup(Folders(stage.config), tmp_path / "var", answers)


def test_a_setup_from_elsewhere_is_taken_in_with_its_files(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    source = elsewhere / "acme.yaml"
    document: dict[str, Any] = {"customerio": {"api_key": {"file": "key"}}}
    path = take_in(Folders(stage.config), source, document, "acme")
    moved = yaml.safe_load(path.read_text())["customerio"]["api_key"]["file"]
    assert (path.parent / moved).resolve() == elsewhere / "key"
    assert take_in(Folders(stage.config), source, document, "acme") == path
    with pytest.raises(ConfigError, match="another setup of this name"):
        take_in(Folders(stage.config), source, {"customerio": {}}, "acme")


async def test_the_terminal_asks_again_goes_back_and_hides_secrets(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = iter(
        ["fresh", IMS_CLIENT_ID, "wrong", IMS_CLIENT_SECRET, "<", IMS_CLIENT_SECRET, ORG_ID, "prod",
         "sluice", "Events", "no", "us", APP_KEY, stage.url, "email"]
    )  # fmt: skip
    hidden: list[bool] = []

    def prompt(_text: str, *, default: str | None, hide_input: bool) -> str:
        hidden.append(hide_input)
        return next(typed)

    monkeypatch.setattr(typer, "prompt", prompt)
    answers = await _ask(Settings(config_dir=stage.config), addresses(stage))
    assert next(typed, None) is None
    assert answers["customerio.families"] == "email"
    # The secret three times: wrong, right, and once more after going back; and the App API key.
    assert sum(hidden) == 4
    shown = capsys.readouterr().out
    assert "Developer Console" in shown
    assert "IMS" in shown
    assert IMS_CLIENT_SECRET not in shown


async def test_an_answer_beforehand_that_is_no_good_ends_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(typer.BadParameter, match="name: wanted a-z"):
        await _ask(Settings(config_dir=stage.config), {"name": "No Good"})


def wizard_of(stage: Stage, monkeypatch: pytest.MonkeyPatch, *typed: str) -> list[str]:
    """The terminal's answers; what was asked."""
    asked: list[str] = []
    answers = iter(typed)

    def prompt(text: str, *, default: str | None, hide_input: bool) -> str:
        asked.append(text)
        return next(answers)

    monkeypatch.setattr(typer, "prompt", prompt)
    return asked


async def test_answers_beforehand_that_can_be_looked_at_are_before_the_first_question(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = wizard_of(stage, monkeypatch)
    given = addresses(stage) | {
        "platform.credentials.client_id": IMS_CLIENT_ID,
        "platform.credentials.client_secret": "wrong",
        "platform.org_id": ORG_ID,
        "platform.sandbox_name": "nowhere",
        "customerio.public_url": "http://127.0.0.1:9",
    }
    with pytest.raises(typer.BadParameter) as caught:
        await _ask(Settings(config_dir=stage.config), given)
    said = str(caught.value).splitlines()
    # A sandbox is not looked for with a secret that is wrong.
    assert [each.partition(": ")[0] for each in said] == [
        "platform.credentials.client_secret", "customerio.public_url",
    ]  # fmt: skip
    assert asked == []


async def test_an_answer_beforehand_that_needs_another_waits_for_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = wizard_of(stage, monkeypatch, "eu")
    every = {question.key: question.default for question in QUESTIONS if question.default}
    given = addresses(stage) | every | good(stage) | {"customerio.api_key": "wrong"}
    del given["customerio.region"]
    with pytest.raises(typer.BadParameter, match=r"api_key: .* App API key is wrong"):
        await _ask(Settings(config_dir=stage.config), given)
    assert len(asked) == 1 and "region" in asked[0]


async def test_answers_beforehand_are_asked_of_the_vendors_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = wizard_of(stage, monkeypatch)
    every = {question.key: question.default for question in QUESTIONS if question.default}
    await stage.forget()
    await _ask(Settings(config_dir=stage.config), addresses(stage) | every | good(stage))
    paths = [call["path"].partition("?")[0] for call in await stage.calls()]
    assert len(paths) == len(set(paths)) == 3
    assert asked == []


def test_every_key_that_may_be_set_has_its_place_in_a_setup(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.url = "http://127.0.0.1:1"
    numbers = ("seconds", "bytes", "per_second", "in_flight")
    own = {
        key: "2000" if key.endswith(numbers) else "true"
        for key in known_keys()
        if key not in BY_KEY
    }
    own |= addresses(stage) | {"platform.dataset.row_expiry": "P3Y", "limits.max_in_flight": "3"}
    own |= {"mapping_set": "customerio-default", "platform.schema.document": "customerio-events"}
    own |= {f"identity_namespaces.{each}": f"ns{each}" for each in ("email", "id")}
    every = {question.key: question.default for question in QUESTIONS if question.default}
    write_setup(Folders(stage.config), tmp_path / "var", every | good(stage) | own)
    setup = load_setup(Folders(stage.config), "fresh", {})
    assert (setup.body_limit_bytes, setup.platform.schema_.union) == (2000, True)
    assert setup.limits is not None and setup.limits.max_in_flight == 3


@pytest.mark.parametrize(
    ("key", "answer"), [("platform.settle_seconds", "abc"), ("nonsense.key", "1")]
)
def test_a_setup_that_would_be_no_good_is_not_written_and_no_secret_either(
    tmp_path: Path, key: str, answer: str
) -> None:
    stage = Stage(tmp_path)
    stage.url = "http://127.0.0.1:1"
    with pytest.raises(ConfigError) as caught:
        write_setup(Folders(stage.config), tmp_path / "var", good(stage) | {key: answer})
    assert any(key.partition(".")[0] in each for each in caught.value.faults)
    assert not (tmp_path / "var").exists()
    assert list((stage.config / "setups").iterdir()) == []


def test_a_setup_that_cannot_be_written_leaves_no_secret(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.url = "http://127.0.0.1:1"
    kept = tmp_path / "var" / "connect" / "fresh.app-api-key"
    write_private(kept, b"of another time")
    # Its file cannot be put there.
    (stage.config / "setups" / ".fresh.yaml.new").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        write_setup(Folders(stage.config), tmp_path / "var", good(stage))
    assert [path.name for path in kept.parent.iterdir()] == ["fresh.app-api-key"]


def test_every_question_says_where_its_answer_is_or_what_happens() -> None:
    def silent(question: Question) -> bool:
        return not question.where or not question.text

    assert [question.key for question in QUESTIONS if silent(question)] == []
