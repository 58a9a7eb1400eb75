"""Files of ours: secrets that others could read, the data folder, the archive."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from pathlib import Path
from typing import Final

from app.cli.doctor.finding import Said, failed, ok, warning
from app.cli.doctor.ground import Ground

_LOW_SHARE, _LOW_BYTES = 0.1, 1_000_000_000
_FULL_SHARE, _FULL_BYTES = 0.02, 100_000_000
# Where containers get their secrets: only they can look there.
_CONTAINERS_OWN: Final = ("/run/secrets/", "/var/run/secrets/")


async def secret_files(ground: Ground) -> list[Said]:
    """Whether only their owner may read the files that connections point at."""
    paths = sorted(ground.configured.secret_files)
    if not paths:
        return []
    found = []
    for path in paths:
        mode = await asyncio.to_thread(_mode, path)
        if mode is None or str(path.absolute()).startswith(_CONTAINERS_OWN):
            continue
        if mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
            text = f"{path} holds a secret, and others may read or change it ({mode:o})"
            found.append(warning(text, f"chmod 600 {path}, and see that Sluice's user owns it"))
    return found or [ok(f"{len(paths)} secret file(s), for their owner only")]


async def disk(ground: Ground) -> list[Said]:
    """Room in the data folder: dead letters are spilled there, the archive lies there."""
    folder = ground.settings.data_dir
    place = await asyncio.to_thread(_nearest, folder)
    usage = await asyncio.to_thread(shutil.disk_usage, place)
    share = usage.free / usage.total
    said = f"{usage.free / 1e9:,.1f} GB free ({share:.0%}) for the data folder {folder}"
    fix = "make room, or point SLUICE_DATA_DIR at a larger disk"
    found = []
    if share < _FULL_SHARE or usage.free < _FULL_BYTES:
        found.append(failed(said, fix))
    elif share < _LOW_SHARE and usage.free < 10 * _LOW_BYTES:
        found.append(warning(said, fix))
    if not await asyncio.to_thread(os.access, place, os.W_OK | os.X_OK):
        text = f"the data folder {folder} cannot be written by this user"
        found.append(failed(text, "let Sluice's user own it: dead letters are spilled there"))
    return found or [ok(said)]


async def archive(ground: Ground) -> list[Said]:
    """Personal data on a disk is never kept in silence."""
    settings = ground.settings
    if not settings.archive_days:
        return []
    folder = settings.data_dir / "archive"
    return [
        ok(
            f"delivered bodies, with personal data in them, are kept for "
            f"{settings.archive_days:g} days and {settings.archive_max_bytes:,} bytes in {folder}"
        )
    ]


def _mode(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None


def _nearest(folder: Path) -> Path:
    """The folder, or where it would be made."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return place
