"""What has to happen so that a fail point is passed."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.crash.chaos.points import Need
from tests.crash.chaos.stage import Stage

_SET = "customerio-default.json"


# So many seconds may pass until it is done again: a worker needs them to start and find work.
_AGAIN = {
    Need.BURST: 1.5,
    Need.STOP: 3.0,
    Need.PAUSE: 1.5,
    Need.MAPPING: 4.0,
    Need.DEAD_WORKER: 0.7,
    Need.DEAD_CHILD: 0.7,
    Need.ROLL: 3.0,
}
_RULES: dict[Need, dict[str, Any]] = {
    Need.REFUSALS: {"partial": 0.5, "partial_status": 503},
    Need.SLOWNESS: {"latency_ms": 1200},
    Need.STOP: {"hang": True},
    Need.PAUSE: {"blocked": True},
}


@asynccontextmanager
async def provoked(stage: Stage, need: Need) -> AsyncIterator[None]:
    """Makes it happen, again and again, and mends it at the end."""
    made = None
    if need in _RULES:
        made = (await stage.system.ask("/faults", "POST", _RULES[need]))["faults"][0]["id"]
    task = asyncio.create_task(_keep_on(stage, need))
    try:
        yield
    finally:
        task.cancel()
        if made is not None:
            await stage.system.ask(f"/faults?id={made}", "DELETE")
        if need in (Need.PAUSE, Need.STOP):
            await stage.open_lanes()


async def _keep_on(stage: Stage, need: Need) -> None:
    while need in _AGAIN:
        match need:
            case Need.STOP:
                # With work in hand: its requests hang by now.
                if stage.worker.lines("worker.started"):
                    await stage.open_lanes()
                    await asyncio.sleep(0.5)
                    stage.worker.terminate()
            case Need.BURST:
                # Its inlet takes one message at a time, so a batch of two is two requests.
                stage.order("burst singly")
            case Need.PAUSE:
                await stage.open_lanes()
            case Need.MAPPING:
                remap(stage)
            case Need.DEAD_WORKER:
                _send(stage, "worker", signal.SIGKILL)
            case Need.DEAD_CHILD:
                _send(stage, "serve-receiver-child", signal.SIGKILL)
            case Need.ROLL:
                _send(stage, "serve-receiver", signal.SIGHUP)
        await asyncio.sleep(_AGAIN[need])


def _send(stage: Stage, role: str, number: signal.Signals) -> None:
    # The worker of `sluice up`, not the stage's own: the supervisor is to see it end.
    found = [pid for pid in stage.running(role) if pid != stage.worker.pid]
    if found:
        stage.kill(found[0], number)


def remap(stage: Stage) -> str:
    """Writes the next version of the mapping set into the system's configuration."""
    path = stage.folder / "config" / "mappings" / _SET
    document = json.loads(path.read_text())
    document["version"] += 1
    partial = path.with_suffix(".new")
    partial.write_text(json.dumps(document))
    partial.rename(path)
    return f"version {document['version']}"
