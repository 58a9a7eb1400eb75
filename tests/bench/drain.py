"""drain: how fast one worker empties a backlog. floor: its CPU over the least it could take."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from app.store import keys
from tests.bench import corpus
from tests.bench.corpus import Backlog
from tests.bench.figures import Figure, of_rounds, ratio
from tests.bench.plan import Plan
from tests.bench.services import (
    Server,
    configure,
    ledger,
    redis_server,
    sink,
    wait_for_end,
    worker,
)
from tests.bench.stage import BenchError, Process, Stage

# From 10 to 500 the rate differs by no more than noise.
ARQ_MAX_JOBS: Final = 100


@dataclass(slots=True)
class Rounds:
    """A value per round. Rates per second; CPU in microseconds per event. `busy`, `starved`: shares
    of the time in which the worker ran, and in which it could have run but others had its core."""

    rates: list[float] = field(default_factory=list)
    arq_rates: list[float] = field(default_factory=list)
    # The same without append-only file: arq pays for nearly every round trip with an fsync.
    arq_unsafe: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    starved: list[float] = field(default_factory=list)
    redis_cpu: list[float] = field(default_factory=list)


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """Figures of the worker. Raises BenchError."""
    plan.say(f"drain: making {plan.backlog_events:,} events")
    backlog = corpus.make_backlog(plan.backlog_events)
    frames = stage.folder / "frames"
    backlog.write(frames)
    found = Rounds()
    with sink(stage) as port:
        environment = configure(stage, port)
        for number in range(plan.rounds):
            _drain(stage, backlog, environment, found)
            for rates, safe in ((found.arq_rates, True), (found.arq_unsafe, False)):
                rates.append(_arq(stage, frames, plan.arq_events, environment, safe=safe))
            found.floor.append(_floor(stage, frames, environment))
            plan.say(
                f"drain {number + 1}/{plan.rounds}: {found.rates[-1]:,.0f} events/s "
                f"({found.cpu[-1]:.1f} us CPU each); plain arq {found.arq_rates[-1]:,.0f} /s, "
                f"{found.arq_unsafe[-1]:,.0f} without AOF; "
                f"bare loop {found.floor[-1]:.1f} us"
            )
    return _figures(found)


def _drain(stage: Stage, backlog: Backlog, environment: dict[str, str], found: Rounds) -> None:
    with redis_server(stage) as server:
        corpus.commit(backlog, server.url)
        with worker(stage, server, environment) as process:
            # Its start-up, imports and all, is not what is measured: the clock starts when it
            # takes its first batch.
            process.wait_until(lambda: _has_begun(server))
            before = _now(process, server)
            wait_for_end(server, process, 60 + backlog.events / 2_000)
            after = _now(process, server)
        _check(ledger(server), backlog)
    seconds, cpu, starved, redis_cpu = (then - now for now, then in zip(before, after, strict=True))
    found.rates.append(backlog.events / seconds)
    found.cpu.append(cpu / backlog.events * 1e6)
    found.busy.append(cpu / seconds)
    found.starved.append(starved / seconds)
    found.redis_cpu.append(redis_cpu / backlog.events * 1e6)


def _has_begun(server: Server) -> bool:
    held: Any = server.client.hlen(keys.HELD)
    return held > 0 or server.backlog() == 0


def _now(process: Process, server: Server) -> tuple[float, float, float, float]:
    """Seconds: the clock, and so far the worker's CPU, its waiting for the core, Redis' CPU."""
    redis_cpu = server.process.cpu_seconds()
    return time.perf_counter(), process.cpu_seconds(), process.starved_seconds(), redis_cpu


def _check(counts: Mapping[str, int], backlog: Backlog) -> None:
    wanted = {
        "received": backlog.events,
        "duplicates": backlog.duplicates,
        "delivered": backlog.events - backlog.duplicates,
    }
    if {name: count for name, count in counts.items() if count} != wanted:
        raise BenchError(f"the ledger says {dict(counts)}, wanted {wanted}")


def _arq(
    stage: Stage, frames: Path, events: int, environment: dict[str, str], *, safe: bool
) -> float:
    with redis_server(stage, safe=safe) as server:
        arguments = (server.url, str(frames), str(events), str(ARQ_MAX_JOBS))
        command = stage.module("tests.bench.programs.plain_arq", *arguments)
        with stage.process("plain-arq", command, stage.measured, environment) as process:
            return float(process.last_line()["rate"])


def _floor(stage: Stage, frames: Path, environment: dict[str, str]) -> float:
    command = stage.module("tests.bench.programs.floor", str(frames))
    with stage.process("floor", command, stage.measured, environment) as process:
        return float(process.last_line()["seconds_per_event"]) * 1e6


def _figures(found: Rounds) -> list[Figure]:
    return [
        ratio("drain.ratio", found.rates, found.arq_rates, "times plain arq", ">= 15"),
        of_rounds("drain.rate", found.rates, "events/s", versus=("plain arq", found.arq_rates)),
        of_rounds(
            "drain.rate_unsafe",
            found.rates,
            "events/s, ours fsynced",
            versus=("plain arq without AOF", found.arq_unsafe),
        ),
        of_rounds("drain.busy", found.busy, "of the worker's core used"),
        of_rounds("drain.starved", found.starved, "of the time core taken"),
        of_rounds("drain.redis_cpu", found.redis_cpu, "us of Redis an event"),
        ratio("floor.ratio", found.cpu, found.floor, "times the bare loop", "<= 2"),
        of_rounds("floor.cpu", found.cpu, "us an event", versus=("bare loop", found.floor)),
    ]
