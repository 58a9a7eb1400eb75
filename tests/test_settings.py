"""Settings and connections: what is taken, and how what is wrong is said."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from app.core.errors import ConfigError
from app.sandbox import defaults
from app.settings import Connection, Settings, load_all, load_connections, load_settings, running
from app.settings.faults import model_in
from app.settings.folders import Folders
from app.settings.secrets import read_secret

CONFIG = Path(__file__).parents[1] / "config"
README = CONFIG.with_name("README.md")
ENVIRON = {"EXAMPLE_SIGNING_KEY": "k1"}

Edit = Callable[[dict[str, Any]], None]


@pytest.fixture
def config_dir(tmp_path: Path) -> Path:
    """A copy of the project's own config."""
    return Path(shutil.copytree(CONFIG, tmp_path / "config"))


def rewrite(config_dir: Path, edit: Edit) -> None:
    path = config_dir / "connections" / "example.yaml"
    document = yaml.safe_load(path.read_text())
    edit(document)
    path.write_text(yaml.safe_dump(document))


def faults_of(config_dir: Path, edit: Edit, environ: dict[str, str] = ENVIRON) -> list[str]:
    rewrite(config_dir, edit)
    with pytest.raises(ConfigError) as caught:
        load_connections(Folders(config_dir), environ)
    where = str(config_dir / "connections" / "example.yaml")
    assert all(fault.startswith(where) for fault in caught.value.faults)
    return [fault.removeprefix(f"{where}: ") for fault in caught.value.faults]


# --- settings ---


def test_an_empty_environment_gives_the_defaults() -> None:
    assert load_settings({"PATH": "/bin"}) == Settings()


def test_values_are_read_with_their_types() -> None:
    settings = load_settings(
        {
            "SLUICE_LINGER_MS": "7.5",
            "SLUICE_RECEIVER_PORT": "9000",
            "SLUICE_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1",
            "SLUICE_LOG_FORMAT": "json",
        }
    )
    assert (settings.linger_ms, settings.receiver_port) == (7.5, 9000)
    assert settings.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("192.0.2.1/32"))


def test_every_fault_of_the_environment_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(
            {
                "SLUICE_LINGER": "3",
                "SLUICE_LINGER_MS": "soon",
                "SLUICE_ANSWER_DEADLINE_SECONDS": "5",
                "SLUICE_TRUSTED_PROXIES": "10.0.0.0/33",
            }
        )
    lines = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 4
    assert "SLUICE_LINGER: unknown setting; did you mean SLUICE_LINGER_MS?" in lines
    assert "SLUICE_LINGER_MS: is 'soon'" in lines
    assert "milliseconds" in lines
    assert "SLUICE_ANSWER_DEADLINE_SECONDS: is '5'" in lines
    assert "SLUICE_TRUSTED_PROXIES" in lines


def test_what_kubernetes_says_about_a_service_called_sluice_is_no_setting() -> None:
    environ = {
        "SLUICE_PORT": "tcp://10.0.0.1:8080",
        "SLUICE_SERVICE_HOST": "10.0.0.1",
        "SLUICE_SERVICE_PORT_HTTP": "8080",
        "SLUICE_PORT_8080_TCP_ADDR": "10.0.0.1",
        "SLUICE_RECEIVER_PORT": "tcp://10.0.0.1:8080",
        "SLUICE_RECEIVER_SERVICE_PORT": "8080",
    }
    assert load_settings(environ) == Settings()


def test_the_redis_url_is_not_shown_and_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "url"
    path.write_text("redis://:hush@db:6379/0\n")
    settings = load_settings({"SLUICE_REDIS_URL_FILE": str(path)})
    assert settings.redis_url == "redis://:hush@db:6379/0"
    assert "hush" not in repr(settings)


