"""Loaded by Python itself in processes of the crash suite, whose PYTHONPATH begins here.

Wraps the functions that tests/crash/chaos/points.py names, as their modules are imported, and makes
the process's clock wrong by what a file says. Nothing of this exists in any other process.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.crash.chaos.points import POINTS, Point, Side, passed

FOLDER = Path(os.environ["CRASH_FOLDER"])
WRITES = "redis.asyncio.connection"
CLOCK_SECONDS = 0.05

_seen: dict[tuple[str, int], int] = {}
_inside: contextvars.ContextVar[tuple[Point, ...]] = contextvars.ContextVar("inside", default=())


def _pass(point: Point) -> None:
    if passed(FOLDER, point, _seen):
        os.kill(os.getpid(), signal.SIGKILL)


def _async_wrapped(point: Point, call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        if not point.only(*args):
            return await call(*args, **kwargs)
        if point.side is Side.BEFORE:
            _pass(point)
        token = _inside.set((*_inside.get(), point)) if point.side is Side.UNREAD else None
        try:
            answer = await call(*args, **kwargs)
        finally:
            if token is not None:
                _inside.reset(token)
        if point.side is Side.AFTER:
            _pass(point)
        return answer

    return wrapped


def _wrapped(point: Point, call: Callable[..., Any]) -> Callable[..., Any]:
    if asyncio.iscoroutinefunction(call):
        return _async_wrapped(point, call)

    @functools.wraps(call)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if point.side is Side.BEFORE:
            _pass(point)
        answer = call(*args, **kwargs)
        if point.side is Side.AFTER:
            _pass(point)
        return answer

    return wrapped


def _wrap(module: ModuleType, points: Iterable[Point]) -> None:
    for point in points:
        *way, name = point.function.split(".")
        owner: Any = functools.reduce(getattr, way, module)
        setattr(owner, name, _wrapped(point, getattr(owner, name)))


def _wrap_writes(module: ModuleType) -> None:
    """What a call sends to Redis is with the kernel when this returns; its answer is not read."""
    send = module.AbstractConnection.send_packed_command

    async def wrapped(*args: Any, **kwargs: Any) -> None:
        await send(*args, **kwargs)
        for point in _inside.get():
            _pass(point)

    module.AbstractConnection.send_packed_command = wrapped


class _Finder(MetaPathFinder):
    """Finds what the others find, and wraps it once it is executed."""

    def __init__(self) -> None:
        self._points: dict[str, list[Point]] = {WRITES: []}
        for point in POINTS:
            self._points.setdefault(point.module, []).append(point)

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name not in self._points:
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(name, path, target) for finder in others)
        spec = next((each for each in found if each is not None), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module
            spec.loader.exec_module = lambda module: self._execute(execute, module)
        return spec

    def _execute(self, execute: Callable[[ModuleType], None], module: ModuleType) -> None:
        execute(module)
        if module.__name__ == WRITES:
            _wrap_writes(module)
        _wrap(module, self._points[module.__name__])


def _wrong_clock(path: Path) -> None:
    """time.time and time.time_ns, off by the seconds that the file says."""
    true, true_ns, steady = time.time, time.time_ns, time.monotonic
    offset, looked = 0, -1.0

    def seconds() -> int:
        nonlocal offset, looked
        now = steady()
        if now - looked > CLOCK_SECONDS:
            looked = now
            try:
                offset = int(path.read_text() or 0)
            except FileNotFoundError:
                offset = 0
        return offset

    time.time = lambda: true() + seconds()
    time.time_ns = lambda: true_ns() + seconds() * 1_000_000_000


def _role() -> str:
    words = sys.orig_argv
    if any(word.startswith("serve-receiver") for word in words):
        return "receiver"
    return next((name for name in ("worker", "up") if name in words), "")


if role := _role():
    sys.meta_path.insert(0, _Finder())
    _wrong_clock(FOLDER / "clock" / role)
