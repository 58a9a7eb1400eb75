"""cost: CPU of receiver, Redis and worker per million events, from request to Platform's answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.bench import corpus
from tests.bench.figures import Figure, of_rounds
from tests.bench.load import send
from tests.bench.plan import Plan
from tests.bench.services import (
    Server,
    configure,
    ledger,
    receiver,
    redis_server,
    sink,
    wait_for_end,
    worker,
)
from tests.bench.stage import BenchError, Process, Stage

_CONNECTIONS: Final = 64
_WARM_UP: Final = 2_000
_ROUNDS: Final = 3


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """Core-seconds per million events. Raises BenchError."""
    plan.say(f"cost: making {plan.cost_events:,} events")
    requests = corpus.signed_requests(corpus.bodies(plan.cost_events + _WARM_UP))
    spent: dict[str, list[float]] = {"receiver": [], "redis": [], "worker": []}
    rates: list[float] = []
    rounds = min(plan.rounds, _ROUNDS)
    for number in range(rounds):
        with _system(stage) as (server, processes, port):
            _send(server, processes["worker"], port, requests[:_WARM_UP])
            before = {name: process.cpu_seconds() for name, process in processes.items()}
            rates.append(_send(server, processes["worker"], port, requests[_WARM_UP:]))
            for name, process in processes.items():
                used = process.cpu_seconds() - before[name]
                spent[name].append(used / plan.cost_events * 1e6)
            _check(server, len(requests))
        now = ", ".join(f"{name} {values[-1]:.1f}" for name, values in spent.items())
        plan.say(f"cost {number + 1}/{rounds}: {now} core-seconds per million, {rates[-1]:,.0f} /s")
    total = [sum(parts) for parts in zip(*spent.values(), strict=True)]
    return [
        of_rounds("cost.total", total, "core-s a million", goal="<= 100"),
        *(of_rounds(f"cost.{name}", values, "core-s a million") for name, values in spent.items()),
        of_rounds("cost.rate", rates, f"requests/s, {_CONNECTIONS} connections"),
    ]


@contextmanager
def _system(stage: Stage) -> Iterator[tuple[Server, dict[str, Process], int]]:
    """Everything between Customer.io and Platform."""
    with (
        sink(stage) as sink_port,
        redis_server(stage) as server,
        worker(stage, server, environment := configure(stage, sink_port)) as working,
        receiver(stage, server, environment) as (receiving, port),
    ):
        working.wait_until(lambda: '"worker.started"' in working.said())
        yield (
            server,
            {"receiver": receiving, "redis": server.process, "worker": working},
            port,
        )


def _send(server: Server, working: Process, port: int, requests: list[bytes]) -> float:
    """Sends, and waits until all is delivered; requests/s acknowledged."""
    loaded = send(port, requests, _CONNECTIONS)
    wait_for_end(server, working, 60)
    return loaded.rate


def _check(server: Server, wanted: int) -> None:
    counts = ledger(server)
    if counts.get("delivered") != wanted or counts.get("received") != wanted:
        raise BenchError(f"{wanted} events were sent, but the ledger says {counts}")
