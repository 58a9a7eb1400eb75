"""The stories of lost events: what the oracle, and the logs of all processes, say of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from tests.crash.chaos.run import Report

_STORIES: Final = 10


def tell_stories(folder: Path, report: Report) -> None:
    """To stderr, of the first few."""
    for lost in report.verdict.lost[:_STORIES]:
        print(f"lost: {lost}", file=sys.stderr)
        name = lost.split()[1]
        for text in (folder / "oracle.log").read_text().splitlines():
            if text.endswith(f" {name}"):
                print(f"  oracle {text}", file=sys.stderr)
    for problem in report.verdict.problems:
        print(f"problem: {problem}", file=sys.stderr)