def test_a_wrong_redis_url_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({"SLUICE_REDIS_URL": "http://:hush@db"})
    assert "SLUICE_REDIS_URL" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_secrets_of_redis_are_not_shown_and_may_come_from_files(tmp_path: Path) -> None:
    for name in ("PASSWORD", "SENTINEL_PASSWORD"):
        (tmp_path / name).write_text(f"hush-{name}\n")
    settings = load_settings(
        {
            "SLUICE_REDIS_PASSWORD_FILE": str(tmp_path / "PASSWORD"),
            "SLUICE_REDIS_SENTINEL_PASSWORD_FILE": str(tmp_path / "SENTINEL_PASSWORD"),
            "SLUICE_REDIS_SENTINELS": "one, two:2, [::1]:3",
            "SLUICE_REDIS_SENTINEL_MASTER": "sluice",
        }
    )
    assert settings.redis.password == "hush-PASSWORD"
    assert settings.redis.sentinels is not None
    assert settings.redis.sentinels.password == "hush-SENTINEL_PASSWORD"
    assert [str(each) for each in settings.redis.sentinels.endpoints] == [
        "one:26379", "two:2", "[::1]:3",
    ]  # fmt: skip
    assert "hush" not in repr(settings) + repr(settings.redis)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"REDIS_URL": "rediss://u:hush@h/0?ssl_cert_reqs=none"}, "takes no ssl_cert_reqs"),
        ({"REDIS_URL": "redis://u:hu#sh@h:6379/0"}, "percent-encode the password"),
        ({"REDIS_CA_FILE": "pyproject.toml"}, "SLUICE_REDIS_URL is not encrypted"),
        ({"REDIS_URL": "rediss://h", "REDIS_CA_FILE": "pyproject.toml"}, "certificates in PEM"),
        ({"REDIS_URL": "rediss://h", "REDIS_CA_FILE": "none.pem"}, "No such file"),
        ({"REDIS_URL": "rediss://h", "REDIS_KEY_FILE": "x"}, "SLUICE_REDIS_CERT_FILE: missing"),
        ({"REDIS_SENTINELS": "h"}, "SLUICE_REDIS_SENTINEL_MASTER: missing"),
        ({"REDIS_SENTINEL_MASTER": "m"}, "SLUICE_REDIS_SENTINELS: missing"),
        ({"REDIS_SENTINELS": "h:port"}, "SLUICE_REDIS_SENTINELS"),
        (
            {"REDIS_SENTINELS": "h", "REDIS_SENTINEL_MASTER": "m", "REDIS_URL": "unix:///x"},
            "unix socket",
        ),
    ],
)
def test_what_cannot_lead_to_redis_is_refused_with_the_setting_that_is_wrong(
    environ: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(README.parent)
    with pytest.raises(ConfigError) as caught:
        load_settings({f"SLUICE_{name}": value for name, value in environ.items()})
    assert said in str(caught.value)
    assert "hush" not in str(caught.value)
    assert "hu#sh" not in str(caught.value)


# --- connections ---


def test_the_example_connection_is_complete(config_dir: Path) -> None:
    example = load_connections(Folders(config_dir), ENVIRON)["example"]
    assert example.signing_keys == (b"k1",)
    assert example.body_limit_bytes == 1_000_000
    assert example.replay_window_seconds is None
    assert example.mapping_variables["TENANT"] == "sluicesandbox"
    inlet = example.platform.inlet
    assert inlet.url.startswith("http://127.0.0.1:8090/collection/")
    assert inlet.batch_url == inlet.url.replace("/collection/", "/collection/batch/")


def test_the_example_names_the_sandbox_s_own_ids(config_dir: Path) -> None:
    inlet = load_connections(Folders(config_dir), ENVIRON)["example"].platform.inlet
    assert inlet.url.startswith(f"http://127.0.0.1:{Settings().sandbox_port}/")
    assert (inlet.inlet_id, inlet.flow_id) == (defaults.INLET_ID, defaults.FLOW_ID)
    assert (inlet.dataset_id, inlet.schema_id) == (defaults.DATASET_ID, defaults.SCHEMA_ID)
    assert (inlet.org_id, inlet.sandbox_name) == (defaults.ORG_ID, defaults.SANDBOX_NAME)


def test_text_may_come_from_the_environment(config_dir: Path) -> None:
    environ = {**ENVIRON, "EXAMPLE_PLATFORM_HOST": "http://sandbox:1"}
    inlet = load_connections(Folders(config_dir), environ)["example"].platform.inlet
    assert inlet.url.startswith("http://sandbox:1/collection/")


def test_secrets_are_not_in_the_repr(config_dir: Path) -> None:
    assert "k1" not in repr(load_connections(Folders(config_dir), ENVIRON))


def test_who_needs_no_secrets_does_not_miss_them(config_dir: Path) -> None:
    example = load_connections(Folders(config_dir), {}, secrets=False)["example"]
    assert (example.tenant, example.signing_keys) == ("sluicesandbox", (b"\0",))


def test_a_secret_in_the_file_itself_is_a_fault_even_then(config_dir: Path) -> None:
    rewrite(config_dir, lambda document: document.update(signing_keys=["hush"]))
    with pytest.raises(ConfigError, match=r"signing_keys\[0\]: a secret must not stand"):
        load_connections(Folders(config_dir), {}, secrets=False)


def test_a_secret_is_read_from_the_file_that_a_variable_names(
    config_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"from a file\r\n")
    example = load_connections(Folders(config_dir), {"EXAMPLE_SIGNING_KEY_FILE": str(path)})[
        "example"
    ]
    assert example.signing_keys == (b"from a file",)
    assert read_secret(path) == b"from a file"


def test_every_fault_of_a_file_is_said_at_once(config_dir: Path) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["signing_keys"] = ["hush-hush", {"env": "ABSENT"}, {"file": "/nowhere"}]
        document["mapping_sett"] = "x"
        document["replay_window_seconds"] = "5m"
        document["body_limit_bytes"] = True
        document["allowed_sources"] = ["customerio-uk", "10.0.0.0/8"]
        del document["platform"]["flow_id"]
        document["platform"]["schema"]["idd"] = "x"
        document["platform"]["dataset_id"] = 5

    lines = faults_of(config_dir, edit)
    text = "\n".join(lines)
    assert len(lines) == 10
    assert "hush" not in text
    assert "signing_keys[0]: a secret must not stand in this file" in text
    assert "signing_keys[1]: the environment variable ABSENT is not set" in text
    assert "signing_keys[2]: cannot read /nowhere: No such file" in text
    assert "mapping_sett: unknown key; did you mean mapping_set?" in text
    assert "replay_window_seconds: is '5m'" in text
    assert "body_limit_bytes: is true, wanted a number" in text
    assert "'customerio-uk' is neither a network" in text
    assert "did you mean customerio-us?" in text
    assert "platform.flow_id: missing; it is the id of the dataflow" in text
    assert "platform.schema.idd: unknown key; did you mean id?" in text
    assert "platform.dataset_id: is 5: input should be a valid string" in text


def test_faults_of_several_files_and_the_environment_come_together(config_dir: Path) -> None:
    (config_dir / "connections" / "second.yaml").write_text("tenant: acme\n")
    (config_dir / "connections" / "third.yml").write_text("")
    with pytest.raises(ConfigError) as caught:
        load_all({"SLUICE_CONFIG_DIR": str(config_dir), "SLUICE_NONSENSE": "1"})
    text = str(caught.value)
    assert "SLUICE_NONSENSE" in text
    assert "third.yml: rename it" in text
    assert "second.yaml: signing_keys: missing" in text
    assert "second.yaml: platform: missing" in text
    assert "EXAMPLE_SIGNING_KEY is not set" in text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a: [", "is no YAML"),
        ("- a", "wanted keys and values"),
        ("name: broken\nname: broken\n", "the key 'name' stands twice"),
    ],
)
def test_a_file_that_is_no_mapping_is_one_line(config_dir: Path, text: str, wanted: str) -> None:
    path = config_dir / "connections" / "broken.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_connections(Folders(config_dir), ENVIRON)
    (line,) = caught.value.faults
    assert line.startswith(f"{path}: ")
    assert wanted in line


