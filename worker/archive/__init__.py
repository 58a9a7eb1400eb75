"""Delivered bodies on this machine's disk, so that one that Platform refuses later can be replayed.

Off by default, as it holds personal data (SLUICE_ARCHIVE_DAYS). A copy, and no part of the promise
of design.md section 4: a crash loses its last seconds, and bounds of days and bytes its oldest.

segments  how bodies lie in files
writer    takes what was settled, and writes it once a second
finder    finds bodies by event id
"""

from worker.archive.finder import ArchiveFinder
from worker.archive.segments import Kept
from worker.archive.writer import ArchiveBounds, ArchiveWriter

__all__ = ["ArchiveBounds", "ArchiveFinder", "ArchiveWriter", "Kept"]
