"""receive: what a durable, checked acknowledgement costs over answering 200 to anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench import corpus
from tests.bench.figures import Figure, of_rounds, ratio
from tests.bench.load import Loaded, poisson, send
from tests.bench.plan import Plan
from tests.bench.services import Server, bare_server, configure, receiver, redis_server
from tests.bench.stage import BenchError, Process, Stage
from tests.bench.wrk import require_wrk, wrk

CONNECTIONS: Final = (64, 256)
_REQUESTS: Final = 4_000
_PACED_CONNECTIONS: Final = 64
BARE: Final = "bare aiohttp"


@dataclass(slots=True)
class Side:
    """One of the two servers, and what was measured of it, a value per round."""

    name: str
    port: int
    process: Process
    # Microseconds of CPU per request, under each number of connections.
    cpu: dict[int, list[float]] = field(default_factory=lambda: {n: [] for n in CONNECTIONS})
    # Share of the time in which it could have run, but others had its core.
    starved: dict[int, list[float]] = field(default_factory=lambda: {n: [] for n in CONNECTIONS})
    rates: dict[int, list[float]] = field(default_factory=lambda: {n: [] for n in CONNECTIONS})
    paced: list[Loaded] = field(default_factory=list)
    serial: list[Loaded] = field(default_factory=list)

    def milliseconds(self, runs: str, percent: float) -> list[float]:
        return [run.percentile_ms(percent) for run in getattr(self, runs)]


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """Figures of the receiver. Raises BenchError."""
    require_wrk()
    requests = corpus.signed_requests(corpus.bodies(_REQUESTS))
    file = stage.folder / "requests"
    corpus.write_requests(file, requests)
    with _servers(stage) as (ours, bare, server):
        tidy = server.empty
        for side in (ours, bare):
            wrk(stage, side.port, file, 64, 1)
        for number in range(plan.rounds):
            for connections in CONNECTIONS:
                for side in (ours, bare):
                    tidy()
                    _flood(stage, plan, side, file, connections, number)
            _check(server, ours, tidy, stage, file)
            pace = ours.rates[CONNECTIONS[0]][0] / 2
            for side in (ours, bare):
                tidy()
                _latencies(plan, side, requests, pace, number)
    return _figures(ours, bare, pace)


@contextmanager
def _servers(stage: Stage) -> Iterator[tuple[Side, Side, Server]]:
    environment = configure(stage)
    with (
        redis_server(stage) as server,
        receiver(stage, server, environment) as (process, port),
        bare_server(stage) as (bare, bare_port),
    ):
        yield Side("sluice", port, process), Side("bare", bare_port, bare), server


def _flood(stage: Stage, plan: Plan, side: Side, file: Path, connections: int, number: int) -> None:
    before, waited = side.process.cpu_seconds(), side.process.starved_seconds()
    rate = wrk(stage, side.port, file, connections, plan.flood_seconds)
    used = side.process.cpu_seconds() - before
    side.starved[connections].append((side.process.starved_seconds() - waited) / plan.flood_seconds)
    side.rates[connections].append(rate)
    side.cpu[connections].append(used / (rate * plan.flood_seconds) * 1e6)
    plan.say(f"receive {number + 1}/{plan.rounds}: {side.name}, {connections}: {rate:,.0f} /s")


def _check(server: Server, side: Side, tidy: Callable[[], None], stage: Stage, file: Path) -> None:
    """Whether what was acknowledged is in Redis: a short run, counted."""
    tidy()
    acknowledged = wrk(stage, side.port, file, 64, 1)
    if server.backlog() < acknowledged:
        raise BenchError(f"{acknowledged:.0f} acknowledged, but {server.backlog()} in Redis")


def _latencies(plan: Plan, side: Side, requests: list[bytes], pace: float, number: int) -> None:
    count = int(pace * plan.paced_seconds)
    many = [requests[at % len(requests)] for at in range(count)]
    side.paced.append(send(side.port, many, _PACED_CONNECTIONS, poisson(pace, count)))
    side.serial.append(send(side.port, requests[: plan.serial_requests], 1))
    plan.say(
        f"receive {number + 1}/{plan.rounds}: {side.name} at {pace:,.0f} /s "
        f"p50 {side.paced[-1].percentile_ms(50):.2f} ms, p99 {side.paced[-1].percentile_ms(99):.2f}"
        f" ms; one connection p50 {side.serial[-1].percentile_ms(50):.2f} ms"
    )


def _figures(ours: Side, bare: Side, pace: float) -> list[Figure]:
    figures = [
        ratio(f"receive.ratio_{n}", ours.rates[n], bare.rates[n], f"of {BARE}", ">= 0.95")
        for n in CONNECTIONS
    ]
    figures += [
        of_rounds(f"receive.rate_{n}", ours.rates[n], "requests/s", versus=(BARE, bare.rates[n]))
        for n in CONNECTIONS
    ]
    figures += [
        of_rounds(f"receive.cpu_{n}", ours.cpu[n], "us a request", versus=(BARE, bare.cpu[n]))
        for n in CONNECTIONS
    ]
    figures += [
        of_rounds(
            f"receive.starved_{n}",
            ours.starved[n],
            "of the time core taken",
            versus=(BARE, bare.starved[n]),
        )
        for n in CONNECTIONS
    ]
    named = {"paced": f"at {pace:,.0f} requests/s", "serial": "one after the other"}
    for runs, how in named.items():
        for percent in (50, 99):
            figures.append(
                of_rounds(
                    f"receive.{runs}_p{percent}",
                    ours.milliseconds(runs, percent),
                    f"ms {how}",
                    versus=(BARE, bare.milliseconds(runs, percent)),
                )
            )
    return figures