def test_a_folder_without_connections_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no connection file"):
        load_connections(Folders(tmp_path), {})


def test_a_name_that_is_not_the_file_s_is_a_fault(config_dir: Path) -> None:
    lines = faults_of(config_dir, lambda document: document.update(name="other"))
    assert lines == ["name: is 'other', but the file is example.yaml; make them equal"]


def test_an_empty_secret_is_a_fault(config_dir: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    lines = faults_of(
        config_dir,
        lambda document: document["signing_keys"].append({"file": str(empty)}),
        {"EXAMPLE_SIGNING_KEY": ""},
    )
    assert any("EXAMPLE_SIGNING_KEY is empty" in line for line in lines)
    assert any("is empty; put the secret into it" in line for line in lines)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"url": "https://a/collection/1"}, "write either url, or host and inlet_id"),
        ({"inlet_id": None}, "inlet_id is missing; host needs it"),
        ({"host": None, "url": "https://a/nowhere"}, "an inlet URL ends with /collection/"),
        ({"authenticated": True}, "authenticated is true, so credentials are needed"),
        ({"mode": "json"}, "platform.mode: is 'json'"),
        ({"org_id": "ACME"}, "platform.org_id: is 'ACME'"),
    ],
)
def test_an_inlet_that_cannot_be_called_is_a_fault(
    config_dir: Path, change: dict[str, Any], wanted: str
) -> None:
    (line,) = faults_of(config_dir, lambda document: document["platform"].update(change))
    assert wanted in line


