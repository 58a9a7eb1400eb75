"""What an apply writes on this machine: connection file, state, and what goes to the registry."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from app.connect.connection_file import (
    Given,
    connection_document,
    contents,
    differences,
    is_ours,
    write,
)
from app.connect.schema_bodies import (
    clashing_fields,
    field_group_body,
    missing_fields,
    schema_body,
    standard_parts,
    tenant_fields,
)
from app.connect.state import StateFile, write_private
from app.core.errors import SluiceError
from app.core.xdm.compose import compose, registry_requests
from app.settings import load_connections
from app.settings.folders import Folders
from tests.connect.surroundings import ENVIRON, a_setup, config_folder

GIVEN = Given(
    "acme",
    "https://dcs.adobedc.net/collection/abc",
    "flow-1",
    "5f00000000000000000000d5",
    "https://ns.adobe.com/acme/schemas/1",
    "application/vnd.adobe.xed-full+json;version=1",
)


def test_the_connection_file_is_one_that_the_loader_takes(tmp_path: Path) -> None:
    config = config_folder(tmp_path)
    (config / "secret").write_text("hush\n")
    setup = a_setup(
        config,
        allowed_sources=["customerio-us", "192.0.2.0/24"],
        limits={"max_in_flight": 3},
        replay_window_seconds=3600,
        platform__credentials={"client_id": "c", "client_secrets": [{"file": "../secret"}]},
    )
    (tmp_path / "key").write_text("signing\n")
    path = config / "connections" / "acme.yaml"
    document = connection_document(setup, GIVEN, [tmp_path / "key"], path.parent, config / "setups")
    write(path, document, "acme")

    connection = load_connections(Folders(config), ENVIRON)["acme"]

    assert connection.signing_keys == (b"signing",)
    assert connection.platform.inlet.url == GIVEN.inlet_url
    assert connection.platform.mode == "xdm"
    assert connection.platform.authenticated
    assert connection.platform.credentials is not None
    assert connection.platform.credentials.client_secrets == (b"hush",)
    assert connection.platform.schema_ref.id == GIVEN.schema_id
    assert (connection.limits.max_in_flight, connection.replay_window_seconds) == (3, 3600)
    assert len(connection.allowed_sources) > 10
    assert "hush" not in path.read_text()
    assert differences(path, document) == ()


def test_a_file_that_a_person_wrote_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    assert is_ours(path)
    write(path, {"name": "acme"}, "acme")
    assert is_ours(path)
    path.write_text("name: acme\n")
    assert not is_ours(path)


def test_differences_of_a_connection_file_name_the_key(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    write(path, {"platform": {"flow_id": "one", "mode": "raw"}}, "acme")
    found = differences(path, {"platform": {"flow_id": "two", "mode": "raw"}})
    assert [str(each) for each in found or ()] == ["platform.flow_id: one -> two"]


def test_state_comes_back_as_it_was(tmp_path: Path) -> None:
    file = StateFile(tmp_path, "acme")
    file.state.ids["flow"] = "f1"
    file.state.retired.append(("flow", "f0"))
    file.state.changed_at = 12.5
    file.save()
    assert StateFile(tmp_path, "acme").state == file.state
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_state_of_another_release_is_read(tmp_path: Path) -> None:
    file = StateFile(tmp_path, "acme")
    write_private(file.path, json.dumps({"ids": {"flow": "f"}, "of_later": 1}).encode())
    assert StateFile(tmp_path, "acme").state.ids == {"flow": "f"}
    write_private(file.path, b"{")
    with pytest.raises(SluiceError, match="move it away: everything is then found again"):
        StateFile(tmp_path, "acme")


def test_only_one_apply_at_a_time(tmp_path: Path) -> None:
    with (
        StateFile(tmp_path, "acme").alone(),
        pytest.raises(SluiceError, match="another command is at work on acme"),
        StateFile(tmp_path, "acme").alone(),
    ):
        raise AssertionError


def test_a_lock_ends_with_the_process_that_held_it(tmp_path: Path) -> None:
    def dies(folder: Path) -> None:
        with StateFile(folder, "acme").alone():
            os.kill(os.getpid(), 9)

    child = multiprocessing.get_context("fork").Process(target=dies, args=(tmp_path,))
    child.start()
    child.join()
    assert child.exitcode == -9
    with StateFile(tmp_path, "acme").alone():
        pass


def test_what_is_posted_for_our_document_is_what_mappings_schema_prints() -> None:
    variables = {
        "TENANT": "acme",
        "EMAIL_NAMESPACE": "Email",
        "ID_NAMESPACE": "customerId",
        "CIO_ID_NAMESPACE": "customerioId",
    }
    printed = {each["creates"]: each["body"] for each in registry_requests(variables, "FG")}
    group, schema = printed["field group"], printed["schema"]
    document = compose()
    fields = tenant_fields(document, "acme")
    assert field_group_body(group["title"], group["description"], fields) == group
    parts = (*standard_parts(document), "FG")
    assert schema_body(schema["title"], schema["description"], parts, union=True) == schema


def test_fields_that_are_missing_or_of_another_type_are_found() -> None:
    wanted = {
        "_t": {
            "type": "object",
            "properties": {
                "a": {"type": "string"},
                "b": {"type": "object", "properties": {"c": {"type": "string"}}},
                "d": {"type": "array", "items": {"type": "string"}},
            },
        }
    }
    found = {
        "_t": {
            "type": "object",
            "properties": {
                "a": {"type": "integer"},
                "b": {"type": "object", "properties": {}},
                "d": {"type": "array", "items": {"type": "number"}},
                "theirs": {"type": "string"},
            },
        }
    }
    assert list(missing_fields(wanted, found)) == [
        ("/_t/properties/b/properties/c", {"type": "string"})
    ]
    assert list(clashing_fields(wanted, found)) == [
        ("_t.a", "integer", "string"),
        ("_t.d.[*]", "number", "string"),
    ]
    assert list(missing_fields(wanted, {})) == [("/_t", wanted["_t"])]


def test_the_connection_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "connections" / "acme.yaml"
    write(path, {"name": "acme"}, "acme")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    write(path, {"name": "acme"}, "acme")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_address_of_an_inlet_is_never_shown_whole(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    inlet = "https://dcs.adobedc.net/collection/a1b2c3d4"
    old, new = f"{inlet}{'0' * 56}", f"{inlet}{'1' * 56}"
    said = [str(each) for each in contents({"name": "acme", "platform": {"url": new}})]
    assert said == ["name: nothing -> acme", f"platform.url: nothing -> {inlet}..."]
    write(path, {"platform": {"url": old}}, "acme")
    found = differences(path, {"platform": {"url": new}})
    assert [str(each) for each in found or ()] == [f"platform.url: {inlet}... -> {inlet}..."]
    assert differences(path, {"platform": {"url": old}}) == ()
    # The whole of a part that was not there.
    write(path, {"name": "acme"}, "acme")
    found = differences(path, {"name": "acme", "platform": {"url": new, "mode": "raw"}})
    assert [str(each) for each in found or ()] == [
        f"platform.url: nothing -> {inlet}...", "platform.mode: nothing -> raw",
    ]  # fmt: skip


def test_values_that_only_look_alike_differ(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    write(path, {"a": True, "b": 3, "c": [1, 2], "d": None}, "acme")
    found = differences(path, {"a": "True", "b": "3", "c": [1], "e": {}})
    assert {each.path for each in found or ()} == {"a", "b", "c.1", "e"}
    assert differences(path, {"a": True, "b": 3, "c": [1, 2]}) == ()
