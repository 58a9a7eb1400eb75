"""Files that somebody sent, kept for a while until they say what to do with them.

They hold personal data: each is a file without a name, which is gone with this process.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Final, Self

from aiohttp import web

_SECONDS: Final = 900.0
_MOST: Final = 8


@dataclass(slots=True)
class Upload:
    """One file. `name`: what its owner called it; `size`: bytes; `at`: the monotonic clock."""

    id: str
    who: str
    name: str
    size: int
    at: float
    file: IO[bytes]

    def lines(self) -> Iterator[bytes]:
        """From its beginning."""
        self.file.seek(0)
        return iter(self.file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.file.close()


def copied(file: IO[bytes]) -> IO[bytes]:
    """A copy on disk, without a name. Blocking. Raises OSError."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115  # it outlives this request
    shutil.copyfileobj(file, copy)
    return copy


@dataclass(slots=True)
class Uploads:
    """The newest few, for a quarter of an hour, each for who sent it."""

    _kept: OrderedDict[str, Upload] = field(default_factory=OrderedDict)

    def keep(self, who: str, name: str, copy: IO[bytes]) -> Upload:
        """`copy`: of `copied`; it is closed here, or by who takes it."""
        size, now = copy.tell(), time.monotonic()
        made = Upload(secrets.token_urlsafe(16), who, name, size, now, copy)
        self._kept[made.id] = made
        self._forget()
        return made

    def take(self, who: str, name: str) -> Upload | None:
        """The file, which its owner closes then; None when it is not, or no longer, here."""
        self._forget()
        found = self._kept.get(name)
        return self._kept.pop(name) if found is not None and found.who == who else None

    async def close(self, _app: web.Application) -> None:
        """For `on_cleanup`."""
        while self._kept:
            self._kept.popitem()[1].file.close()

    def _forget(self) -> None:
        oldest = time.monotonic() - _SECONDS
        while self._kept and (
            len(self._kept) > _MOST or next(iter(self._kept.values())).at < oldest
        ):
            self._kept.popitem(last=False)[1].file.close()


UPLOADS: Final = web.AppKey("uploads", Uploads)
