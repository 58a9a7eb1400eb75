"""Setup files: what is taken, and how what is wrong is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ConfigError
from app.customerio import events
from app.settings.folders import Folders
from app.settings.load_setups import load_setup, setup_names
from app.settings.setups import FAMILIES, Setup
from tests.connect.surroundings import ENVIRON, a_setup, config_folder, setup_keys, write_keys
from tests.test_settings import README, keys_of


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return config_folder(tmp_path)


def faults_of(config: Path, document: dict[str, Any]) -> list[str]:
    path = write_keys(config, document)
    with pytest.raises(ConfigError) as caught:
        load_setup(Folders(config), "acme", ENVIRON)
    assert all(fault.startswith(f"{path}: ") for fault in caught.value.faults)
    return [fault.removeprefix(f"{path}: ") for fault in caught.value.faults]


def test_the_shortest_setup_has_the_advised_source_and_every_family(config: Path) -> None:
    setup = a_setup(config)
    assert (setup.mode, setup.platform.source.wants_token) == ("xdm", True)
    assert setup.customerio.families == FAMILIES == events.FAMILIES
    assert setup.customerio.api_key == b"app-api-key"
    assert setup.webhook_url == "https://hooks.example.com/webhooks/acme"
    assert (setup.flow_name, setup.webhook_name) == ("Sluice acme", "Sluice acme")
    assert not setup.customerio.with_content
    assert setup.platform.settle_seconds == 300


def test_no_secret_is_in_what_a_setup_shows(config: Path) -> None:
    shown = repr(a_setup(config))
    assert "app-api-key" not in shown
    assert "sandbox-secret" not in shown


def test_the_customerio_source_is_raw_and_open(config: Path) -> None:
    setup = a_setup(config, platform__source={"kind": "customerio"})
    assert (setup.mode, setup.platform.source.wants_token) == ("raw", False)


def test_all_faults_come_at_once_with_their_place(config: Path) -> None:
    document = setup_keys(
        platform__org_id="acme",
        platform__source={"kind": "customerio", "data_type": "xdm"},
        platform__dataset={"row_expiry": "3 years"},
        platform__shema={},
        customerio__families=["email", "fax"],
        customerio__api_key="typed right in",
        mapping_set="customerio-defualt",
    )
    faults = faults_of(config, document)
    for said in (
        "platform.org_id: is 'acme': ",
        "platform.source: the customerio source takes raw data only; xdm needs kind: http_api",
        "platform.dataset.row_expiry: is '3 years': ",
        "platform.shema: unknown key; did you mean schema?",
        "customerio.families[1]: is 'fax': input should be 'customer', 'email'",
        "customerio.api_key: a secret must not stand in this file",
        "mapping_set: there is no",
    ):
        assert any(fault.startswith(said) for fault in faults), (said, faults)
    assert not any("typed right in" in fault for fault in faults)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"platform__dataset": {"profile": True}, "platform__schema": {"union": False}},
            "platform: dataset.profile is true, so schema.union must be, too",
        ),
        (
            {"platform__descriptors": [
                {"path": path, "namespace": "Email", "primary": True} for path in ("/a", "/b")
            ]},
            "platform: descriptors: only one of a schema may be primary",
        ),
        (
            {"platform__source": {"kind": "customerio", "authenticated": True}},
            "platform.source: the customerio source's inlet takes no token; use kind: http_api",
        ),
        ({"customerio__public_url": "hooks.example.com"}, "customerio.public_url: is 'hooks."),
        ({"allowed_sources": ["customerio-uk"]}, "allowed_sources[0]: 'customerio-uk' is neither"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_said(
    config: Path, changes: dict[str, Any], said: str
) -> None:
    assert any(fault.startswith(said) for fault in faults_of(config, setup_keys(**changes)))


def test_a_setup_that_is_not_there_is_said_with_those_that_are(config: Path) -> None:
    write_keys(config, setup_keys())
    with pytest.raises(ConfigError) as caught:
        load_setup(Folders(config), "acmee", ENVIRON)
    assert str(caught.value).endswith("acmee.yaml; did you mean acme?")


def test_a_setup_that_stands_in_both_folders_is_a_fault(config: Path, tmp_path: Path) -> None:
    path = write_keys(config, setup_keys())
    folders = Folders(config, tmp_path / "generated")
    assert load_setup(folders, "acme", ENVIRON).name == "acme"
    other = folders.written("setups") / "acme.yaml"
    other.parent.mkdir(parents=True)
    other.write_text(path.read_text())
    assert setup_names(folders) == ["acme"]
    with pytest.raises(ConfigError, match="has the same name; remove one of them"):
        load_setup(folders, "acme", ENVIRON)


def test_the_readme_explains_every_key() -> None:
    shared = ("namespaces.", "limits.", "reconcile.", "credentials.")
    keys = [key for key in keys_of(Setup) if not any(part in key for part in shared)]
    readme = README.read_text()
    assert [key for key in keys if f"`{key}`" not in readme] == []
