"""The stories of lost events: what the oracle wrote, and what Sluice says of them."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.crash.chaos.run import Report


def tell_stories(folder: Path, report: Report) -> None:
    """To stderr: of the first lost events, and whatever else was wrong."""
    log = (folder / "oracle.log").read_text().splitlines() if report.traces else []
    for lost, trace in report.traces.items():
        name = lost.split()[1]
        print(f"lost: {lost}", file=sys.stderr)
        for text in (text for text in log if text.endswith(f" {name}")):
            print(f"  oracle: {text}", file=sys.stderr)
        print(f"  trace: {trace.strip()}", file=sys.stderr)
    for problem in report.verdict.problems:
        print(f"problem: {problem}", file=sys.stderr)