def test_a_mapping_set_that_does_not_exist_is_a_fault(config_dir: Path) -> None:
    (line,) = faults_of(config_dir, lambda d: d.update(mapping_set="customerio-defualt"))
    assert "there is no" in line
    assert "did you mean customerio-default?" in line


def test_records_are_checked_against_a_schema_even_when_none_is_named(config_dir: Path) -> None:
    def without_document(document: dict[str, Any]) -> None:
        del document["platform"]["schema"]["document"]

    rewrite(config_dir, without_document)
    example = load_connections(Folders(config_dir), ENVIRON)["example"]
    assert example.schema_path == config_dir / "schemas" / "customerio-events.json"


def test_a_raw_connection_needs_no_schema_document(config_dir: Path) -> None:
    def raw(document: dict[str, Any]) -> None:
        document["platform"]["mode"] = "raw"
        del document["platform"]["schema"]["document"]

    rewrite(config_dir, raw)
    shutil.rmtree(config_dir / "schemas")
    assert load_connections(Folders(config_dir), ENVIRON)["example"].schema_path is None


def test_presets_of_sources_become_networks(config_dir: Path) -> None:
    rewrite(config_dir, lambda d: d.update(allowed_sources=["customerio-eu", "10.0.0.0/8"]))
    sources = load_connections(Folders(config_dir), ENVIRON)["example"].allowed_sources
    assert ip_network("34.76.143.229/32") in sources
    assert ip_network("10.0.0.0/8") in sources
    assert len(sources) == 11


# --- the running system ---


def test_a_live_system_is_found_and_a_dead_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"pid": 1}))
    lock = (tmp_path / "up.lock").open("w")
    assert running(tmp_path) is None

    fcntl.flock(lock, fcntl.LOCK_EX)
    assert running(tmp_path) == {"pid": 1}

    lock.close()
    assert running(tmp_path) is None


# --- the README ---


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        inner = model_in(field.annotation)
        key = f"{prefix}{field.alias or name}"
        yield from keys_of(inner, f"{key}.") if inner else (key,)


@pytest.mark.parametrize(
    ("reconcile", "fault"),
    [
        ({"enabled": True}, "reconcile.enabled is true, so platform.credentials are needed"),
        (
            {"late_after_seconds": 9, "missing_after_seconds": 8},
            "reconcile: missing_after_seconds must not be less than late_after_seconds",
        ),
        ({"interval_seconds": 0}, "reconcile.interval_seconds: is 0: input should be greater"),
        ({"look_back_seconds": 9e9}, "reconcile.look_back_seconds: is 9000000000.0: input"),
    ],
)
def test_wrong_settings_of_reconciliation_are_said(
    config_dir: Path, reconcile: dict[str, Any], fault: str
) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["reconcile"] = reconcile

    [found] = faults_of(config_dir, edit)
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("credentials", "enabled", "reconciles"),
    [
        (False, None, False), (False, False, False), (True, None, True), (True, False, False),
        (True, True, True),
    ],
)  # fmt: skip
def test_platform_is_asked_later_where_there_are_credentials(
    config_dir: Path, credentials: bool, enabled: bool | None, reconciles: bool
) -> None:
    def edit(document: dict[str, Any]) -> None:
        if credentials:
            secrets = [{"env": "EXAMPLE_SIGNING_KEY"}]
            document["platform"]["credentials"] = {"client_id": "c", "client_secrets": secrets}
        if enabled is not None:
            document["reconcile"] = {"enabled": enabled}

    rewrite(config_dir, edit)
    [connection] = load_connections(Folders(config_dir), ENVIRON).values()
    assert connection.reconciles is reconciles


def test_the_readme_explains_every_setting_and_every_connection_key() -> None:
    readme = README.read_text()
    wanted = [f"`SLUICE_{name.upper()}`" for name in Settings.model_fields]
    # The three namespaces share a row.
    wanted += [f"`{key}`" for key in keys_of(Connection) if "namespaces." not in key]
    assert [each for each in wanted if each not in readme] == []
