"""The `sluice` command itself, its logs, and the small commands."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import structlog

from app.cli import COMMANDS
from app.cli.verify_signature import explain
from app.core.signature import sign
from app.logs import set_up

ROOT = Path(__file__).parents[2]
# customerio.md section 8, a golden vector.
BODY = b'{"event_id":"abc","object_type":"email","metric":"delivered"}'
SIGNATURE = "6f55cf23f9b73a2ff07733fe04421f64ce9ec5e409696edda6b2a80311944230"
HEADERS = ("--timestamp", "1614265384", "--signature")


def sluice(*words: str, body: bytes = b"", **environ: str) -> subprocess.CompletedProcess[bytes]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SLUICE_", "EXAMPLE_"))}
    return subprocess.run(
        (sys.executable, "-m", "app", *words),
        cwd=ROOT,
        env={**clean, "EXAMPLE_SIGNING_KEY": "signing-secret", **environ},
        input=body,
        capture_output=True,
        timeout=60,
    )


@pytest.fixture(autouse=True)
def _usual_logs() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before
    logging.captureWarnings(False)
    structlog.reset_defaults()


# --- the command ---


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_exists(name: str) -> None:
    assert find_spec(COMMANDS[name].module), f"nobody wrote {COMMANDS[name].module}"


def test_help_lists_the_commands_and_hides_the_hidden() -> None:
    text = sluice("--help").stdout.decode()
    assert "verify-signature" in text
    assert "serve-receiver-child" not in text


def test_an_unknown_command_is_wrong_use() -> None:
    assert sluice("frobnicate").returncode == 2


def test_wrong_settings_are_lines_and_exit_2() -> None:
    found = sluice("serve-receiver", SLUICE_LINGER_MS="x", EXAMPLE_SIGNING_KEY="")
    assert found.returncode == 2
    lines = found.stderr.decode().splitlines()
    assert len(lines) == 2
    assert "SLUICE_LINGER_MS" in lines[0]
    assert "EXAMPLE_SIGNING_KEY is empty" in lines[1]


def test_check_config_passes_on_the_project_s_own() -> None:
    found = sluice("check-config", "--json")
    assert found.returncode == 0, found.stdout
    assert {each["level"] for each in json.loads(found.stdout)} == {"ok"}


def test_doctor_says_that_redis_is_away() -> None:
    found = sluice("doctor", SLUICE_REDIS_URL="redis://127.0.0.1:1/0")
    assert found.returncode == 1
    assert b"SLUICE_REDIS_URL right?" in found.stdout


# --- verify-signature ---


@pytest.mark.parametrize("signature", [SIGNATURE, f"v0={SIGNATURE}", SIGNATURE.upper()])
def test_a_genuine_signature_is_valid(signature: str) -> None:
    found = sluice("verify-signature", "example", *HEADERS, signature, body=BODY)
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_changed_body_is_not_valid_and_the_reason_is_told() -> None:
    found = sluice("verify-signature", "example", *HEADERS, SIGNATURE, "--json", body=BODY + b"\n")
    assert found.returncode == 1
    answer = json.loads(found.stdout)
    assert answer["valid"] is False
    assert "without the line end" in answer["why"]


def test_an_unknown_connection_is_wrong_use() -> None:
    found = sluice("verify-signature", "other", *HEADERS, SIGNATURE, body=BODY)
    assert found.returncode == 2
    assert b"known: example" in found.stderr


@pytest.mark.parametrize(
    ("key", "stored", "wanted"),
    [
        (b"\x01\x02", b"0102", "decoded from hex"),
        (b"key", b" key", "white space"),
        (b"key", b"other", "no live key of 1"),
    ],
)
def test_the_likeliest_reason_is_named(key: bytes, stored: bytes, wanted: str) -> None:
    assert wanted in explain([stored], "1614265384", sign(key, b"1614265384", BODY), BODY)


def test_what_cannot_be_a_signature_is_said() -> None:
    assert "64" in explain([b"k"], "1", "abc", BODY)
    assert "not Unix seconds" in explain([b"k"], "today", SIGNATURE, BODY)


# --- logs ---


def test_json_logs_carry_level_role_and_fields() -> None:
    stream = io.StringIO()
    set_up("json", "info", "worker", stream)
    structlog.get_logger("here").info("batch.settled", events=3)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["events"]) == ("batch.settled", 3)
    assert (line["level"], line["role"]) == ("info", "worker")
    assert line["timestamp"].endswith("Z")


def test_libraries_logs_take_the_same_way_and_arq_s_jobs_do_not() -> None:
    stream = io.StringIO()
    set_up("json", "info", "worker", stream)
    logging.getLogger("some.library").warning("odd %s", "thing")
    logging.getLogger("arq.worker").info("job with arguments")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["event"] == "odd thing"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_local_variables(log_format: str) -> None:
    stream = io.StringIO()
    set_up(log_format, "info", "", stream)  # type: ignore[arg-type]  # one of the three
    person = "ada@example.com".upper()
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        structlog.get_logger().exception("batch.failed")
    assert person not in stream.getvalue()
    assert "RuntimeError: broken" in stream.getvalue()


def test_less_severe_lines_are_not_written() -> None:
    stream = io.StringIO()
    set_up("console", "warning", "", stream)
    structlog.get_logger().info("not.this")
    structlog.get_logger().warning("but.this", why="x")
    assert "not.this" not in stream.getvalue()
    assert "but.this" in stream.getvalue()
