"""Secrets that a wizard wrote, when what they were for is destroyed."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.connect.destroying import Stay, Why
from app.connect.state import write_private
from app.connect.typed_secrets import typed_secrets
from app.sandbox.defaults import APP_KEY, IMS_CLIENT_SECRET
from tests.connect.stage import Stage, staged


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    schema = {"document": "tiny"}
    async with staged(tmp_path, mapping_set="tiny", platform__schema=schema) as found:
        yield found


def with_typed_secrets(stage: Stage) -> list[Path]:
    """As the wizard leaves them: in files of the data folder that the setup points at."""
    found = []
    for kind, secret in (("client-secret", IMS_CLIENT_SECRET), ("app-api-key", APP_KEY)):
        path = stage.folder / "var" / "connect" / f"acme.{kind}"
        write_private(path, secret.encode())
        found.append(path)
    stage.changes["platform__credentials__client_secrets"] = [{"file": str(found[0])}]
    # Relative to the setup's folder.
    relative = os.path.relpath(found[1], stage.config / "setups")
    stage.changes["customerio__api_key"] = {"file": relative}
    return found


async def test_secrets_that_were_typed_go_with_the_last_that_needs_them(stage: Stage) -> None:
    secrets = with_typed_secrets(stage)
    await stage.apply()
    async with stage.wiring() as wiring:
        what = await wiring.doomed()
        assert Stay("secret files", Why.NEEDED) in what.stays
        await wiring.destroy(what)
    assert all(path.is_file() for path in secrets)

    async with stage.wiring() as wiring:
        what = await wiring.doomed(dataset=True)
        assert list(what.secrets) == secrets
        assert what.document()["files"][-2:] == [str(path) for path in secrets]
        await wiring.destroy(what)
    assert [path.name for path in (stage.folder / "var" / "connect").iterdir()] == ["acme.lock"]


async def test_secrets_go_at_once_where_the_data_were_there_before(stage: Stage) -> None:
    secrets = with_typed_secrets(stage)
    await stage.apply()
    state = stage.folder / "var" / "connect" / "acme.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "made": []}))
    async with stage.wiring() as wiring:
        assert (await wiring.doomed(retired_only=True)).secrets == ()
        await wiring.destroy(await wiring.doomed())
    assert not any(path.exists() for path in secrets)


@pytest.mark.parametrize(
    "who",
    ["config/setups/other", "config/connections/acme", "config/connections/other",
     "generated/setups/other", "generated/connections/other"],
)  # fmt: skip
async def test_a_secret_that_another_file_points_at_stays(stage: Stage, who: str) -> None:
    client_secret, api_key = with_typed_secrets(stage)
    stage.generated = stage.folder / "generated"
    stage.setup()
    other = stage.folder / f"{who}.yaml"
    other.parent.mkdir(parents=True, exist_ok=True)
    keys = {"platform": {"credentials": {"client_secrets": [{"file": str(client_secret)}]}}}
    other.write_text(json.dumps(keys))
    async with stage.wiring() as wiring:
        assert typed_secrets(wiring.places, "acme") == (api_key,)
        other.write_text("{")
        assert typed_secrets(wiring.places, "acme") == ()


async def test_secret_files_of_a_person_stay(stage: Stage) -> None:
    secrets = with_typed_secrets(stage)
    own = stage.folder / "own-secret"
    own.write_text(IMS_CLIENT_SECRET)
    stage.changes["platform__credentials__client_secrets"] = [{"file": str(own)}]
    async with stage.wiring() as wiring:
        assert typed_secrets(wiring.places, "acme") == (secrets[1],)
