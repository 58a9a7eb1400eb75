"""mapping: transform and XDM check of the default set, over reading and writing the same JSON."""

from __future__ import annotations

from typing import Any, Final

from tests.bench.figures import Figure, of_rounds, ratio
from tests.bench.plan import Plan
from tests.bench.services import configure, sink
from tests.bench.stage import Stage

# As Customer.io sends them, some 500 bytes, and the 1 KB of the other figures.
_SIZES: Final = {"natural": 0, "1kb": 1024}


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """CPU of the mapping. Raises BenchError."""
    figures: list[Figure] = []
    compiles: list[float] = []
    with sink(stage) as port:
        environment = configure(stage, port)
        for name, size in _SIZES.items():
            rounds = [_round(stage, size, environment) for _ in range(plan.rounds)]
            ours = [found["mapped"] * 1e6 for found in rounds]
            theirs = [found["parsed"] * 1e6 for found in rounds]
            compiles += [found["compile"] * 1e3 for found in rounds]
            plan.say(f"mapping {name}: {min(ours):.1f} us, loads and dumps {min(theirs):.2f} us")
            figures += [
                ratio(f"mapping.ratio_{name}", ours, theirs, "times loads + dumps", "<= 8"),
                of_rounds(
                    f"mapping.cpu_{name}", ours, "us an event", versus=("loads + dumps", theirs)
                ),
            ]
    figures.append(of_rounds("mapping.compile", compiles, "ms, first of a process", goal="<= 200"))
    return figures


def _round(stage: Stage, size: int, environment: dict[str, str]) -> dict[str, Any]:
    command = stage.module("tests.bench.programs.mapping_cost", str(size))
    with stage.process("mapping", command, stage.measured, environment) as process:
        return process.last_line()
