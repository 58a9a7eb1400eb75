"""`python -m tests.bench [names...] [--rounds N] [--quick]`: measures, prints, writes.

Exit codes: 0 measured (whether the goals are met is in the table), 1 could not measure, 2 wrong
use, 130 interrupted.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from tests.bench import cost, dead, drain, mapping, memory, plan, receive
from tests.bench.figures import Figure, machine, show, write
from tests.bench.plan import Plan
from tests.bench.stage import ROOT, BenchError, Stage, open_stage

MEASUREMENTS: Final[dict[str, Callable[[Stage, Plan], list[Figure]]]] = {
    "receive": receive.measure,
    "drain": drain.measure,
    "mapping": mapping.measure,
    "memory": memory.measure,
    "dead": dead.measure,
    "cost": cost.measure,
}
# `floor` comes out of the same rounds as `drain`.
# Above this load before the start, others took part of what was measured.
_BUSY_LOAD: Final = 0.7
NAMES: Final = (*MEASUREMENTS, "floor")


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parse(arguments)
    if not sys.platform.startswith("linux"):
        print("bench: needs Linux, for pinning to cores and CPU times", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _terminated)
    console, progress = _console(), _console(stderr=True)
    about = machine()
    began = time.monotonic()

    def say(text: str) -> None:
        progress.print(f"[dim]{time.monotonic() - began:5.0f} s[/]  {text}")

    made = (plan.quick if given.quick else plan.full)(given.rounds, say)
    try:
        with open_stage(tcp=given.tcp) as stage:
            say(stage.pinning())
            about |= _run(stage, made, quick=given.quick)
            figures = [
                figure
                for name in _chosen(given.names)
                for figure in MEASUREMENTS[name](stage, made)
            ]
    except BenchError as fault:
        print(f"bench: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted; nothing is left running", file=sys.stderr)
        return 130
    about["seconds"] = round(time.monotonic() - began)
    write(given.out, figures, about)
    show(console, figures, f"{about['cpu']}, {about['cores']} cores, Python {about['python']}")
    console.print(f"{about['pinning']}; {about['redis']}")
    if about["load_before"] > _BUSY_LOAD:
        console.print(f"[yellow]the machine was busy before (load {about['load_before']})[/]")
    console.print(f"{about['seconds']} s; written to {given.out}")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.bench", description="Measures Sluice.")
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"one of {', '.join(NAMES)}; default: all"
    )
    parser.add_argument("--rounds", type=int, help="rounds of each comparison (default 5, quick 1)")
    parser.add_argument("--quick", action="store_true", help="about a minute, less exact")
    parser.add_argument("--tcp", action="store_true", help="reach Redis by TCP, not by socket")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "bench.jsonl", help="the file")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.names) - set(NAMES)):
        parser.error(f"no such measurement: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if given.rounds is not None and given.rounds < 1:
        parser.error("--rounds: wanted 1 or more")
    return given


def _chosen(names: Sequence[str]) -> list[str]:
    wanted = {"drain" if name == "floor" else name for name in names} or set(MEASUREMENTS)
    return [name for name in MEASUREMENTS if name in wanted]


def _run(stage: Stage, made: Plan, *, quick: bool) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rounds": made.rounds,
        "quick": quick,
        "pinning": stage.pinning(),
        "redis": f"Redis by {'TCP' if stage.tcp else 'unix socket'}, appendfsync always",
    }


def _console(*, stderr: bool = False) -> Console:
    """As wide as the terminal; in a file or a log, wide enough for the table."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = 120
    return console


def _terminated(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
