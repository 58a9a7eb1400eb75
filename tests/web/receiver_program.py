"""A receiver as `sluice serve-receiver` makes it, without settings: parent, or child.

    python receiver_program.py REDIS_URL PORT PROCESSES FILE

The port is written to FILE.port. A child ends with code 2 when FILE exists: a configuration that
went bad.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

from app.core.batch import encode_received
from app.store.batches import Batches
from app.store.connect import open_store
from app.web.child import run_child
from app.web.children import Supervision
from app.web.config import ReceiverConfig, ReceiverConnection
from app.web.listening import CannotListen, listen
from app.web.metrics import ReceiverMetrics
from app.web.processes import Parent
from app.web.receiver import Receiver
from app.web.slot import MISCONFIGURED


def parent(redis_url: str, port: str, processes: str, bad: str) -> int:
    try:
        listening = listen("127.0.0.1", int(port))
    except CannotListen as fault:
        print(fault, file=sys.stderr)
        return MISCONFIGURED
    Path(f"{bad}.port").write_text(f"{listening.getsockname()[1]}\n")

    def command(listening_fd: int, control_fd: int) -> list[str]:
        return [sys.executable, __file__, redis_url, bad, str(listening_fd), str(control_fd)]

    times = Supervision(backoff_base_seconds=0.02, stop_seconds=20)
    supervisor = Parent(listening, int(processes), command, dict(os.environ), times)
    return asyncio.run(supervisor.run())


def child(redis_url: str, bad: str, listening_fd: str, control_fd: str) -> int:
    if Path(bad).exists():
        # As on a busy machine: the parent sees the socket's end well before the process's.
        os.close(int(control_fd))
        time.sleep(0.3)
        return MISCONFIGURED

    @asynccontextmanager
    async def make():
        redis = open_store(redis_url)
        yield Receiver(
            # A body may be long on its way: a test lets it wait for a process to come.
            ReceiverConfig(
                shutdown_delay_seconds=0.3, retire_seconds=1.0, body_deadline_seconds=30.0
            ),
            [ReceiverConnection("acme", (b"the-key",))],
            Batches(redis),
            encode_received,
            ReceiverMetrics(os.environ.get("PROMETHEUS_MULTIPROC_DIR")),
        )
        await redis.aclose(close_connection_pool=True)

    run_child(int(listening_fd), int(control_fd), make)
    return 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if len(arguments) == 4 and arguments[2].isdigit() and not arguments[1].isdigit():
        sys.exit(child(*arguments))
    sys.exit(parent(*arguments))
