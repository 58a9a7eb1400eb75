"""Answers given before anybody is asked: looked at all together, so that nothing is asked, and
nothing written, while one of them is no good."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel

from app.connect.checks import Checks
from app.connect.questions import QUESTIONS, Answers
from app.connect.setup_file import check_answers
from app.core.errors import ConfigError
from app.settings.faults import close_match, model_in
from app.settings.setups import Setup

# Stand for what is not answered yet. Nobody is asked about them.
_STAND_INS: Final = {
    "name": "setup",
    "platform.credentials.client_id": "id",
    "platform.credentials.client_secret": "-",
    "platform.org_id": "stand-in@AdobeOrg",
    "customerio.api_key": "-",
    "customerio.public_url": "https://hooks.example.com",
}


def known_keys() -> tuple[str, ...]:
    """The questions', and each key of a setup that has a single value and no question."""
    asked = [question.key for question in QUESTIONS]
    own = (key for key in _single_values(Setup) if not _asked_above(key, asked))
    return tuple(dict.fromkeys((*asked, *own)))


async def complaints(answers: Answers, checks: Checks) -> list[str]:
    """`key: what is wrong with it`, one for each that is no good.

    Checks that go by answers that are still to come are left for later. Raises nothing.
    """
    known = known_keys()
    found = [f"{key}: unknown{close_match(key, known)}" for key in answers if key not in known]
    good = {key: answer for key, answer in answers.items() if key in known}
    for question in QUESTIONS:
        if question.key not in good:
            continue
        answer = good[question.key]
        if question.may_be_checked(good):
            said = await question.complaint(answer, good, checks)
        else:
            said = question.shape(answer)
        if said:
            found.append(f"{question.key}: {said}")
            # What goes by it could only complain of the same.
            del good[question.key]
    return [*found, *_of_the_whole(good, checks)]


def _of_the_whole(answers: Answers, checks: Checks) -> list[str]:
    """What the setup itself has to say, the answers that are still to come made up."""
    defaults = {question.key: question.default for question in QUESTIONS if question.default}
    whole = _STAND_INS | defaults | dict(answers)
    try:
        check_answers(checks.folders, whole)
    except ConfigError as fault:
        place = f"{checks.folders.file('setups', whole['name'])}: "
        return [each.removeprefix(place) for each in fault.faults]
    return []


def _single_values(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        if field.exclude or typing.get_origin(field.annotation) is tuple:
            continue
        inner = model_in(field.annotation)
        yield from _single_values(inner, f"{key}.") if inner else (key,)


def _asked_above(key: str, asked: list[str]) -> bool:
    """Whether a question's answer makes all of the part that the key is in."""
    return any(key.startswith(f"{each}.") for each in asked)
