"""Events for the measurements, made once: realistic, 1 KB, all kinds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from app.core.batch import encode_received
from app.core.signature import sign
from app.sandbox.traffic import Shares, ShotKind, generate, shots
from app.store.batches import Batches
from app.store.connect import open_store
from tests.bench.services import CONNECTION, SIGNING_KEY

BODY_BYTES: Final = 1024
BATCH_EVENTS: Final = 500
DUPLICATES: Final = 0.05


@dataclass(frozen=True, slots=True)
class Backlog:
    """Event batches as the receiver would have committed them: (frame, events in it)."""

    frames: list[tuple[bytes, int]]
    events: int
    duplicates: int

    async def commit(self, url: str, *, ring: bool = True) -> None:
        """Puts all of it on the queue at `url`, through app.store."""
        redis = open_store(url)
        batches = Batches(redis)
        names = [await batches.commit(CONNECTION, *entry) for entry in self.frames]
        if ring:
            await batches.ring_all(names)
        await redis.aclose(close_connection_pool=True)

    def write(self, path: Path) -> None:
        """Frames in a file, each after its length, for `read_frames`."""
        with path.open("wb") as file:
            for frame, _ in self.frames:
                file.write(len(frame).to_bytes(4, "big") + frame)


def read_frames(path: Path) -> Iterator[bytes]:
    """The frames that `Backlog.write` wrote."""
    with path.open("rb") as file:
        while size := file.read(4):
            yield file.read(int.from_bytes(size, "big"))


def make_backlog(
    events: int, *, batch: int = BATCH_EVENTS, duplicates: float = DUPLICATES
) -> Backlog:
    """A backlog of `events` webhooks, repeats among them; the same every time but for `now`."""
    stream = shots(2, events, Shares(duplicates=duplicates), body_bytes=BODY_BYTES)
    frames, repeats = [], 0
    while part := list(islice(stream, batch)):
        repeats += sum(shot.kind is ShotKind.DUPLICATE for shot in part)
        frames += pack([shot.body for shot in part], batch)
    return Backlog(frames, events, repeats)


def pack(events: Sequence[bytes], batch: int) -> list[tuple[bytes, int]]:
    """Frames of `batch` events each, received now."""
    now_ms = int(time.time() * 1000)
    parts = (events[at : at + batch] for at in range(0, len(events), batch))
    return [(encode_received(part, [now_ms] * len(part)), len(part)) for part in parts]


def bodies(count: int) -> list[bytes]:
    """Distinct events."""
    return list(generate(1, count, body_bytes=BODY_BYTES))


def signed_requests(events: Sequence[bytes]) -> list[bytes]:
    """Whole HTTP requests with valid signatures, as Customer.io sends them."""
    timestamp = str(int(time.time())).encode()
    return [_request(body, timestamp) for body in events]


def write_requests(path: Path, requests: Sequence[bytes]) -> None:
    """In the form that receive.lua reads."""
    with path.open("wb") as file:
        for request in requests:
            file.write(b"%d\n%s\n" % (len(request), request))


def commit(backlog: Backlog, url: str, *, ring: bool = True) -> None:
    asyncio.run(backlog.commit(url, ring=ring))


def _request(body: bytes, timestamp: bytes) -> bytes:
    head = (
        f"POST /webhooks/{CONNECTION} HTTP/1.1\r\nHost: sluice.example\r\n"
        "User-Agent: Customer.io Web Hooks\r\nContent-Type: application/json\r\n"
        f"X-CIO-Timestamp: {timestamp.decode()}\r\n"
        f"X-CIO-Signature: {sign(SIGNING_KEY, timestamp, body)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
