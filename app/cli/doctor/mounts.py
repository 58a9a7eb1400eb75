"""On what kind of file system a folder lies, from a table of mounts as /proc has it. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple


class Mount(NamedTuple):
    """`kind`: `ext4`, `overlay`, `tmpfs`, ...; "" when the table does not say."""

    point: str
    kind: str


def mount_of(folder: str, table: str) -> Mount:
    """The mount that a folder is on. `table`: the text of /proc/PID/mountinfo (proc(5))."""
    found = Mount("/", "")
    place = PurePosixPath(folder)
    for line in table.splitlines():
        before, mark, after = line.partition(" - ")
        fields = before.split(" ")
        if not mark or len(fields) < 5:
            continue
        point = fields[4].replace("\\040", " ")
        # The last of equals counts: it was mounted over the others.
        if place.is_relative_to(point) and len(point) >= len(found.point):
            found = Mount(point, after.split(" ", 1)[0])
    return found
