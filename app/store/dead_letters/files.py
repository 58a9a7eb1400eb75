"""The files that old dead letters are spilled to: NDJSON, compressed in blocks (for `zstd -dc`).

A block is a zstd frame of its own, so one letter costs the reading of some 64. What is written is
on disk, its name too, before anybody refers to it. Blocking; callers use a thread.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import zstandard

from app.core.dead_letter import DeadLetter, Spilled, decode_line, encode_line
from app.core.errors import UnreadableFrame

FOLDER: Final = "dead-letters"
BLOCK_LETTERS: Final = 64
_SUFFIX: Final = ".ndjson.zst"
_LEVEL: Final = 9
# A block that says it is larger is none of ours.
_BLOCK_MAX_BYTES: Final = 512_000_000
_REMEMBERED: Final = 4


def name_of(file: int) -> str:
    return f"dead-letters-{file:08d}{_SUFFIX}"


@dataclass(slots=True)
class SpillFiles:
    """`data_dir`: the process's data folder; None: nothing can be read or written."""

    data_dir: Path | None
    # The blocks read last: letters that are replayed together lie together.
    _blocks: dict[tuple[int, int], list[bytes]] = field(default_factory=dict, init=False)

    @property
    def folder(self) -> Path:
        """Raises OSError when there is none."""
        if self.data_dir is None:
            raise FileNotFoundError("this process has no data folder")
        return self.data_dir / FOLDER

    def write(self, file: int, letters: Sequence[DeadLetter]) -> list[Spilled]:
        """Writes a new file; where each letter is in it. Raises FileExistsError, OSError.

        Returns when it is on disk. A file that could not be finished is removed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path, places = self.folder / name_of(file), []
        # Letters hold personal data.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as target:
                for start in range(0, len(letters), BLOCK_LETTERS):
                    block = letters[start : start + BLOCK_LETTERS]
                    places += _write_block(target.fileno(), file, block)
                os.fsync(target.fileno())
            _sync(self.folder)
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        return places

    def read(self, place: Spilled, number: int) -> DeadLetter:
        """A spilled letter. Raises OSError, and UnreadableFrame when it is not there."""
        lines = self._block(place)
        if place.line >= len(lines):
            raise UnreadableFrame(f"{name_of(place.file)} has no such line")
        letter = decode_line(lines[place.line])
        if letter.summary.number != number:
            raise UnreadableFrame(f"{name_of(place.file)} holds another letter there")
        return letter

    def there(self) -> Iterator[tuple[int, Path]]:
        """The files in the folder: (number, path)."""
        with contextlib.suppress(OSError):
            for path in sorted(self.folder.iterdir()):
                digits = path.name.removeprefix("dead-letters-").removesuffix(_SUFFIX)
                if digits.isdecimal() and path.name == name_of(int(digits)):
                    yield int(digits), path

    def remove(self, file: int) -> bool:
        """Removes a file that nobody refers to any more; whether it was there. Raises OSError."""
        try:
            (self.folder / name_of(file)).unlink()
        except FileNotFoundError:
            return False
        _sync(self.folder)
        return True

    def _block(self, place: Spilled) -> list[bytes]:
        known = self._blocks.pop((place.file, place.offset), None)
        if known is None:
            known = self._read_block(place)
        self._blocks[place.file, place.offset] = known
        while len(self._blocks) > _REMEMBERED:
            del self._blocks[next(iter(self._blocks))]
        return known

    def _read_block(self, place: Spilled) -> list[bytes]:
        with (self.folder / name_of(place.file)).open("rb") as source:
            source.seek(place.offset)
            packed = source.read(place.length)
        try:
            content = zstandard.ZstdDecompressor().decompress(
                packed, max_output_size=_BLOCK_MAX_BYTES
            )
        except zstandard.ZstdError as fault:
            raise UnreadableFrame(f"{name_of(place.file)} is damaged: {fault}") from fault
        return content.splitlines()


def _write_block(descriptor: int, file: int, letters: Sequence[DeadLetter]) -> list[Spilled]:
    packed = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(
        b"".join(encode_line(letter) for letter in letters)
    )
    offset = os.lseek(descriptor, 0, os.SEEK_CUR)
    rest = memoryview(packed)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    return [Spilled(file, offset, len(packed), line) for line in range(len(letters))]


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
