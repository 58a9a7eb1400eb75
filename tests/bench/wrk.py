"""Drives wrk, the load generator that is never the bottleneck."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests.bench.services import path_of
from tests.bench.stage import BenchError, Stage


def require_wrk() -> str:
    """Its path. Raises BenchError naming the package."""
    found = shutil.which("wrk")
    if found is None:
        raise BenchError("wrk is not installed: apt install wrk (Debian, Ubuntu), brew install wrk")
    return found


def wrk(stage: Stage, port: int, requests: Path, connections: int, seconds: float) -> float:
    """Requests per second answered 200. Raises BenchError when anything else was answered."""
    command = [require_wrk(), "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    command += ["--timeout", "5s", "-s", str(path_of("receive.lua"))]
    command += [f"http://127.0.0.1:{port}/", "--", str(requests)]
    with stage.process("wrk", command, stage.others) as process:
        try:
            said = process.result(seconds + 30)
        except subprocess.TimeoutExpired:  # pragma: no cover
            raise BenchError("wrk does not end") from None
    summary = json.loads(said.strip().splitlines()[-1])
    if summary["faults"]:
        raise BenchError(f"wrk saw {summary['faults']} requests fail: {said.strip()[-300:]}")
    return float(summary["requests"] / summary["seconds"])
