"""`sluice up` (`make up`): everything on this machine, until Ctrl-C.

role.py        what is run, and how to see that it is ready
supervisor.py  starting, keeping, stopping in order
child.py       one process of it
first_user.py  somebody who may log in to the console
watchdog.py    stops the children when `up` itself is killed (watch.py is our end of it)
screen.py      the one log
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli.up.first_user import FIRST_USER, first_password
from app.cli.up.role import child_environment, roles
from app.cli.up.screen import Screen
from app.cli.up.supervisor import Supervisor
from app.cli.up.watch import Watch
from app.core.errors import ConfigError
from app.settings import Connection, Settings, environment, load_all, load_settings, running
from app.settings.addresses import url_of
from app.settings.home import LOCK_FILE, RUN_FILE

_LOCK_TRIES: Final = 20
_LOCK_WAIT_SECONDS: Final = 0.05


def up(
    time_factor: Annotated[
        float,
        typer.Option(
            min=0.001,
            help="How much faster the sandbox's Customer.io tries again what was not answered 200: "
            "at 60 the hour for which it holds its stream back takes a minute, and the seven days "
            "after which it gives an event up 2.8 hours. Platform's times stay as they are.",
        ),
    ] = 1.0,
) -> None:
    """Run everything on this machine: Redis, the sandbox Platform, receiver, worker, console."""
    environ = environment(find_running=False)
    settings = load_settings(environ)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    own_redis = (
        not {"SLUICE_REDIS_URL", "SLUICE_REDIS_URL_FILE", "SLUICE_REDIS_SENTINELS"} & environ.keys()
    )
    with _lock(settings.data_dir) as lock:
        said = child_environment(environ, settings, own_redis)
        if path := said.get("EXAMPLE_SIGNING_KEY_FILE"):
            _ensure_key(Path(path))
        full = {**environ, **said, "PYTHONUNBUFFERED": "1"}
        # In the merged log lines are for people, unless JSON was asked for.
        full["SLUICE_LOG_FORMAT"] = "json" if settings.log_format == "json" else "console"
        settings, connections = load_all(full)
        screen = Screen(sys.stdout, sys.stdout.isatty() and "NO_COLOR" not in environ)
        watch = Watch(lock)

        def when_ready(pids: Mapping[str, int]) -> None:
            password = first_password(settings)
            _write_run_file(settings, said, pids)
            screen.plain(_welcome(settings, connections, own_redis, password))

        supervisor = Supervisor(roles(settings, own_redis, time_factor), full, screen, watch.tell)
        try:
            code = asyncio.run(supervisor.run(when_ready))
        finally:
            (settings.data_dir / RUN_FILE).unlink(missing_ok=True)
            watch.end()
    raise typer.Exit(code)


@contextmanager
def _lock(data_dir: Path) -> Iterator[int]:
    """One `up` per data folder. Raises ConfigError when another one lives."""
    descriptor = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # A command that looks whether we live holds the lock for a moment, too.
        for left in reversed(range(_LOCK_TRIES)):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not left:
                    raise ConfigError([_already(data_dir)]) from None
                time.sleep(_LOCK_WAIT_SECONDS)
        yield descriptor
    finally:
        os.close(descriptor)


def _already(data_dir: Path) -> str:
    found = running(data_dir) or {}
    who = f" (process {found['pid']})" if "pid" in found else ""
    return (
        f"Sluice is already running on {data_dir}/{who}: stop it with Ctrl-C there, or run this "
        "one elsewhere, with SLUICE_DATA_DIR and other ports"
    )


def _ensure_key(path: Path) -> None:
    """A signing key of this checkout's own: nothing that is published lets anybody post."""
    if path.exists():
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{secrets.token_hex(32)}\n")


def _write_run_file(settings: Settings, said: Mapping[str, str], pids: Mapping[str, int]) -> None:
    path = settings.data_dir / RUN_FILE
    document = {
        "pid": os.getpid(),
        "pids": dict(pids),
        "environment": dict(said),
        "addresses": {
            "receiver": url_of(settings.receiver_host, settings.receiver_port),
            "sandbox": url_of(settings.sandbox_host, settings.sandbox_port),
            "console": _console_url(settings),
        },
    }
    partial = path.with_suffix(".new")
    partial.write_text(json.dumps(document, indent=2) + "\n")
    partial.replace(path)


def _console_url(settings: Settings) -> str:
    return url_of(settings.console_host, settings.console_port)


def _welcome(
    settings: Settings, connections: Mapping[str, Connection], own_redis: bool, password: str
) -> str:
    """`password`: of the first user, who was just made; "" when there are users already."""
    receiver = url_of(settings.receiver_host, settings.receiver_port)
    sandbox = url_of(settings.sandbox_host, settings.sandbox_port)
    metrics = url_of(settings.worker_metrics_host, settings.worker_metrics_port)
    inbound = (settings.public_url or receiver).rstrip("/")
    rows = [("webhooks", f"POST {inbound}/webhooks/{name}") for name in connections]
    rows.append(("receiver", f"{receiver}/readyz and /metrics"))
    if settings.worker_metrics_port:
        rows.append(("worker", f"{metrics}/metrics"))
    rows.append(("console", f"{_console_url(settings)} {_who(password)}"))
    rows.append(("sandbox", f"{sandbox} stands in for Platform; /received is what arrived"))
    if own_redis:
        rows.append(("redis", f"port {settings.redis_port}; its data is in {settings.data_dir}/"))
    command = _command()
    tries = [
        (f"{command} send --count 1000", "signed events, as Customer.io sends them"),
        (f"{command} ledger --check", "does it all add up?"),
        (f"{command} dead-letters list", "what needs a person"),
    ]
    width = max(len(text) for text, _ in tries)
    lines = ["", "Sluice is running.", *(f"  {name:<10}{text}" for name, text in rows)]
    lines += ["In another terminal:", *(f"  {text:<{width}}   {why}" for text, why in tries)]
    return "\n".join([*lines, "Ctrl-C stops everything.", ""])


def _who(password: str) -> str:
    if password:
        return f"log in as {FIRST_USER} with {password} (said only now)"
    return f"to log in anew: {_command()} users passwd NAME"


def _command() -> str:
    """How to call `sluice` from the folder that `up` was called in."""
    path = Path(sys.executable).with_name("sluice")
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
