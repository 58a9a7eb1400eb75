"""Runs the checks side by side, each within its time, and turns what they raise into findings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final

from app.cli.doctor.finding import Finding, Level, NotAsked, Said, failed, not_asked
from app.cli.doctor.ground import Ground
from app.cli.doctor.registry import GENERAL, OF_CONNECTION
from app.core.errors import (
    ConfigError,
    CredentialsRefused,
    SluiceError,
    StoreUnavailable,
    TokenUnavailable,
)
from app.store.batches import Batches

LIMIT_SECONDS: Final = 10.0
_NO_REDIS: Final = "Redis cannot be used"


async def examine(ground: Ground, limit_seconds: float = LIMIT_SECONDS) -> list[Finding]:
    """Every check, in the order of the page. Raises nothing but CancelledError."""
    reached = await _within("redis", "reachable", _reached(ground), limit_seconds)
    away = any(each.level is Level.FAILED for each in reached)
    asked = [
        _within(check.subject, check.name, check.look(ground), limit_seconds)
        if not (away and check.redis)
        else _unasked(check.subject, check.name)
        for check in GENERAL
    ]
    for name, connection in ground.connections.items():
        subject = f"connection {name}"
        asked += [
            _within(subject, check.name, check.look(ground, connection), limit_seconds)
            if not (away and check.redis)
            else _unasked(subject, check.name)
            for check in OF_CONNECTION
        ]
    found = await asyncio.gather(*asked)
    return [*reached, *(finding for findings in found for finding in findings)]


async def _reached(ground: Ground) -> list[Said]:
    await Batches(ground.redis).ping()
    return []


async def _unasked(subject: str, check: str) -> list[Finding]:
    return [Finding(Level.NOT_ASKED, subject, check, _NO_REDIS)]


async def _within(
    subject: str, check: str, look: Awaitable[list[Said]], seconds: float
) -> list[Finding]:
    try:
        async with asyncio.timeout(seconds):
            said = await look
    except TimeoutError:
        said = [
            failed(
                f"no answer within {seconds:g} s",
                "is the network to it open? --limit gives each check more time",
            )
        ]
    except NotAsked as why:
        said = [not_asked(str(why))]
    except Exception as fault:
        said = _of(fault)
    return [Finding(each.level, subject, check, each.text, each.fix, each.pointed) for each in said]


def _of(fault: Exception) -> list[Said]:
    """What a fault means for whoever reads the page."""
    match fault:
        case ConfigError():
            return [_split(line) for line in fault.faults]
        case StoreUnavailable(reason="away"):
            return [failed(str(fault), "is Redis running, and SLUICE_REDIS_URL right?")]
        case CredentialsRefused():
            what, _, fix = str(fault).partition(": ")
            return [failed(what, fix or "look into the Developer Console, project, credentials")]
        case TokenUnavailable():
            fix = "is platform.credentials.ims_url right, and may this machine reach it?"
            return [failed(str(fault), fix)]
        case SluiceError():
            return [_split(str(fault))]
    # A bug of ours; its text may hold anything.
    return [failed(f"the check itself failed: {type(fault).__name__}", "please report it")]


def _split(text: str) -> Said:
    """Texts of faults say what is wrong, and then what to do: after the last `; `, in a sentence of
    its own, or after the last `: `."""
    if "; " in text:
        what, _, fix = text.rpartition("; ")
    elif ". " in text:
        what, _, fix = text.partition(". ")
    else:
        what, _, fix = text.rpartition(": ")
    return failed(what, fix) if what else failed(text, "do as it says")
