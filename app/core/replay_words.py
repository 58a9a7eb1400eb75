"""A replay run in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.core.moments import moment
from app.core.replay_run import ReplayRun, RunState


def asked_for(wanted: Mapping[str, Any]) -> str:
    """The filter, as it was asked for."""
    parts = (
        f"{name}={moment(value) if name.endswith('_ms') else value}"
        for name, value in wanted.items()
    )
    return " ".join(parts) or "all"


def state_of(run: ReplayRun) -> str:
    """Its state, and why it is in it."""
    why = run.reason or (run.holding if run.state is RunState.RUNNING else "")
    if run.state is RunState.RUNNING and not why:
        if not run.owner:
            why = "no worker has taken it up yet"
        elif not run.to_come:
            why = "all is put, the rest is on its way"
    return f"{run.state}: {why}" if why else str(run.state)


def counts_of(run: ReplayRun) -> str:
    """Where its letters are."""
    others = run.duplicates + run.tests
    return (
        f"{run.passed:,} of {run.frozen:,}: {run.delivered:,} delivered, "
        f"{run.dead:,} died again, {run.in_flight:,} in flight"
        + (f", {others:,} duplicates" if others else "")
        + (f", {run.gone:,} gone meanwhile" if run.gone else "")
        + (f", {run.kept:,} kept dead" if run.kept else "")
    )


def census_lines(census: Mapping[str, Any]) -> Iterator[str]:
    """What a selection is made of, one line per kind of thing."""
    yield f"{'letters':<12} {census['letters']:,}"
    for name in ("connections", "classes", "kinds"):
        told = ", ".join(f"{what or '-'} {count:,}" for what, count in census[name].items())
        yield f"{name:<12} {told}"
    if census["oldest_ms"] is not None:
        oldest, newest = moment(census["oldest_ms"]), moment(census["newest_ms"])
        yield f"{'died (UTC)':<12} {oldest} to {newest}"
