"""`make crash MINUTES=30 SEED=1`: a long run. The plan, what is done, and one JSON line.

Exit 1 when an event is lost or anything else is not as it must be; the folder is kept then.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tests.crash.chaos.plan import every, plan
from tests.crash.chaos.run import Report, Run, line
from tests.crash.chaos.story import tell_stories


def main() -> int:
    parser = argparse.ArgumentParser(prog="make crash", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=150.0, help="webhooks per second")
    parser.add_argument("--short", action="store_true", help="every fault once, as in make test")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a good run, too")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sluice-crash-"))
    report = asyncio.run(_run(folder, chosen))
    if report.good and not chosen.keep:
        shutil.rmtree(folder)
    elif not report.good:
        tell_stories(folder, report)
        print(f"logs: {folder}", file=sys.stderr)
        print(f"once more: {_again(chosen)}", file=sys.stderr)
    print(line(report))
    return 0 if report.good else 1


def _again(chosen: argparse.Namespace) -> str:
    if chosen.short:
        return f"python -m tests.crash.chaos --short --seed {chosen.seed} --rate {chosen.rate:g}"
    return f"make crash MINUTES={chosen.minutes:g} SEED={chosen.seed}"


async def _run(folder: Path, chosen: argparse.Namespace) -> Report:
    # Told to stop, it ends everything that it has started.
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    seconds = None if chosen.short else chosen.minutes * 60
    plans = every(chosen.seed) if seconds is None else plan(chosen.seed, seconds)
    for hand, faults in plans.items():
        for fault in faults:
            print(f"plan {hand:<12} {fault}", file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True, soft_wrap=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        row = bar.add_task("crash", total=seconds)
        began = time.monotonic()

        def tell(text: str) -> None:
            passed = time.monotonic() - began
            bar.update(row, completed=passed)
            console.print(f"{passed:7.1f} s {text}", markup=False, highlight=False)

        return await Run(folder, chosen.seed, chosen.rate, tell).run(plans, seconds)


if __name__ == "__main__":
    sys.exit(main())
