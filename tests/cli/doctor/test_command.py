"""`sluice check-config` says what a worker that starts would; `sluice doctor --json` is JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cli.doctor.mounts import mount_of
from app.settings import load_connections
from app.settings.folders import Folders
from app.settings.mapping_files import check_files, read_mapping_files
from tests.cli.test_main import ROOT, sluice
from tests.connect.surroundings import ENVIRON, setup_keys, write_keys

FAULTY = [
    {"sourceType": "EXPRESSION", "source": "lowr(data.subject)", "destination": "eventTyp"},
    {"sourceType": "EXPRESSION", "source": "lower(", "destination": "eventType"},
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "config", tmp_path / "config"))


def with_faults(config: Path) -> Path:
    path = config / "mappings" / "customerio-default.json"
    document = json.loads(path.read_bytes())
    document["mappings"] += FAULTY
    path.write_text(json.dumps(document))
    return path


def findings(config: Path) -> list[dict[str, Any]]:
    found = sluice("check-config", "--json", SLUICE_CONFIG_DIR=str(config))
    return [each for each in json.loads(found.stdout) if each["level"] == "failed"]


def test_all_faults_of_a_set_are_told_at_once_with_a_caret_under_the_place(config: Path) -> None:
    path = with_faults(config)

    found = sluice("check-config", SLUICE_CONFIG_DIR=str(config))

    lines = found.stdout.decode().splitlines()
    section = lines[lines.index(str(path)) :]
    faults = [line for line in section if line.startswith("failed ")]
    assert found.returncode == 1
    for wanted in ("lowr", "no eventTyp in", "lower( ->"):
        assert any(wanted in line for line in faults), faults
    at = next(at for at, line in enumerate(section) if line.strip() == "lowr(data.subject)")
    assert section[at + 1].rstrip() == " " * section[at].index("lowr") + "^"
    assert any("fix: `sluice mappings check`" in line for line in section)


def test_the_lines_are_those_that_a_worker_gives_up_with(config: Path) -> None:
    with_faults(config)
    [connection] = load_connections(Folders(config), {"EXAMPLE_SIGNING_KEY": "k"}).values()
    assert connection.mapping_path is not None
    files = read_mapping_files(connection.mapping_path, connection.schema_path)
    report = check_files(files, connection.mapping_variables)

    told = [fault["text"] for fault in findings(config)]

    assert told == [str(problem) for problem in report.problems]
    assert len(told) >= 3


def test_connections_that_share_a_set_say_its_faults_once(config: Path) -> None:
    with_faults(config)
    before = findings(config)
    example = config / "connections" / "example.yaml"
    document = yaml.safe_load(example.read_text())
    document["name"] = "second"
    (config / "connections" / "second.yaml").write_text(yaml.safe_dump(document))
    assert findings(config) == before != []


def test_a_raw_connection_needs_no_mapping_set_that_works(config: Path) -> None:
    """Its worker does not read it: Platform's own mapping set does the work."""
    with_faults(config)
    example = config / "connections" / "example.yaml"
    document = yaml.safe_load(example.read_text())
    document["platform"]["mode"] = "raw"
    example.write_text(yaml.safe_dump(document))
    assert findings(config) == []


def test_examples_that_fail_are_a_fault(config: Path) -> None:
    path = config / "mappings" / "examples" / "customerio-default.json"
    document = json.loads(path.read_bytes())
    example = next(each for each in document["examples"] if "out" in each)
    example["out"]["eventType"] = "something.else"
    path.write_text(json.dumps(document))
    [fault] = findings(config)
    assert "eventType has another value" in fault["text"]


# --- setups ---


def put_setup(config: Path, name: str = "acme", **changes: Any) -> Path:
    (config / "setups").mkdir(exist_ok=True)
    return write_keys(config, setup_keys(**changes), name)


def test_setups_are_read_and_every_fault_of_every_one_is_told_at_once(config: Path) -> None:
    put_setup(config, customerio__publik="x", mapping_set="customerio-defaults")
    missing = put_setup(config, "beta", customerio__api_key={"file": "gone"})
    missing.with_suffix(".yml").write_text("")

    found = findings(config)

    told = [each["text"].removeprefix(f"{config}/setups/") for each in found]
    assert {each["check"] for each in found} == {"setups"}
    assert all("mend it, or delete the setup" in each["fix"] for each in found)
    for start in (
        "beta.yml: rename it to beta.yaml",
        "acme.yaml: platform.credentials.client_secrets[0]: the environment variable CLIENT_SECRET",
        "acme.yaml: customerio.api_key: the environment variable CIO_KEY is not set",
        "acme.yaml: mapping_set: there is no",
        "acme.yaml: customerio.publik: unknown key; did you mean public_url?",
        f"beta.yaml: customerio.api_key: cannot read {config}/setups/gone",
        "beta.yaml: platform.credentials.client_secrets[0]: the environment variable CLIENT_SECRET",
    ):
        assert sum(each.startswith(start) for each in told) == 1, (start, told)
    assert len(told) == 7


def test_setups_that_are_right_are_counted_and_their_mapping_sets_checked(config: Path) -> None:
    put_setup(config)
    found = sluice("check-config", SLUICE_CONFIG_DIR=str(config), **ENVIRON)
    assert found.returncode == 0, found.stdout
    assert b"settings, 1 connection(s) and 1 setup(s) are complete" in found.stdout

    shutil.copy(with_faults(config), config / "mappings" / "second.json")
    shutil.copy(ROOT / "config/mappings/customerio-default.json", config / "mappings")
    put_setup(config, mapping_set="second")
    found = sluice("check-config", "--json", SLUICE_CONFIG_DIR=str(config), **ENVIRON)
    failed = [each for each in json.loads(found.stdout) if each["level"] == "failed"]
    assert {each["subject"] for each in failed} == {str(config / "mappings/second.json")}
    assert any("lowr" in each["text"] for each in failed)


# --- the doctor ---


def test_the_page_is_json_with_exit_codes() -> None:
    unknown = sluice("doctor", "--connection", "exampel", EXAMPLE_SIGNING_KEY="k" * 32)
    assert (unknown.returncode, b"did you mean example" in unknown.stderr) == (2, True)
    away = sluice(
        *("doctor", "--json"),
        SLUICE_REDIS_URL="redis://127.0.0.1:1/0",
        EXAMPLE_SIGNING_KEY="k" * 32,
        EXAMPLE_PLATFORM_HOST="http://127.0.0.1:1",
    )
    assert away.returncode == 1
    found = json.loads(away.stdout)
    assert {"level", "subject", "check", "text", "fix", "pointed"} == set(found[0])
    assert [each["check"] for each in found if each["level"] == "failed"] == ["reachable", "inlet"]


MOUNTS = """
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 0:45 / / rw,relatime - overlay overlay rw,lowerdir=/a:/b
28 27 254:16 /vol /data rw,relatime shared:3 - ext4 /dev/vdb rw
29 27 0:99 / /mnt/with\\040blank rw - tmpfs none rw
a line that is cut
"""


@pytest.mark.parametrize(
    ("folder", "mount"),
    [
        ("/data", ("/data", "ext4")),
        ("/data/redis", ("/data", "ext4")),
        ("/database", ("/", "overlay")),
        ("/var/lib/redis", ("/", "overlay")),
        ("/mnt/with blank/x", ("/mnt/with blank", "tmpfs")),
    ],
)
def test_data_in_a_container_s_own_layer_is_told_from_a_volume(
    folder: str, mount: tuple[str, str]
) -> None:
    assert mount_of(folder, MOUNTS) == mount
