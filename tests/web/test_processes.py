"""Parent and children, for real: crashes, restarts and stops, with clients at work."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from app.core.signature import sign

PROGRAM = Path(__file__).with_name("receiver_program.py")
ROOT = PROGRAM.parents[2]


def children_of(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def port_in(file: Path) -> int | None:
    text = file.read_text() if file.exists() else ""
    return int(text) if text.endswith("\n") else None


def alive(pid: int) -> bool:
    """Whether it runs; a zombie that nobody reaps does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


class Running:
    def __init__(self, process, port, bad, log):
        self.process = process
        self.port = port
        self.bad = bad
        self.log = log
        self.url = f"http://127.0.0.1:{port}"

    @property
    def children(self) -> list[int]:
        return children_of(self.process.pid)

    def signal(self, number) -> None:
        self.process.send_signal(number)

    async def exit_code(self) -> int:
        async with asyncio.timeout(20):
            return await self.process.wait()


@pytest.fixture
def run(redis_url, tmp_path):
    @asynccontextmanager
    async def running(processes=1, port=0):
        bad = tmp_path / "bad-configuration"
        log = tmp_path / "receiver.log"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(PROGRAM), redis_url, str(port), str(processes), str(bad)),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=(out := log.open("ab")),
        )
        out.close()
        try:
            port_file = Path(f"{bad}.port")
            await until(lambda: port_in(port_file))
            receiver = Running(process, port_in(port_file), bad, log)
            # The first request waits in the kernel's queue until a child accepts it.
            async with aiohttp.ClientSession() as session:
                assert await post(session, receiver.url, b"first") == 200
            yield receiver
        finally:
            if process.returncode is None:
                left = children_of(process.pid)
                process.kill()
                await process.wait()
                for pid in left:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            print(log.read_text())

    return running


async def post(session, url, body) -> int:
    stamp = str(int(time.time()))
    headers = {
        "X-CIO-Timestamp": stamp,
        "X-CIO-Signature": sign(b"the-key", stamp.encode(), body),
    }
    async with session.post(f"{url}/webhooks/acme", data=body, headers=headers) as answer:
        await answer.read()
        return answer.status


class Load:
    """Clients that never stop posting; `fresh` ones open a connection for every request."""

    def __init__(self, url, *, fresh):
        self.url = url
        self.fresh = fresh
        self.statuses: list[int] = []
        self.refused = 0
        self.broken = 0

    @asynccontextmanager
    async def at_work(self, clients=8):
        tasks = [asyncio.create_task(self._post_on(n)) for n in range(clients)]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def answered(self, more):
        goal = len(self.statuses) + more
        async with asyncio.timeout(20):
            while len(self.statuses) < goal:  # noqa: ASYNC110  # any condition, no event
                await asyncio.sleep(0.01)

    async def _post_on(self, number):
        connector = aiohttp.TCPConnector(force_close=self.fresh)
        async with aiohttp.ClientSession(connector=connector) as session:
            while True:
                try:
                    self.statuses.append(await post(session, self.url, b"%d" % number))
                except aiohttp.ClientConnectorError:
                    self.refused += 1
                except (aiohttp.ClientError, ConnectionError):
                    self.broken += 1


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # another process: there is no event
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("processes", [1, 2])
async def test_sigterm_ends_all_with_code_0_and_unready_first(run, processes):
    async with run(processes) as receiver, aiohttp.ClientSession() as session:
        children = receiver.children
        assert len(children) == processes
        receiver.signal(signal.SIGTERM)

        async def readiness():
            async with session.get(f"{receiver.url}/readyz") as answer:
                return answer.status

        async with asyncio.timeout(10):
            while await readiness() != 503:
                pass
        # Still taken: a load balancer may not have looked yet.
        assert await post(session, receiver.url, b"last") == 200
        assert await receiver.exit_code() == 0
        assert not any(alive(pid) for pid in children)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
