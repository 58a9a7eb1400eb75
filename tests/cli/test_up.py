"""`sluice up`: real processes, small ones where ours do not matter."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.cli.up.child import Backoff, Child, Hopeless
from app.cli.up.role import Role
from app.cli.up.screen import Lines, Screen
from app.cli.up.supervisor import Supervisor
from app.cli.up.watchdog import left
from app.sandbox.defaults import APP_KEY

# Answers every connection, says when it is asked to stop, and stops.
SERVER = """
import os, signal, socket, sys
def say(what):
    os.write(1, f"{sys.argv[2]} {what}\\n".encode())  # print cannot be interrupted by itself
def stop(*_):
    say("stopping"); sys.exit(0)
signal.signal(signal.SIGTERM, stop)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
say("serving")
while True:
    connection, _ = server.accept()
    connection.recv(100); connection.sendall(b"ready"); connection.close()
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def role(name: str, rank: int, script: str = SERVER, port: int | None = None) -> Role:
    port = free_port() if port is None else port
    command = (sys.executable, "-I", "-c", script, str(port), name)
    return Role(name, rank, command, "127.0.0.1", port, f"PORT_OF_{name}", (b"?", b"ready"), 10.0)


class Log(io.StringIO):
    """What the screen showed; tells whoever waits for a line."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = asyncio.Event()

    def write(self, text: str) -> int:
        self.changed.set()
        return super().write(text)

    async def until(self, text: str) -> None:
        async with asyncio.timeout(20):
            while text not in self.getvalue():
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
async def log() -> Log:
    return Log()


@pytest.fixture
def screen(log: Log) -> Screen:
    return Screen(log, colored=False)


def supervise(roles: list[Role], screen: Screen) -> Supervisor:
    return Supervisor(roles, dict(os.environ), screen, lambda _line: None)


# --- the supervisor ---


async def test_all_are_started_in_order_and_stopped_in_order(log: Log, screen: Screen) -> None:
    roles = [role("redis", 3), role("worker", 2), role("receiver", 1)]

    def when_ready(pids: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    assert await supervise(roles, screen).run(when_ready) == 0
    said = [line.split("| ")[1] for line in log.getvalue().splitlines()]
    assert [line for line in said if line.endswith("serving")] == [
        "redis serving",
        "worker serving",
        "receiver serving",
    ]
    assert [line for line in said if line.endswith(" stopping")] == [
        "receiver stopping",
        "worker stopping",
        "redis stopping",
    ]


async def test_a_child_that_is_killed_is_started_again(log: Log, screen: Screen) -> None:
    ready = asyncio.get_running_loop().create_future()
    run = asyncio.create_task(supervise([role("worker", 1)], screen).run(ready.set_result))
    pids = await ready

    os.kill(pids["worker"], signal.SIGKILL)

    await log.until("worker ended by signal 9; again in 0.5 s")
    async with asyncio.timeout(20):
        while log.getvalue().count("worker serving") < 2:
            log.changed.clear()
            await log.changed.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await run == 0


async def test_a_taken_port_is_one_line_with_the_way_out(log: Log, screen: Screen) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code = await supervise([role("receiver", 1, port=port)], screen).run(lambda _pids: None)
    assert code == 1
    assert log.getvalue().splitlines() == [
        f"sluice   | port {port} is taken, which the receiver wants; free it, or choose another: "
        f"PORT_OF_receiver={port + 1000} make up"
    ]


async def test_a_wrong_configuration_ends_everything(log: Log, screen: Screen) -> None:
    wrong = "import sys; print('worker.yaml: tenant: missing', flush=True); sys.exit(2)"
    roles = [role("redis", 2), role("worker", 1, wrong)]
    assert await supervise(roles, screen).run(lambda _pids: None) == 1
    assert "worker   | worker.yaml: tenant: missing" in log.getvalue()
    assert "the worker cannot run as configured" in log.getvalue()
    assert "redis stopping" in log.getvalue()


async def test_a_second_press_kills_what_does_not_stop(
    log: Log, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cli.up.supervisor._SAME_PRESS_SECONDS", 0.0)
    stubborn = SERVER.replace("sys.exit(0)", "say('will not')")
    ready = asyncio.get_running_loop().create_future()
    roles = [role("worker", 1, stubborn)]
    run = asyncio.create_task(supervise(roles, screen).run(ready.set_result))
    await ready
    os.kill(os.getpid(), signal.SIGINT)
    await log.until("worker will not")

    os.kill(os.getpid(), signal.SIGINT)

    async with asyncio.timeout(5):
        assert await run == 0
    assert "killing what is left" in log.getvalue()


# --- one child ---


async def test_a_stubborn_child_is_killed_when_its_time_is_over(screen: Screen, log: Log) -> None:
    stubborn = SERVER.replace("sys.exit(0)", "pass")
    one = replace(role("worker", 1, stubborn), stop_seconds=0.2)
    child = Child(one, os.environ, screen, lambda _line: None)
    run = asyncio.create_task(child.run())
    await log.until("serving")

    await child.stop()
    await run

    assert "worker does not stop; killed" in log.getvalue()


async def test_exit_code_two_is_hopeless(screen: Screen) -> None:
    child = Child(role("worker", 1, "exit(2)"), os.environ, screen, lambda _line: None)
    with pytest.raises(Hopeless):
        await child.run()


async def test_a_child_that_has_run_is_never_hopeless(screen: Screen, log: Log) -> None:
    """A receiver finds its port taken while children of its killed parent still hang on to it."""
    quick = Backoff(base_seconds=0.01)
    child = Child(role("worker", 1, "exit(2)"), os.environ, screen, lambda _line: None, quick)
    child.proven = True
    run = asyncio.create_task(child.run())
    await log.until("worker ended with code 2; again in")
    await log.until("again in 0.02 s")

    await child.stop()
    await run


async def test_the_watchdog_hears_of_every_start_and_end(screen: Screen, log: Log) -> None:
    told: list[str] = []
    child = Child(role("worker", 7), os.environ, screen, told.append)
    run = asyncio.create_task(child.run())
    await log.until("serving")
    pid = child.pid

    await child.stop()
    await run

    assert told == [f"+ {pid} 7", f"- {pid}"]


def test_the_wait_doubles_up_to_the_cap_and_starts_over_after_a_good_run() -> None:
    backoff = Backoff(base_seconds=1, cap_seconds=3, good_run_seconds=10)
    assert [backoff.next(before, 0) for before in (0, 1, 2, 3)] == [1, 2, 3, 3]
    assert backoff.next(3, 10) == 1


async def test_output_becomes_lines_however_it_is_cut(screen: Screen, log: Log) -> None:
    lines = Lines(screen, "worker")
    for chunk in (b"on", b"e\ntwo\r\nthr", b"\xff"):
        lines.feed(chunk)
    lines.end()
    assert log.getvalue() == "worker   | one\nworker   | two\nworker   | thr\ufffd\n"


def test_the_watchdog_stops_who_did_not_end_and_redis_last() -> None:
    assert left(["+ 10 4\n", "+ 11 1\n", "+ 12 2\n", "- 11\n", "nonsense\n"]) == [12, 10]


# --- the whole of it ---


class Up:
    """A `sluice up` of its own: own data, own ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        names = ("RECEIVER", "SANDBOX", "REDIS", "WORKER_METRICS", "CONSOLE")
        self.ports = {name: free_port() for name in names}
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("SLUICE_", "EXAMPLE_"))}
        self.environ = {**clean, "SLUICE_DATA_DIR": str(folder)}
        self.own_ports = {f"SLUICE_{name}_PORT": str(port) for name, port in self.ports.items()}
        self.output = folder / "output"

    def start(self, *words: str, **more: str) -> subprocess.Popen[bytes]:
        with self.output.open("wb") as output:
            return subprocess.Popen(
                (sys.executable, "-m", "app", "up", *words),
                env={**self.environ, **self.own_ports, **more},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def sluice(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command in another terminal: it is told nothing but the data folder."""
        command = (sys.executable, "-m", "app", *words)
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=60)

    def run_file(self) -> dict[str, dict[str, int]] | None:
        path = self.folder / "run.json"
        return json.loads(path.read_bytes()) if path.exists() else None


def wait_for(what: Callable[[], object], why: Callable[[], str], seconds: float = 50) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, why()
        time.sleep(0.05)


def at_the_sandbox(system: Up, path: str, body: dict[str, object] | None = None) -> Any:
    """What it answers; `body`: posted."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{system.ports['SANDBOX']}{path}",
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {APP_KEY}"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


def try_again_soon(system: Up) -> None:
    """An event that nobody takes is held for an hour, which a time factor makes a moment."""
    dead = {"name": "kept", "endpoint": "http://127.0.0.1:9/x", "events": ["email_sent"]}
    at_the_sandbox(system, "/v1/reporting_webhooks", dead)
    order: dict[str, object] = {"count": 1, "events": ["email_sent"]}
    at_the_sandbox(system, "/customerio/workspaces/sandbox/play", order)

    def tried() -> int:
        page = at_the_sandbox(system, "/customerio/workspaces/sandbox")
        return int(page["webhooks"][0]["attempts"])

    wait_for(lambda: tried() > 1, system.output.read_text)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Up]:
    yield Up(tmp_path)


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has reaped counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.timeout(120)
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_up_is_found_by_other_commands_and_leaves_nothing_behind(system: Up) -> None:
    process = system.start("--time-factor", "3600")
    try:
        wait_for(lambda: system.run_file() or process.poll(), system.output.read_text)
        text = system.output.read_text()
        assert process.poll() is None, text
        found = system.run_file()
        assert found is not None

        # Another terminal finds Redis, key and ports by itself.
        sent = system.sluice("send", "--count", "20")
        assert sent.returncode == 0, sent.stdout + sent.stderr
        assert system.sluice("healthy", "receiver").returncode == 0
        assert system.sluice("healthy", "console").returncode == 0
        users = system.sluice("users", "list", "--json")
        assert [user["name"] for user in json.loads(users.stdout)] == ["admin"]
        try_again_soon(system)
        again = system.sluice("up")
        assert again.returncode == 2
        assert "Sluice is already running" in again.stderr
        assert (system.folder / "example-signing-key").stat().st_mode & 0o077 == 0
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0, system.output.read_text()

    assert all(gone(pid) for pid in found["pids"].values())
    assert system.run_file() is None
    assert "Traceback" not in system.output.read_text()
    assert "log in as admin with" in system.output.read_text()
    # For the next `up`: what was set up at the sandbox.
    kept = json.loads((system.folder / "sandbox.json").read_bytes())
    assert [each["name"] for each in kept["webhooks"]["sandbox"]] == ["kept"]


@pytest.mark.crash
@pytest.mark.timeout(120)
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_when_up_is_killed_its_children_end_too(system: Up) -> None:
    process = system.start()
    wait_for(lambda: system.run_file() or process.poll(), system.output.read_text)
    found = system.run_file()
    assert found is not None, system.output.read_text()

    process.kill()
    process.wait()

    pids = found["pids"].values()
    wait_for(lambda: all(gone(pid) for pid in pids), lambda: f"left of {pids}")
