"""One webhook's stream: serial, and blocked by what fails (customerio.md section 9).

An event is tried until it is answered 2xx in time or seven days are over; those behind it wait.
Not documented, and so chosen here: each event has seven days from its own first try, the steps of
the back-off, and that a webhook that is disabled forgets what waits (the worse reading).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from app.sandbox.customerio.appapi.webhook import Webhook
from app.sandbox.customerio.backoff import PATIENCE_S, vendor_wait
from app.sandbox.customerio.post import Answer
from app.sandbox.customerio.reporting.happening import Happening

_ANSWERS_KEPT: Final = 20

# An endpoint and a body, posted with the workspace's key.
Post = Callable[[str, bytes], Awaitable[Answer]]


@dataclass(slots=True)
class Letter:
    """What waits. `began`: of the first try, in seconds of the loop's clock; `until`: of the next
    one, in Unix seconds."""

    event_id: str
    body: bytes
    tries: int = 0
    began: float = 0.0
    until: float | None = None


class Stream:
    """`factor`: how much faster than in life its waits run. `clock`: Unix seconds.

    offered = acknowledged + given up + dropped + waiting, always. `empty`: nothing waits, or
    nothing is sent any more.
    """

    def __init__(
        self, webhook: Webhook, post: Post, factor: float, clock: Callable[[], float]
    ) -> None:
        self.webhook = webhook
        self.offered = self.attempts = self.acknowledged = self.given_up = self.dropped = 0
        self._post = post
        self._factor = factor
        self._clock = clock
        self._waiting: deque[Letter] = deque()
        self._answers: deque[dict[str, Any]] = deque(maxlen=_ANSWERS_KEPT)
        self._posting = False
        self._changed = asyncio.Event()
        self._arrived = asyncio.Event()
        self.empty = asyncio.Event()
        self.empty.set()

    def offer(self, happening: Happening) -> None:
        """Takes it, if it is for this webhook."""
        body = happening.body_for(self.webhook)
        if body is not None:
            self.offered += 1
            self._waiting.append(Letter(happening.event_id, body))
            self.empty.clear()
            self._arrived.set()

    def change(self, webhook: Webhook) -> None:
        """The webhook is that from now on; a block stays, unless it is disabled."""
        self.webhook = webhook
        if webhook.disabled:
            self._forget(keep=1 if self._posting else 0)
            self._changed.set()

    async def run(self) -> None:
        """Sends until it is cancelled."""
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    await self._try_first()
                self.empty.set()
        finally:
            self.empty.set()

    def as_dict(self) -> dict[str, Any]:
        """`last_answers`: the newest last; their times are real, whatever the factor."""
        return {
            **self.webhook.as_dict(),
            "offered": self.offered,
            "attempts": self.attempts,
            "acknowledged": self.acknowledged,
            "waiting": len(self._waiting),
            "given_up": self.given_up,
            "dropped": self.dropped,
            "blocked": self._blocked(),
            "last_answers": list(self._answers),
        }

    async def _try_first(self) -> None:
        letter = self._waiting[0]
        loop = asyncio.get_running_loop()
        letter.began = letter.began or loop.time()
        letter.tries += 1
        self._changed.clear()
        self._posting = True
        answer = await self._post(self.webhook.endpoint, letter.body)
        self._posting = False
        self._note(letter, answer)
        if answer.is_success:
            self._waiting.popleft()
            self.acknowledged += 1
        elif self.webhook.disabled:
            self._forget()
        else:
            await self._hold(letter, answer, loop.time() - letter.began)

    async def _hold(self, letter: Letter, answer: Answer, age: float) -> None:
        """Wait for the next try, or for the end of the seven days, or for the webhook's."""
        left = max(PATIENCE_S / self._factor - age, 0.0)
        wait = min(vendor_wait(letter.tries, answer.status, answer.error) / self._factor, left)
        letter.until = self._clock() + wait
        try:
            await asyncio.wait_for(self._changed.wait(), wait)
        except TimeoutError:
            if wait >= left:
                self._waiting.popleft()
                self.given_up += 1

    def _forget(self, keep: int = 0) -> None:
        while len(self._waiting) > keep:
            self._waiting.pop()
            self.dropped += 1

    def _note(self, letter: Letter, answer: Answer) -> None:
        self.attempts += 1
        self._answers.append(
            {
                "event_id": letter.event_id,
                "tries": letter.tries,
                "at_ms": int(self._clock() * 1000),
                **answer.as_dict(),
            }
        )

    def _blocked(self) -> dict[str, Any] | None:
        """By what, and until when (Unix milliseconds; past: it is being tried)."""
        first = self._waiting[0] if self._waiting else None
        if first is None or first.until is None:
            return None
        until_ms = int(first.until * 1000)
        return {"event_id": first.event_id, "tries": first.tries, "until_ms": until_ms}
