"""Finds delivered bodies by event id, in what workers on this machine (or volume) have written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from worker.archive.segments import Kept, find


class ArchiveFinder:
    """`folder`: where ArchiveWriter writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def find(
        self, connection: str, ids: Iterable[str], first_hour: int, last_hour: int
    ) -> dict[str, Kept]:
        """The newest body per id among what was delivered in these Unix hours."""
        return await asyncio.to_thread(self._find, connection, set(ids), first_hour, last_hour)

    def _find(
        self, connection: str, ids: set[str], first_hour: int, last_hour: int
    ) -> dict[str, Kept]:
        found: dict[str, Kept] = {}
        for hour in sorted(hours_of(self._folder / connection), reverse=True):
            if not first_hour <= hour <= last_hour:
                continue
            for segment in sorted((self._folder / connection / str(hour)).glob("*.seg")):
                for kept in find(segment, ids - found.keys()):
                    found[kept.event_id] = kept
            if len(found) == len(ids):
                break
        return found


def hours_of(folder: Path) -> list[int]:
    """The hours for which a connection has a folder."""
    try:
        return [int(each.name) for each in folder.iterdir() if each.name.isdigit()]
    except OSError:
        return []
