"""`sluice users`, and the console that `sluice serve-console` serves."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from app.cli.users import users
from app.store.connect import Store
from app.store.login_limits import LoginLimits
from app.store.users import Role, Users

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"


def environ(redis_url: str, **more: str) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SLUICE_", "EXAMPLE_"))}
    return {**clean, "SLUICE_REDIS_URL": redis_url, **more}


def users_command(redis_url: str, *words: str, said: str = "") -> Result:
    """`sluice users ...`, in this process."""
    return CliRunner().invoke(users, words, input=said, env={"SLUICE_REDIS_URL": redis_url})


def test_users_are_made_changed_and_removed(redis_url: str) -> None:
    made = users_command(redis_url, "add", "ada", "--role", "operator", said=f"{PASSWORD}\n")
    assert (made.exit_code, made.stdout) == (0, "ada may log in, as operator\n")
    again = users_command(redis_url, "add", "ada", said=f"{PASSWORD}\n")
    assert again.exit_code == 1 and "there is a user ada already" in again.stderr

    assert users_command(redis_url, "role", "ada", "admin").exit_code == 0
    listed = json.loads(users_command(redis_url, "list", "--json").stdout)
    assert [(user["name"], user["role"]) for user in listed] == [("ada", "admin")]
    token = users_command(redis_url, "token", "add", "ada", "laptop").stdout.strip()
    assert token.startswith("sluice_") and len(token) > 40

    assert users_command(redis_url, "remove", "ada").exit_code == 0
    gone = users_command(redis_url, "passwd", "ada", said=f"{PASSWORD}\n")
    assert gone.exit_code == 1 and "there is no user ada" in gone.stderr


def test_tokens_are_made_listed_and_revoked(redis_url: str) -> None:
    assert (
        users_command(redis_url, "add", "ada", "--role", "operator", said=PASSWORD).exit_code == 0
    )
    made = users_command(redis_url, "token", "add", "ada", "ci", "--role", "viewer", "--days", "7")
    again = users_command(redis_url, "token", "add", "ada", "ci")
    assert again.exit_code == 2 and "has a token ci already" in again.stderr
    above = users_command(redis_url, "token", "add", "ada", "x", "--role", "admin")
    assert above.exit_code == 2 and "cannot be admin" in " ".join(above.stderr.split())
    assert users_command(redis_url, "token", "add", "bob", "x").exit_code == 1

    [kept] = json.loads(users_command(redis_url, "token", "list", "--json").stdout)
    assert (kept["user"], kept["name"], kept["role"]) == ("ada", "ci", "viewer")
    assert round((kept["ends_ms"] - kept["made_ms"]) / 86_400_000) == 7
    assert made.stdout.strip() not in json.dumps(kept)
    assert users_command(redis_url, "token", "revoke", "ada", "ci").exit_code == 0
    assert users_command(redis_url, "token", "revoke", "ada", "ci").exit_code == 1


async def test_a_new_password_lets_in_who_tried_too_often(store: Store, redis_url: str) -> None:
    await Users(store).add("ada", Role.VIEWER, PASSWORD)
    limits = LoginLimits(store, per_user=2)
    while not await limits.attempt("ada", "192.0.2.1"):
        pass
    done = await asyncio.to_thread(users_command, redis_url, "passwd", "ada", said=f"{PASSWORD}\n")
    assert done.exit_code == 0
    assert await limits.attempt("ada", "192.0.2.1") == 0


@pytest.mark.parametrize(
    ("words", "said", "why"),
    [
        (("add", "ada"), "short\n", "too short"),
        (("add", "ada"), "", "too short"),
        (("add", "Ada Lovelace"), f"{PASSWORD}\n", "no user name"),
        (("add", "ada", "--role", "god"), f"{PASSWORD}\n", "viewer"),
    ],
)
def test_what_will_not_do_is_wrong_use(
    redis_url: str, words: tuple[str, ...], said: str, why: str
) -> None:
    found = users_command(redis_url, *words, said=said)
    assert found.exit_code == 2
    assert why in " ".join(found.stderr.split())
    assert PASSWORD not in found.stderr


def test_the_console_is_served_and_healthy(redis_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    full = environ(redis_url, SLUICE_CONSOLE_PORT=str(port))
    process = subprocess.Popen(
        (sys.executable, "-m", "app", "serve-console"), cwd=ROOT, env=full, stderr=subprocess.PIPE
    )
    assert process.stderr
    try:
        assert b"console.listening" in process.stderr.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
            assert answer.url.endswith("/login")
        found = subprocess.run(
            (sys.executable, "-m", "app", "healthy", "console"), cwd=ROOT, env=full, timeout=60
        )
        assert found.returncode == 0
    finally:
        process.terminate()
        assert process.wait(30) == 0
        process.stderr.close()


def test_a_taken_port_is_a_line_with_the_way_out(redis_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = subprocess.run(
            (sys.executable, "-m", "app", "serve-console", "--port", str(port)),
            cwd=ROOT,
            env=environ(redis_url),
            capture_output=True,
            timeout=60,
        )
    assert found.returncode == 2
    assert b"SLUICE_CONSOLE_PORT: cannot listen" in found.stderr
