"""Data Access: what is in a batch's failed files and row diagnostics (platform.md section 6.2)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final, NamedTuple
from urllib.parse import quote

from app.adobe.platform_client import PlatformClient
from app.adobe.reading import at, count, items, text

BASE: Final = "/data/foundation/export"

_PAGE: Final = 100
_PAGES_MAX: Final = 1_000


class File(NamedTuple):
    """`path`: as the service wants it back; `length`: bytes, None = not said."""

    path: str
    length: int | None


class DataAccess:
    """Raises what PlatformClient raises."""

    def __init__(self, client: PlatformClient) -> None:
        self._client = client

    async def failed_files(self, batch_id: str) -> AsyncIterator[File]:
        """The files with the records that failed in a batch."""
        async for file in self._files(f"{_batch(batch_id)}/failed", []):
            yield file

    async def row_error_files(self, batch_id: str) -> AsyncIterator[File]:
        """The diagnostics of rows that failed in a batch which otherwise landed."""
        params = [("path", "row_errors")]
        async for file in self._files(f"{_batch(batch_id)}/meta", params):
            yield File(f"row_errors/{file.path.removeprefix('row_errors/')}", file.length)

    def failed_lines(self, batch_id: str, file: File) -> AsyncGenerator[bytes, None]:
        """The lines of a failed file, streamed: nobody knows how many there are."""
        params = [("path", file.path)]
        return self._client.lines(f"{_batch(batch_id)}/failed", params, length=file.length)

    def row_error_lines(self, batch_id: str, file: File) -> AsyncGenerator[bytes, None]:
        """The lines of a diagnostics file, streamed."""
        params = [("path", file.path)]
        return self._client.lines(f"{_batch(batch_id)}/meta", params, length=file.length)

    async def _files(self, path: str, params: list[tuple[str, str]]) -> AsyncIterator[File]:
        for page in range(_PAGES_MAX):
            paging = [("start", str(page * _PAGE)), ("limit", str(_PAGE))]
            found = items(at(await self._client.get(path, [*params, *paging]), "data"))
            for item in found:
                # Links are not followed: only the configured host is ever asked.
                if name := text(at(item, "name")):
                    yield File(name, count(at(item, "length")))
            if len(found) < _PAGE:
                return


def _batch(batch_id: str) -> str:
    return f"{BASE}/batches/{quote(batch_id, safe='')}"
