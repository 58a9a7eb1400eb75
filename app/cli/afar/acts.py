"""Dead letters of a console elsewhere: acts on them, a bounded request at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, Final

import orjson

from app.cli.afar.letters import PAGE, LettersSeen
from app.core.dead_letter import DeadLetter, DeadLetterSummary, encode_line
from app.operations.face import Exported
from app.operations.wire import filter_document
from app.store.dead_letters import Filter

_REPLAYED: Final = 200
# A request of an import has so much, or a single letter.
_IMPORT_BYTES: Final = 4_000_000


class AfarLetters(LettersSeen):
    """app.operations.face.Letters."""

    async def edit(self, number: int, patch: bytes | None) -> bool:
        path = f"/dead-letters/{number}/edit"
        if patch is None:
            done = await self.client.document("DELETE", path, missing=True)
        else:
            body = orjson.dumps({"patch": orjson.loads(patch)})
            done = await self.client.document("PUT", path, body=body, missing=True)
        return done is not None

    async def replay(self, numbers: Sequence[int]) -> AsyncIterator[int]:
        for at in range(0, len(numbers), _REPLAYED):
            asked = {"numbers": list(numbers[at : at + _REPLAYED])}
            yield (await self.client.post("/dead-letters/replay", asked))["replayed"]

    async def discard(
        self, letters: Sequence[DeadLetterSummary], reason: str
    ) -> AsyncIterator[int]:
        for at in range(0, len(letters), PAGE):
            numbers = [letter.number for letter in letters[at : at + PAGE]]
            asked: dict[str, Any] = {"numbers": numbers, "reason": reason}
            yield (await self.client.post("/dead-letters/discard", asked))["discarded"]

    async def export(self, wanted: Filter) -> AsyncIterator[Exported]:
        asked: dict[str, Any] = {"wanted": filter_document(wanted), "up_to": 0, "cursor": ""}
        more: str | None = ""
        while more is not None:
            reply = await self.client.ask(
                "POST", "/dead-letters/export", body=orjson.dumps({**asked, "cursor": more})
            )
            assert reply is not None
            # Bytes, not texts: splitlines() would split at what a body holds.
            lines = [line + b"\n" for line in reply.content.split(b"\n") if line]
            yield Exported(lines, int(reply.headers["Sluice-Unread"]))
            more = reply.headers.get("Sluice-Cursor")
            asked["up_to"] = int(reply.headers["Sluice-Up-To"])

    async def take_in(
        self, batches: Iterable[Sequence[DeadLetter]], *, dry: bool = False
    ) -> AsyncIterator[int]:
        path, done = "/dead-letters/import", "imported"
        if dry:
            path, done = f"{path}?dry=1", "would_import"
        for batch in batches:
            taken = 0
            for content in _bodies(batch):
                answer = await self.client.document("POST", path, body=content)
                taken += answer[done]
            yield taken


def _bodies(batch: Sequence[DeadLetter]) -> Iterator[bytes]:
    lines, size = list[bytes](), 0
    for line in map(encode_line, batch):
        if lines and size + len(line) > _IMPORT_BYTES:
            yield b"".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield b"".join(lines)
