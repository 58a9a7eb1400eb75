"""Dead letters of a console elsewhere, looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.cli.afar.client import Client
from app.core.dead_letter import DeadLetter, DeadLetterSummary
from app.core.errors import ConsoleRefused
from app.operations.wire import filter_document, letter_of, summary_of
from app.store.dead_letters import Filter
from app.store.dead_letters.searching import Searched

PAGE: Final = 1_000


@dataclass(slots=True)
class LettersSeen:
    """What app.operations.face.Letters looks at."""

    client: Client

    async def page(
        self, wanted: Filter, cursor: str, limit: int
    ) -> tuple[list[DeadLetterSummary], str | None]:
        found, more = list[DeadLetterSummary](), cursor or None
        while True:
            asked = {**filter_document(wanted), "cursor": more or ""}
            asked["limit"] = min(PAGE, limit - len(found))
            if wanted.person is None:
                answer = await self.client.get("/dead-letters", **asked)
            else:
                answer = await self.client.post("/dead-letters/list", asked)
            found, more = found + _summaries(answer), answer["cursor"]
            if more is None or len(found) >= limit:
                return found, more

    async def some(self, numbers: Sequence[int]) -> list[DeadLetterSummary]:
        found = list[DeadLetterSummary]()
        for at in range(0, len(numbers), PAGE):
            part = ",".join(map(str, numbers[at : at + PAGE]))
            found += _summaries(await self.client.get("/dead-letters", numbers=part))
        return found

    async def whole(self, number: int) -> DeadLetter | None:
        found = await self.client.find(f"/dead-letters/{number}", whole=1)
        return None if found is None else letter_of(found)

    async def search(self, wanted: Filter, word: str, limit: int) -> list[DeadLetterSummary]:
        if limit > PAGE:
            raise ConsoleRefused(f"from afar, --limit is at most {PAGE:,}")
        asked = {"word": word, "wanted": filter_document(wanted), "limit": limit}
        return _summaries(await self.client.post("/dead-letters/find", asked))

    async def bodies(self, wanted: Filter, text: str) -> AsyncIterator[Searched]:
        more: str | None = ""
        while more is not None:
            asked = {"text": text, "wanted": filter_document(wanted), "cursor": more}
            answer = await self.client.post("/dead-letters/search", asked)
            more = answer["cursor"]
            yield Searched(_summaries(answer), answer["looked"], answer["unread"], more)

    async def try_out(self, wanted: Filter, sample: int) -> tuple[dict[str, Any], dict[str, Any]]:
        asked = {"wanted": filter_document(wanted), "sample": sample}
        answer = await self.client.post("/dead-letters/try", asked)
        return answer["selection"], answer["trial"]


def _summaries(answer: dict[str, Any]) -> list[DeadLetterSummary]:
    return [summary_of(each) for each in answer["letters"]]
