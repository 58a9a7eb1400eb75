"""A measured figure with its goal; the table for people, the lines for programs."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is the median of `rounds`. `goal`: ">= 0.95" or "<= 300", None for information.

    `versus`: (what it was compared with, its value in the same unit), medians as well.
    """

    name: str
    value: float
    unit: str
    goal: str | None = None
    versus: tuple[str, float] | None = None
    rounds: Sequence[float] = field(default=())

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None when there is none."""
        if self.goal is None:
            return None
        sign, number = self.goal.split()
        return self.value >= float(number) if sign == ">=" else self.value <= float(number)

    def line(self) -> dict[str, Any]:
        """The figure as one line of bench.jsonl."""
        versus = None
        if self.versus is not None:
            versus = {"what": self.versus[0], "value": _rounded(self.versus[1])}
        return {
            "name": self.name,
            "value": _rounded(self.value),
            "unit": self.unit,
            "goal": self.goal,
            "met": self.met,
            "versus": versus,
            "rounds": [_rounded(value) for value in self.rounds],
        }


def of_rounds(
    name: str,
    rounds: Sequence[float],
    unit: str,
    *,
    goal: str | None = None,
    versus: tuple[str, Sequence[float]] | None = None,
) -> Figure:
    """The figure of several rounds: medians."""
    other = (versus[0], median(versus[1])) if versus else None
    return Figure(name, median(rounds), unit, goal, other, tuple(rounds))


def ratio(
    name: str, ours: Sequence[float], theirs: Sequence[float], unit: str, goal: str
) -> Figure:
    """ours / theirs, round by round: what disturbs one round disturbs both its sides."""
    rounds = [our / their for our, their in zip(ours, theirs, strict=True)]
    return Figure(name, median(rounds), unit, goal, None, tuple(rounds))


def table(figures: Iterable[Figure], title: str) -> Table:
    """What a person reads."""
    shown = Table(title=title, title_justify="left", title_style="bold")
    shown.add_column("figure", no_wrap=True)
    for head in ("value", "goal", "versus", "rounds"):
        shown.add_column(head, justify="right" if head in ("value", "goal") else "left")
    group = None
    for figure in figures:
        family = figure.name.partition(".")[0]
        if group not in (None, family):
            shown.add_section()
        group = family
        shown.add_row(
            figure.name,
            f"{_text(figure.value)} {figure.unit}",
            _goal(figure),
            f"{figure.versus[0]}: {_text(figure.versus[1])}" if figure.versus else "",
            _spread(figure.rounds),
        )
    return shown


def write(path: Path, figures: Sequence[Figure], about: Mapping[str, Any]) -> None:
    """One line about the run, then a line a figure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [{"name": "machine", **about}, *(figure.line() for figure in figures)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


def show(console: Console, figures: Sequence[Figure], title: str) -> None:
    """Prints the table and how many goals were met."""
    console.print(table(figures, title))
    judged = [figure.met for figure in figures if figure.met is not None]
    if judged:
        console.print(f"{sum(judged)} of {len(judged)} goals met")


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    return {
        "cpu": _first(Path("/proc/cpuinfo"), r"model name\s*:\s*(.+)") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "siblings_of_first": _first(
            Path("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list"), r"(\S+)"
        ),
        "memory_gb": round(int(_first(Path("/proc/meminfo"), r"MemTotal:\s*(\d+)") or 0) / 2**20),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _first(path: Path, pattern: str) -> str | None:
    try:
        found = re.search(pattern, path.read_text())
    except OSError:
        return None
    return found[1] if found else None


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    return f"{figure.goal} [green]met[/]" if figure.met else f"{figure.goal} [red]missed[/]"


def _spread(rounds: Sequence[float]) -> str:
    if len(rounds) < 2:
        return "1" if rounds else ""
    return f"{len(rounds)}: {_text(min(rounds))} to {_text(max(rounds))}"


def _text(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
