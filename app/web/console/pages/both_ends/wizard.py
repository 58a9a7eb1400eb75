"""A new setup: the questions of app/connect as one form, each answer looked at as it is given.

Secrets are typed, go into a file of the data folder, and are never shown again. `env:NAME` and
`file:PATH` are for people at the machine: here they would let an admin of the console read what the
machine keeps from them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import aiohttp
from aiohttp import web

from app.connect.checks import Checks
from app.connect.questions import QUESTIONS, Question
from app.connect.setup_file import write_setup
from app.core.errors import ConfigError, SluiceError
from app.settings.folders import Folders, may_write
from app.web.console import look
from app.web.console.both_ends.draft import OTHERS, SECRETS, Draft, read_draft
from app.web.console.both_ends.wording import told
from app.web.console.config import CONSOLE
from app.web.console.door import WHO
from app.web.console.forms import read_form
from app.web.console.pages.both_ends.one import SECTION
from app.web.console.trail import note

_LONGEST_SECONDS: Final = 20.0
_REFERENCES: Final = ("env:", "file:")

# The parts of the form, and the first question of each.
_PARTS: Final = (
    ("name", "The connection"),
    ("platform.credentials.client_id", "Adobe Experience Platform"),
    ("customerio.region", "Customer.io"),
)


class Said(NamedTuple):
    """What is said of one answer. `good` None: it was not looked at."""

    good: bool | None = None
    text: str = ""


class Asked(NamedTuple):
    """A question on the page. `answer`: never a secret; `given`: a secret is known."""

    at: int
    question: Question
    answer: str
    given: bool
    said: Said
    part: str


async def page(request: web.Request) -> web.Response:
    """GET /connect."""
    return _form(request, await asyncio.to_thread(_draft, request), {})


async def check(request: web.Request) -> web.Response:
    """POST /connect/check?at=N, with the form: what is said of that answer, for its part."""
    draft = await _taken(request)
    at = request.query.get("at", "")
    if not (at.isascii() and at.isdigit() and int(at) < len(QUESTIONS)):
        raise web.HTTPNotFound(text="There is no such question.")
    question = QUESTIONS[int(at)]
    async with _checks(request) as checks:
        said = await _said(question, draft, checks)
    asked = _asked(int(at), draft, {question.key: said})
    return look.render(request, "parts/answer.html", {"asked": asked})


async def save(request: web.Request) -> web.StreamResponse:
    """POST /connect: the answers; act = check, save or discard."""
    given = await read_form(request)
    draft = await _taken(request)
    if given.get("act") == "discard":
        await asyncio.to_thread(draft.discard)
        return look.after(request, "/connections", "The answers are gone, secrets too.")
    if given.get("act") not in ("check", "save"):
        raise web.HTTPBadRequest(text="Send the answers with act = check, save or discard.")
    said = {}
    async with _checks(request) as checks:
        for question in QUESTIONS:
            said[question.key] = await _said(question, draft, checks)
    said |= {key: _other_said(key, draft.answers[key]) for key in OTHERS if key in draft.answers}
    wrong = [key for key, each in said.items() if not each.good]
    if wrong or given.get("act") == "check":
        return _form(request, draft, said, status=422 if wrong else 200)
    return await _write(request, draft)


async def _write(request: web.Request, draft: Draft) -> web.StreamResponse:
    """The setup, where it belongs; or, where that cannot be written, what to put there."""
    settings, name = request.app[CONSOLE].both_ends.settings, draft.answers["name"]
    answers = {each.key: draft.answers.get(each.key, each.default) for each in QUESTIONS}
    answers |= {key: draft.answers[key] for key in OTHERS if key in draft.answers}
    folder = settings.folders.written("setups")
    await note(request, "connection.setup-written", name)
    if not await asyncio.to_thread(may_write, folder):
        # The secrets go where they belong, the rest beside them: to be put in place by a person.
        beside = Folders(settings.data_dir / "connect" / "to-place")
        beside.file("setups", name).unlink(missing_ok=True)
        path = await asyncio.to_thread(
            write_setup, beside, settings.data_dir, answers, settings.folders.config
        )
        context = {"here": SECTION, "name": name, "path": path.resolve(), "folder": folder}
        context["text"] = path.read_text()
        draft.discard()
        return look.render(request, "setup_elsewhere.html", context)
    try:
        await asyncio.to_thread(write_setup, settings.folders, settings.data_dir, answers)
    except ConfigError as fault:
        raise web.HTTPConflict(text="; ".join(fault.faults)) from None
    except SluiceError as fault:
        raise web.HTTPServiceUnavailable(text=f"{fault}.") from None
    draft.discard()
    return look.after(request, f"/connections/{name}/plan", f"The setup {name} is written.")


def _draft(request: web.Request) -> Draft:
    settings = request.app[CONSOLE].both_ends.settings
    return read_draft(settings.data_dir, request[WHO].name)


async def _taken(request: web.Request) -> Draft:
    """The draft with what the form has. Raises HTTPServiceUnavailable when it cannot be kept."""
    given = await read_form(request)
    draft = _draft(request)
    try:
        secrets = draft.take(given)
    except SluiceError as fault:
        raise web.HTTPServiceUnavailable(text=f"{fault}.") from None
    for key in secrets:
        await note(request, "connection.secret-given", key)
    return draft


@asynccontextmanager
async def _checks(request: web.Request) -> AsyncIterator[Checks]:
    folders = request.app[CONSOLE].both_ends.settings.folders
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Checks(session, folders, {})


async def _said(question: Question, draft: Draft, checks: Checks) -> Said:
    """Raises nothing of the answer's, or the network's."""
    answer = draft.answers.get(question.key, question.default)
    if question.secret and answer.startswith(_REFERENCES):
        return Said(False, "type the secret itself: references are for setup files")
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            complaint = await question.complaint(answer, draft.answers, checks)
    except KeyError:
        return Said(None, "it is looked at when the answers above are given")
    except TimeoutError:
        return Said(False, f"there was no answer within {_LONGEST_SECONDS:.0f} seconds")
    except Exception as fault:
        return Said(False, told(fault))
    return Said(False, complaint) if complaint else Said(True, _GOOD.get(question.key, "good"))


def _other_said(key: str, answer: str) -> Said:
    if key == "platform.settle_seconds":
        good = bool(re.fullmatch(r"\d{1,4}(\.\d{1,3})?", answer)) and float(answer) <= 3600
        return Said(good, "" if good else "wanted seconds, 0 to 3600; Adobe says 300")
    good = bool(re.fullmatch(r"https?://[^/?#\s]+(/[^?#\s]*)?", answer))
    return Said(good, "" if good else "wanted an address such as https://platform.adobe.io")


_GOOD: Final = {
    "name": "it is free",
    "platform.credentials.client_secret": "a token was obtained; the secret is not shown again",
    "platform.sandbox_name": "it is there, and the credential may use it",
    "customerio.api_key": "it is valid; the key is not shown again",
    "customerio.public_url": "somebody answers there",
}


def _asked(at: int, draft: Draft, said: dict[str, Said], default: str = "") -> Asked:
    question = QUESTIONS[at]
    secret = question.key in SECRETS
    answer = "" if secret else draft.answers.get(question.key, default or question.default)
    given = secret and question.key in draft.answers
    part = next((title for key, title in _PARTS if key == question.key), "")
    return Asked(at, question, answer, given, said.get(question.key, Said()), part)


def _form(
    request: web.Request, draft: Draft, said: dict[str, Said], status: int = 200
) -> web.Response:
    settings = request.app[CONSOLE].both_ends.settings
    public = {"customerio.public_url": settings.public_url or ""}
    asked = [
        _asked(at, draft, said, public.get(question.key, ""))
        for at, question in enumerate(QUESTIONS)
    ]
    context: dict[str, Any] = {
        "here": SECTION,
        "asked": asked,
        "wrong": sum(each.good is False for each in said.values()),
        "looked": bool(said),
        "others": [
            (key, text, draft.answers.get(key, ""), said.get(key, Said()).text)
            for key, text in OTHERS.items()
        ],
        "folder": settings.folders.written("setups"),
        "may_write": may_write(settings.folders.written("setups")),
        "started": bool(draft.answers),
    }
    return look.render(request, "connect.html", context, status=status)