async def test_a_request_under_way_is_finished_before_its_process_leaves(run, how):
    async with run() as receiver:
        stamp = str(int(time.time())).encode()
        head = b"POST /webhooks/acme HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
        head += b"X-CIO-Timestamp: %b\r\nX-CIO-Signature: %b\r\n\r\n{" % (
            stamp,
            sign(b"the-key", stamp, b"{}").encode(),
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", receiver.port)
        writer.write(head)
        await asyncio.sleep(0.1)  # The bytes must be with the old process: nothing says so.

        receiver.signal(how)
        await until(lambda: "receiver.leaving" in receiver.log.read_text())
        await asyncio.sleep(0.6)  # Longer than the delay before the socket is closed.
        writer.write(b"}")
        answer = await reader.read()
        writer.close()

        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"Connection: close" in answer
        if how is signal.SIGTERM:
            assert await receiver.exit_code() == 0


@pytest.mark.crash
@pytest.mark.parametrize("processes", [1, 2])
async def test_a_killed_child_is_replaced_and_no_connection_is_refused(run, processes):
    async with run(processes) as receiver:
        load = Load(receiver.url, fresh=True)
        async with load.at_work():
            await load.answered(50)
            victim = receiver.children[0]
            os.kill(victim, signal.SIGKILL)
            await until(
                lambda: victim not in receiver.children and len(receiver.children) == processes
            )
            await load.answered(50)

        assert load.refused == 0
        assert set(load.statuses) == {200}


@pytest.mark.crash
async def test_everything_acknowledged_before_a_kill_is_in_redis(run, store):
    async with run() as receiver:
        load = Load(receiver.url, fresh=False)
        async with load.at_work(clients=32):
            await load.answered(300)
            os.kill(receiver.children[0], signal.SIGKILL)
            await load.answered(300)

        from app.store.batches import Batches

        held = sum(batch_id.events for batch_id, _ in await Batches(store).open_ids())
        assert held >= len(load.statuses) + 1


@pytest.mark.parametrize("fresh", [True, False])
async def test_sighup_replaces_every_child_without_a_failed_request(run, fresh):
    async with run(2) as receiver:
        await until(lambda: len(receiver.children) == 2)
        before = set(receiver.children)
        load = Load(receiver.url, fresh=fresh)
        async with load.at_work():
            await load.answered(50)
            receiver.signal(signal.SIGHUP)
            await until(lambda: len(receiver.children) == 2 and not before & set(receiver.children))
            await load.answered(50)

        assert (load.refused, load.broken) == (0, 0)
        assert set(load.statuses) == {200}


async def test_a_restart_into_a_bad_configuration_keeps_the_old_children(run):
    async with run() as receiver, aiohttp.ClientSession() as session:
        before = receiver.children
        receiver.bad.touch()
        receiver.signal(signal.SIGHUP)
        await until(lambda: len(receiver.children) == 2)
        await until(lambda: receiver.children == before)
        assert await post(session, receiver.url, b"still here") == 200


async def test_a_bad_configuration_at_start_ends_with_code_2_however_slowly(redis_url, tmp_path):
    bad = tmp_path / "bad"
    bad.touch()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROGRAM), redis_url, "0", "2", str(bad)),
        stdout=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    async with asyncio.timeout(20):
        assert await process.wait() == 2


async def test_a_taken_port_is_said_in_one_line_with_code_2(redis_url):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(PROGRAM), redis_url, str(port), "1", "none"),
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        _, said = await process.communicate()
    assert process.returncode == 2
    assert said.decode().splitlines() == [
        f"cannot listen on 127.0.0.1 port {port}: address already in use; "
        "free it or choose another port"
    ]


@pytest.mark.crash
async def test_children_end_when_the_parent_is_killed(run):
    async with run(2) as receiver:
        await until(lambda: len(receiver.children) == 2)
        children = receiver.children
        receiver.signal(signal.SIGKILL)
        await receiver.exit_code()
        try:
            await until(lambda: not any(alive(pid) for pid in children))
        finally:
            for pid in children:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


async def test_metrics_of_any_child_show_all(run):
    async with run(2) as receiver:
        await until(lambda: len(receiver.children) == 2)
        load = Load(receiver.url, fresh=True)
        async with load.at_work():
            await load.answered(100)
        total = len(load.statuses) + 1

        async def acknowledged():
            # A new connection each time: either child may answer.
            async with aiohttp.request("GET", f"{receiver.url}/metrics") as answer:
                lines = (await answer.text()).splitlines()
            name = 'sluice_webhooks_acknowledged_total{connection="acme"}'
            return sum(float(line.split()[1]) for line in lines if line.startswith(name))

        async with asyncio.timeout(10):
            while await acknowledged() < total:  # noqa: ASYNC110  # processes flush by time
                await asyncio.sleep(0.05)
