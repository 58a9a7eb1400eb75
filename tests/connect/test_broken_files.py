"""Every file that is broken ends in one clear line: which file, what is wrong, the way out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.connect.checks import Checks
from app.connect.connection_file import HEADER
from app.connect.questions import QUESTIONS
from app.connect.setup_file import take_in
from app.connect.state import State, StateFile, write_private
from app.connect.typed_secrets import typed_secrets
from app.core.errors import ConfigError, SluiceError
from app.settings.folders import Folders
from app.settings.load_setups import load_setup
from app.web.console.both_ends.draft import read_draft
from tests.connect.stage import Stage, staged
from tests.connect.surroundings import ENVIRON, config_folder, setup_keys, write_keys
from tests.connect.test_apply import KINDS, TINY


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, **KINDS["customerio"], **TINY) as found:
        yield found


@pytest.mark.parametrize(
    "content",
    [
        "[]", "3", "null", "{", "[" * 5000, '{"ids": 3}', '{"ids": {"flow": null}}',
        '{"retired": [1]}', '{"retired": [["a"]]}', '{"retired": [["a", "b", "c"]]}',
        '{"made": {"a": "b"}}', '{"changed_at": "x"}', '{"changed_at": NaN}',
        '{"tests_before": "x"}', '{"webhook_off": "maybe"}',
    ],
)  # fmt: skip
def test_a_state_file_that_no_apply_wrote(tmp_path: Path, content: str) -> None:
    path = tmp_path / "connect" / "acme.json"
    write_private(path, content.encode())
    with pytest.raises(SluiceError) as caught:
        StateFile(tmp_path, "acme")
    said = str(caught.value)
    assert said.startswith(f"{path} cannot be read (")
    assert said.endswith("move it away: everything is then found again by name")
    assert "\n" not in said


def test_a_state_file_of_an_earlier_release_has_defaults(tmp_path: Path) -> None:
    written = {"version": 1, "made": [["flow", "f"]], "of_later": {}}
    write_private(tmp_path / "connect" / "acme.json", json.dumps(written).encode())
    assert StateFile(tmp_path, "acme").state == State(made=[("flow", "f")])


@pytest.mark.parametrize(
    "content",
    [
        b"a: [", b"\xff", b"{[a]: b}", b"a: 2026-13-45", b"a: " + b"[" * 600,
        b"a: " + b"9" * 5000, b"a: !!int x", b"a: !!bool x", b"a: !!timestamp x",
    ],
)  # fmt: skip
def test_a_setup_that_is_no_yaml(tmp_path: Path, content: bytes) -> None:
    folders = Folders(config_folder(tmp_path))
    path = folders.file("setups", "acme")
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_setup(folders, "acme", ENVIRON)
    [said] = caught.value.faults
    assert said.startswith(f"{path}: is no YAML: ")
    assert said.endswith("; mend it")
    # The same file stands where `connect --from` would put another.
    source = tmp_path / "acme.yaml"
    with pytest.raises(ConfigError) as caught:
        take_in(folders, source, setup_keys(), "acme")
    [said] = caught.value.faults
    assert said.startswith(f"{path}: is no YAML: ")
    assert said.endswith("; mend it, or move it away")
    assert path.read_bytes() == content


@pytest.mark.parametrize("value", [{"a": "b"}, ["c"]])
def test_a_network_that_is_a_structure(tmp_path: Path, value: Any) -> None:
    config = config_folder(tmp_path)
    write_keys(config, setup_keys(allowed_sources=[value]))
    with pytest.raises(ConfigError, match=r"allowed_sources\[0\]: .* is neither a network"):
        load_setup(Folders(config), "acme", ENVIRON)


def test_a_preset_that_is_no_list(tmp_path: Path) -> None:
    config = config_folder(tmp_path)
    (config / "allowed_sources.yaml").write_text("customerio-us: 3")
    write_keys(config, setup_keys(allowed_sources=["customerio-us"]))
    with pytest.raises(ConfigError, match=r"allowed_sources\[0\]: allowed_sources.yaml has no"):
        load_setup(Folders(config), "acme", ENVIRON)


def test_a_secret_whose_path_is_none(tmp_path: Path) -> None:
    config = config_folder(tmp_path)
    write_keys(config, setup_keys(customerio__api_key={"file": "a\0b"}))
    with pytest.raises(ConfigError, match=r"customerio.api_key: cannot read .*null byte"):
        load_setup(Folders(config), "acme", ENVIRON)


OURS = f"{HEADER}; edits here are lost.\n".encode()


@pytest.mark.parametrize(
    "content",
    [b"a: [", b"\xff", b"a: 2026-13-45", b"? [a]\n: b", b"a: " + b"[" * 600],
)
async def test_a_connection_file_of_ours_that_cannot_be_read(stage: Stage, content: bytes) -> None:
    path = stage.config / "connections" / "acme.yaml"
    await stage.apply()
    path.write_bytes(OURS + content)
    with pytest.raises(SluiceError) as caught:
        await stage.plan()
    said = str(caught.value)
    assert said.startswith(f"{path} cannot be read: ")
    assert said.endswith("; move it away, and it is written anew")
    path.rename(path.with_suffix(".old"))
    await stage.apply()
    assert yaml.safe_load(path.read_text())["name"] == "acme"


@pytest.mark.parametrize("content", [b"", b"[]", b"1: 2\n2026-01-31: x", b"platform: 3"])
async def test_a_connection_file_of_ours_with_something_else_is_written_anew(
    stage: Stage, content: bytes
) -> None:
    path = stage.config / "connections" / "acme.yaml"
    await stage.apply()
    path.write_bytes(OURS + content)
    plan = await stage.apply()
    assert [item.step for item in plan.work] == ["connection_file"]
    assert yaml.safe_load(path.read_text())["name"] == "acme"


async def test_a_connection_file_that_is_no_text_is_a_persons(stage: Stage) -> None:
    path = stage.config / "connections" / "acme.yaml"
    path.write_bytes(b"\xff\xfe")
    [item] = (await stage.plan()).blocked
    assert (item.name, "move it away" in item.why) == (str(path), True)


async def test_a_connection_file_that_is_a_folder(stage: Stage) -> None:
    path = stage.config / "connections" / "acme.yaml"
    path.mkdir()
    with pytest.raises(SluiceError, match="cannot be read: Is a directory; move it away"):
        await stage.plan()
    # What typed secrets it may point at, nobody knows: they stay.
    async with stage.wiring() as wiring:
        assert typed_secrets(wiring.places, "acme") == ()


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("schemas/tiny.json", "[]", "wanted a JSON object; mend it"),
        ("schemas/tiny.json", '{"properties": 3}', "properties is not an object; mend it"),
        ("schemas/tiny.json", '{"properties": {"a": 3}}', "a is no object; mend it"),
        (
            "schemas/tiny.json",
            '{"properties": {"a": {"items": {"properties": []}}}}',
            "a.[*]: properties is not an object; mend it",
        ),
        ("schemas/tiny.json", '{"meta:extends": 3}', "meta:extends is not a list; mend it"),
        ("mappings/tiny.json", "{", "cannot be read as JSON: unexpected end of data; mend it"),
        ("mappings/examples/tiny.json", "{", "cannot be read as JSON: unexpected end of data"),
    ],
)
async def test_a_document_of_another_shape(
    stage: Stage, file: str, content: str, said: str
) -> None:
    path = stage.config / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        await stage.plan()
    [found] = caught.value.faults
    assert found.startswith(f"{path}: ")
    assert said in found


async def test_a_mapping_set_that_names_no_schema(stage: Stage) -> None:
    path = stage.config / "mappings" / "tiny.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"outputSchema": 3}))
    with pytest.raises(ConfigError, match="outputSchema: it names no schema") as caught:
        await stage.plan()
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"id: abc\nkey: def"])
async def test_a_secret_file_that_holds_something_else(stage: Stage, content: bytes) -> None:
    secret = stage.folder / "secret"
    secret.write_bytes(content)
    reference = {"file": str(secret)}
    for key, given in (
        ("customerio__api_key", reference),
        ("platform__credentials__client_secrets", [reference]),
    ):
        before, stage.changes = stage.changes, stage.changes | {key: given}
        with pytest.raises(ConfigError) as caught:
            await stage.plan()
        place = key.replace("__", ".")
        assert str(caught.value).startswith(f"setup acme: {place}: what it points at is no secret")
        stage.changes = before
    [question] = [each for each in QUESTIONS if each.key == "customerio.api_key"]
    checks: Any = Checks(None, Folders(stage.config), {})  # type: ignore[arg-type]  # unused
    found = await question.complaint(f"file:{secret}", {}, checks)
    assert found.startswith(f"{secret}: what it points at is no secret of one line")


def test_a_draft_that_is_no_object_is_an_empty_one(tmp_path: Path) -> None:
    write_private(read_draft(tmp_path, "ada").path, b"[]")
    assert read_draft(tmp_path, "ada").answers == {}
