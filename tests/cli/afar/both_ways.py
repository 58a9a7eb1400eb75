"""`sluice` beside Redis, and the same through a console elsewhere."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from app.cli import cli
from app.core.errors import ConfigError, SluiceError
from app.store.users import Role
from app.web.console.config import Console
from tests.web.console.conftest import ROOT


@dataclass
class Answered:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Sluice:
    """Runs commands beside Redis, or through a console."""

    console: Console
    redis_url: str
    url: str
    tokens: dict[Role, str]

    async def here(self, *words: object, body: str = "") -> Answered:
        return await self._run({}, words, body)

    async def afar(self, *words: object, body: str = "", role: Role = Role.OPERATOR) -> Answered:
        # A Redis that nobody has: whatever asks it says so.
        given = {"SLUICE_CONSOLE_URL": self.url, "SLUICE_API_TOKEN": self.tokens[role]}
        return await self._run({"SLUICE_REDIS_URL": "unix:///nobody.sock", **given}, words, body)

    async def _run(self, environ: dict[str, str], words: tuple[object, ...], body: str) -> Answered:
        clean: dict[str, str | None] = {n: None for n in os.environ if n.startswith("SLUICE_")}
        clean |= {"SLUICE_REDIS_URL": self.redis_url, "SLUICE_CONFIG_DIR": str(ROOT / "config")}
        return await asyncio.to_thread(run, {**clean, **environ}, words, body)

    async def trail(self) -> list[tuple[str, str]]:
        entries, _ = await self.console.audit.page()
        return [(entry.who, entry.what) for entry in entries]


def run(environ: dict[str, str | None], words: tuple[object, ...], body: str) -> Answered:
    result = CliRunner().invoke(cli, [*map(str, words)], input=body, env=environ)
    code, err = result.exit_code, result.stderr
    if isinstance(result.exception, SluiceError):  # as app/__main__.py does
        code = 2 if isinstance(result.exception, ConfigError) else 1
        err += str(result.exception)
    elif result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answered(code, result.stdout, err)
