"""What a check says: how it stands, in words, with the fix."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    # Nobody could look, which is neither good nor bad; the text says why.
    NOT_ASKED = "not asked"


class Said(NamedTuple):
    """One finding of a check. `fix`: what to do, "" when there is nothing; `pointed`: the text at
    fault and, under it, a caret."""

    level: Level
    text: str
    fix: str = ""
    pointed: str = ""


class Finding(NamedTuple):
    """The same, with its place on the page. `check`: a stable short name."""

    level: Level
    subject: str
    check: str
    text: str
    fix: str = ""
    pointed: str = ""


class NotAsked(Exception):
    """A check cannot look; the text says why."""


def ok(text: str) -> Said:
    return Said(Level.OK, text)


def warning(text: str, fix: str) -> Said:
    return Said(Level.WARNING, text, fix)


def failed(text: str, fix: str) -> Said:
    return Said(Level.FAILED, text, fix)


def not_asked(text: str, fix: str = "") -> Said:
    return Said(Level.NOT_ASKED, text, fix)
