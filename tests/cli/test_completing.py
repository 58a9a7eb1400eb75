"""What a shell completes: commands, connections, recipes; nothing when there is nobody to ask."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.cli.completing import connection_names, recipe_names
from app.store.connect import Store
from app.store.recipes import Recipes
from tests.e2e.process import ROOT


def completed(words: str, at: int) -> list[str]:
    """What bash would be told."""
    environ = {"_SLUICE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(at)}
    return CliRunner().invoke(cli, prog_name="sluice", env=environ).stdout.split()


def test_commands_are_completed_and_the_hidden_are_not() -> None:
    assert completed("sluice re", 1) == ["replays", "recipes"]
    assert completed("sluice recipes d", 2) == ["delete", "dry-run"]
    assert completed("sluice serve-receiver", 1) == ["serve-receiver"]


async def test_names_are_completed(
    store: Store, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_REDIS_URL", redis_url)
    monkeypatch.setenv("SLUICE_CONFIG_DIR", str(ROOT / "config"))
    for name in ("zones", "zebra", "ages"):
        await Recipes(store).save(name, "x", "anna")

    assert await asyncio.to_thread(recipe_names, "z") == ["zebra", "zones"]
    assert await asyncio.to_thread(completed, "sluice recipes show a", 3) == ["ages"]
    assert connection_names("ex") == ["example"]
    assert connection_names("y") == []
    assert await asyncio.to_thread(completed, "sluice lanes pause e", 3) == ["example"]


def test_who_cannot_be_asked_completes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_REDIS_URL", f"unix://{tmp_path}/nobody.sock")
    monkeypatch.setenv("SLUICE_CONFIG_DIR", str(tmp_path))

    assert (recipe_names(""), connection_names("")) == ([], [])
    monkeypatch.setenv("SLUICE_REDIS_URL", "nonsense")
    assert recipe_names("") == []
