"""One request batch's story to its end: where an answer says so, split, bisect, send alone.

What one request is and means is attempt.py's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from app.core.outcome import Outcome, Verdict
from app.core.platform import Answer, Next
from worker.lane.attempt import Attempts, refuses_envelope

# An inlet that refuses raw batches is asked again after this long.
_SINGLES_SECONDS: Final = 3600.0
# One message may be refused for its envelope; so many, and none taken in between, are no accident.
_ENVELOPES_REFUSED: Final = 3
_DEFINITE: Final = (Verdict.DELIVERED, Verdict.REJECTED)


class Delivery:
    """Delivers request batches of one lane. `most`: messages sent alone at a time."""

    def __init__(self, attempts: Attempts, clock: Callable[[], float], most: int) -> None:
        self._attempts = attempts
        self._clock = clock
        self._most = most
        self._singles_until = -1.0

    @property
    def singly(self) -> bool:
        """Whether this inlet was found to take no batches, lately."""
        return self._singles_until > self._clock()

    async def deliver(
        self, messages: Sequence[bytes], *, suspect: bool = False
    ) -> Sequence[Outcome]:
        """One outcome per message, in order, with as many requests as that takes.

        `suspect`: they have met a status 500 before while others got through, and one of them may
        be the reason (platform.md section 2.6): met again, it is looked for.
        """
        outcomes = await self.resolve(messages, suspect)
        if not all(refuses_envelope(outcome) for outcome in outcomes):
            return outcomes
        # All of them, and nothing got through meanwhile: not theirs, for the envelope is the same
        # for all. Configuration has changed, here or there.
        self._attempts.envelopes_refused += len(outcomes)
        if self._attempts.envelopes_refused < _ENVELOPES_REFUSED:
            return outcomes
        return (await self._attempts.misconfigured(outcomes)).outcomes

    async def resolve(
        self, messages: Sequence[bytes], suspect: bool = False, half: bool = False
    ) -> Sequence[Outcome]:
        """`half`: of a request that was looked into already."""
        answer = await self._attempts.attempt(messages, half=half)
        return await self.follow(messages, answer, suspect)

    async def follow(
        self, messages: Sequence[bytes], answer: Answer, suspect: bool = False
    ) -> Sequence[Outcome]:
        """Does what the answer to these messages asks for next."""
        search = suspect and len(messages) > 1 and _is_500(answer)
        if search or answer.next in (Next.SPLIT, Next.BISECT):
            middle = len(messages) // 2
            left, right = await asyncio.gather(
                *(
                    self.resolve(part, suspect, half=search)
                    for part in (messages[:middle], messages[middle:])
                )
            )
            return [*left, *right]
        if answer.next is Next.SINGLES:
            return await self._singly(messages, answer)
        return answer.outcomes

    async def _singly(self, messages: Sequence[bytes], answer: Answer) -> Sequence[Outcome]:
        """Alone each message that the answer did not place: a few at first, and on only while
        Platform gives definite answers, so that a broken one is not asked a thousand times."""
        outcomes = list(answer.outcomes)
        todo = [
            at
            for at, outcome in enumerate(outcomes)
            if answer.uniform or outcome.verdict is Verdict.UNKNOWN
        ]
        size = 1
        while todo:
            now, todo = todo[:size], todo[size:]
            size = self._most
            found = await asyncio.gather(*(self.resolve([messages[at]]) for at in now))
            for at, (outcome,) in zip(now, found, strict=True):
                # Held back in between: what is known of it is still the first answer.
                outcomes[at] = outcome if outcome.attempted else outcomes[at]
            if any(outcomes[at].verdict not in _DEFINITE for at in now):
                break
        refused = answer.outcomes[0].code == "batch_refused"
        if refused and all(outcome.verdict is Verdict.DELIVERED for outcome in outcomes):
            # Nothing was wrong with any of them: it was the batch that this inlet does not take.
            self._singles_until = self._clock() + _SINGLES_SECONDS
        return outcomes


def _is_500(answer: Answer) -> bool:
    """A plain 500 for all of a request, in a lane that goes on."""
    first = answer.outcomes[0]
    return answer.uniform and first.status == 500 and not first.held
