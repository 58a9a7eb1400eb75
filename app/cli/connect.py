"""`sluice connect`, the wizard: asks, looks at each answer, writes the setup, applies it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Final

import aiohttp
import typer

from app.cli.connection.apply import KeyFile, Yes, carry_out, key_given
from app.cli.connection.working import ShowCalls, the_setup
from app.cli.reading import visible
from app.connect.checks import Checks
from app.connect.given import complaints
from app.connect.questions import QUESTIONS, Question
from app.connect.setup_file import take_in, write_setup
from app.core.errors import ConfigError
from app.sandbox.defaults import (
    APP_KEY,
    IMS_CLIENT_ID,
    IMS_CLIENT_SECRET,
    ORG_ID,
    SANDBOX_NAME,
    SIGNING_KEY,
)
from app.settings import Settings, environment, load_settings
from app.settings.addresses import receiver_url, sandbox_url
from app.settings.folders import Folders, may_write

_BACK: Final = "<"


def connect(
    source: Annotated[
        Path | None, typer.Option("--from", help="A setup file: nothing is asked but for a yes.")
    ] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An answer beforehand; may be repeated."),
    ] = None,
    sandbox: Annotated[
        bool,
        typer.Option("--sandbox", help="To the sandbox that runs here: its answers are known."),
    ] = False,
    yes: Yes = False,
    signing_key_file: KeyFile = None,
    show_calls: ShowCalls = False,
) -> None:
    """Set up both ends of a new connection: Platform's dataflow, and Customer.io's webhook.

    Asks for what it needs, says where to find it, and looks at each answer at once. Nothing is
    changed anywhere before the plan was shown.
    """
    settings = load_settings(environment())
    key = key_given(signing_key_file)
    _require_place(settings.folders)
    if source is not None and given:
        raise typer.BadParameter(
            "answers go with questions, and --from asks none", param_hint="--set"
        )
    if source is None:
        known = sandbox_answers(settings) if sandbox else {}
        hint = "--sandbox or --set" if sandbox else "--set"
        answers = asyncio.run(_ask(settings, known | _beforehand(given or []), hint))
        path = write_setup(settings.folders, settings.data_dir, answers)
        typer.echo(f"\nwrote {path}: `sluice connection apply {path.stem}` does it later, too\n")
        name = path.stem
    else:
        setup = the_setup("", source)
        take_in(settings.folders, source, setup.written, setup.name)
        name = setup.name
    carry_out(
        the_setup(name), yes=yes, signing_key=key or (SIGNING_KEY.encode() if sandbox else b""),
        may_ask=source is None or not yes, show_calls=show_calls,
    )  # fmt: skip


def _require_place(folders: Folders) -> None:
    """Said before a dozen questions, not after them. Raises ConfigError."""
    folder = folders.written("setups")
    if not may_write(folder):
        raise ConfigError(
            [f"{folder}: cannot be written: set SLUICE_GENERATED_DIR to a folder that can"]
        )


def sandbox_answers(settings: Settings) -> dict[str, str]:
    """All answers for the sandbox that runs here; none of them is a secret."""
    sandbox = sandbox_url(settings)
    answers = {question.key: question.default for question in QUESTIONS if question.default}
    return answers | {
        "name": "sandbox",
        "platform.api_url": sandbox,
        "platform.credentials.ims_url": f"{sandbox}/ims/token/v3",
        "platform.credentials.client_id": IMS_CLIENT_ID,
        "platform.credentials.client_secret": IMS_CLIENT_SECRET,
        "platform.org_id": ORG_ID,
        "platform.sandbox_name": SANDBOX_NAME,
        "customerio.api_url": sandbox,
        "customerio.api_key": APP_KEY,
        "customerio.public_url": receiver_url(settings),
    }


def _beforehand(given: list[str]) -> dict[str, str]:
    """Raises typer.BadParameter."""
    answers: dict[str, str] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals:
            raise typer.BadParameter(f"{each!r} is no KEY=VALUE", param_hint="--set")
        answers[key] = value
    return answers


async def _ask(settings: Settings, answers: dict[str, str], hint: str = "--set") -> dict[str, str]:
    """All answers, those beforehand looked at, too. Raises typer.BadParameter for those, before
    anything is asked."""
    beforehand = frozenset(answers)
    given = dict(answers)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        checks = Checks(session, settings.folders, environment())
        if found := await complaints(given, checks):
            raise typer.BadParameter("\n".join(found), param_hint=hint)
        typer.echo(f"Ctrl-C ends this, and changes nothing. {_BACK} goes back one question.")
        at = 0
        while at < len(QUESTIONS):
            question = QUESTIONS[at]
            if question.key in beforehand:
                if not question.may_be_checked(given):
                    await _hold(question, answers, checks)
                at += 1
                continue
            if await _answered(question, answers, checks, settings):
                at += 1
            else:
                at = _before(at, beforehand)
    return answers


async def _hold(question: Question, answers: dict[str, str], checks: Checks) -> None:
    """Raises typer.BadParameter for an answer beforehand that is no good by those since."""
    complaint = await question.complaint(answers[question.key], answers, checks)
    if complaint:
        raise typer.BadParameter(f"{question.key}: {complaint}", param_hint="--set")


async def _answered(
    question: Question, answers: dict[str, str], checks: Checks, settings: Settings
) -> bool:
    """Whether there is an answer now; False: one question back."""
    typer.echo(f"\n{question.where}")
    default = question.default
    if question.key == "customerio.public_url":
        default = settings.public_url or ""
    choices = f" ({', '.join(question.choices)})" if question.choices else ""
    while True:
        # Nothing else runs meanwhile.
        answer: str = typer.prompt(
            question.text + choices, default=default or None, hide_input=question.secret
        ).strip()
        if answer == _BACK:
            return False
        complaint = await question.complaint(answer, answers, checks)
        if not complaint:
            answers[question.key] = answer
            return True
        typer.echo(visible(f"  {complaint}"))


def _before(at: int, beforehand: frozenset[str]) -> int:
    """The question before, of those that are asked; its answer is given anew."""
    for earlier in range(at - 1, -1, -1):
        if QUESTIONS[earlier].key not in beforehand:
            return earlier
    return at
