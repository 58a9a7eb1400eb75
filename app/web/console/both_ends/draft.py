"""Answers of a setup that is not made yet: one draft for each admin, in the data folder.

It holds secrets, so it is a file for its owner only, never goes to a browser but for its other
answers, and is gone with the setup that is made of it, or after a day.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson

from app.connect.questions import QUESTIONS
from app.connect.state import write_private

_DAY_SECONDS: Final = 86_400.0
_LONGEST: Final = 4_000

# Answers without a question (`setup_document`): other addresses than the vendors' own, and how long
# nothing is sent to a new dataflow.
OTHERS: Final = {
    "platform.api_url": "Platform's API",
    "platform.credentials.ims_url": "IMS, for tokens",
    "customerio.api_url": "Customer.io's App API",
    "platform.settle_seconds": "Seconds that nothing is sent to a new dataflow",
}
SECRETS: Final = frozenset(question.key for question in QUESTIONS if question.secret)
_KEYS: Final = frozenset(question.key for question in QUESTIONS) | OTHERS.keys()


@dataclass(slots=True)
class Draft:
    """Made by `read_draft`. `answers`: as they were given, secrets too."""

    path: Path
    answers: dict[str, str] = field(default_factory=dict, repr=False)

    def take(self, given: dict[str, str]) -> list[str]:
        """Takes in what a form has, and keeps it; the keys of secrets that are new. An empty secret
        is the one that is known already. Raises SluiceError when it cannot be kept."""
        before, secrets = dict(self.answers), []
        for key in _KEYS & given.keys():
            value = given[key].strip()[:_LONGEST]
            if key in SECRETS:
                if value and value != before.get(key):
                    secrets.append(key)
                    self.answers[key] = value
            elif value:
                self.answers[key] = value
            else:
                self.answers.pop(key, None)
        if self.answers != before:
            write_private(self.path, orjson.dumps(self.answers))
        return secrets

    def shown(self) -> dict[str, str]:
        """What may go to a browser."""
        return {key: value for key, value in self.answers.items() if key not in SECRETS}

    def discard(self) -> None:
        """Gone for good."""
        self.path.unlink(missing_ok=True)
        self.answers.clear()


def read_draft(data_dir: Path, user: str) -> Draft:
    """The user's; an empty one when there is none. Those of more than a day ago are removed."""
    folder = data_dir / "connect" / "drafts"
    for old in folder.glob("*.json"):
        if time.time() - old.stat().st_mtime > _DAY_SECONDS:
            old.unlink(missing_ok=True)
    path = folder / f"{hashlib.blake2b(user.encode(), digest_size=12).hexdigest()}.json"
    try:
        found = orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return Draft(path)
    if not isinstance(found, dict):
        return Draft(path)
    known = {key: value for key, value in found.items() if key in _KEYS and isinstance(value, str)}
    return Draft(path, known)
