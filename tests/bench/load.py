"""A load generator that keeps to a schedule, whatever the server does.

A request is due at its time even when the answers before it are late, and its latency counts from
then: a stall is felt by all who came during it (no "coordinated omission"). wrk cannot do that.
"""

from __future__ import annotations

import gc
import random
import select
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from tests.bench.stage import BenchError

_STALLED_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Loaded:
    """`latencies`: seconds, sorted; of answers with status 200. `seconds`: first to last."""

    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile_ms(self, percent: float) -> float:
        at = min(len(self.latencies) - 1, int(len(self.latencies) * percent / 100))
        return self.latencies[at] * 1000


def poisson(rate: float, count: int) -> list[float]:
    """Seconds at which independent senders would send; the same every time."""
    chance = random.Random(3)
    due, at = [], 0.0
    for _ in range(count):
        at += chance.expovariate(rate)
        due.append(at)
    return due


def send(
    port: int, requests: Sequence[bytes], connections: int, due: Sequence[float] | None = None
) -> Loaded:
    """Sends every request once. `due`: seconds from the start; None: as fast as it is answered.

    Raises BenchError on any answer but 200.
    """
    with ExitStack() as stack:
        links = [stack.enter_context(_Link(port)) for _ in range(connections)]
        stack.enter_context(_no_collections())
        return _Run(links, requests, due).run()


class _Link:
    """A connection with at most one request under way."""

    __slots__ = ("began", "buffer", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10.0)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.began = 0.0

    def __enter__(self) -> _Link:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def answered(self) -> bool:
        """Reads what is there. True when the answer is whole; BenchError when it is no 200."""
        data = self.socket.recv(65_536)
        if not data:
            raise BenchError("the server closed a connection")
        self.buffer = buffer = self.buffer + data
        head = buffer.find(b"\r\n\r\n")
        if head < 0:
            return False
        if not buffer.startswith(b"HTTP/1.1 200"):
            raise BenchError(f"the server answered {buffer[:100]!r}")
        at = buffer.lower().find(b"content-length:", 0, head)
        size = int(buffer[at + 15 : buffer.find(b"\r\n", at)]) if at >= 0 else 0
        if len(buffer) < head + 4 + size:
            return False
        self.buffer = b""
        return True


class _Run:
    """One call of `send`."""

    def __init__(
        self, links: Sequence[_Link], requests: Sequence[bytes], due: Sequence[float] | None
    ) -> None:
        self._idle = deque(links)
        self._links = {link.socket.fileno(): link for link in links}
        self._requests = requests
        self._due = due
        self._sent = 0
        self._latencies: list[float] = []

    def run(self) -> Loaded:
        count = len(self._requests)
        with select.epoll() as poll:
            for number in self._links:
                poll.register(number, select.EPOLLIN)
            began = time.perf_counter()
            while len(self._latencies) < count:
                wait = self._send_due(began)
                # epoll waits in whole milliseconds, select in microseconds.
                ready, _, _ = select.select([poll], [], [], wait)
                if ready:
                    self._read(poll.poll(0), began)
                elif wait == _STALLED_SECONDS:
                    raise BenchError("the server does not answer any more")
        seconds = time.perf_counter() - began
        return Loaded(seconds, sorted(self._latencies))

    def _send_due(self, began: float) -> float:
        """Sends what is due; seconds until more is."""
        due, requests, idle = self._due, self._requests, self._idle
        while idle and self._sent < len(requests):
            now = time.perf_counter() - began
            at = now if due is None else due[self._sent]
            if at > now:
                return at - now
            link = idle.popleft()
            link.began = at
            link.socket.sendall(requests[self._sent])
            self._sent += 1
        return _STALLED_SECONDS

    def _read(self, events: Sequence[tuple[int, int]], began: float) -> None:
        for number, _ in events:
            link = self._links[number]
            if link.answered():
                self._latencies.append(time.perf_counter() - began - link.began)
                self._idle.append(link)


@contextmanager
def _no_collections() -> Iterator[None]:
    """Our own pauses shall not look like the server's."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
