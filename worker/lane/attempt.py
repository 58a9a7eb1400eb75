"""One request, and what its answer means for the lane as a whole: go on, slow down, hold back.

What an answer means for its messages is app.core.platform's; whether the lane may send is the
gate's, how much the allowance's; what comes after one request is delivery.py's.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import structlog

from app.core.errors import CredentialsRefused, TokenUnavailable
from app.core.lane import Breaker, Concurrency
from app.core.outcome import Failure, Outcome, Verdict, failed
from app.core.platform import (
    HARD_BODY_BYTES,
    MAX_BODY_BYTES,
    Answer,
    Next,
    is_envelope_fault,
    normalise,
)
from worker.lane.allowance import Allowance
from worker.lane.exchange import Exchange, Reply
from worker.lane.gate import HoldWatch, LaneGate

# A throttling answer that names no time, to a lane that has no limit to lower.
_THROTTLE_SECONDS: Final = 1.0
# A request so much larger than what is allowed by now is sent in halves.
_OVERSIZE: Final = 2


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """The rates are for all workers together: platform.md section 2.7's 1,000 requests/s and
    10,000 messages/s of an organization, with headroom; `math.inf` = no limit. The rest is per
    process."""

    max_bytes: int = MAX_BODY_BYTES
    max_messages: int = 1_000
    linger_ms: float = 10.0
    max_in_flight: int = 8
    requests_per_second: float = 900.0
    messages_per_second: float = 9_000.0
    timeout_seconds: float = 60.0


class TokenSource(Protocol):
    """app.adobe.token_keeper.TokenKeeper. Raises CredentialsRefused or TokenUnavailable."""

    async def token(self) -> str: ...
    async def renew(self, refused: str) -> str: ...


class RequestWatch(HoldWatch, Protocol):
    """What metrics want to know of each request, and of pauses. `verdicts`: verdict -> messages."""

    def on_request(
        self,
        connection: str,
        status: int,
        size: int,
        seconds: float,
        verdicts: Mapping[Verdict, int],
    ) -> None: ...
    def on_rate(self, connection: str, messages_per_second: float) -> None:
        """What the lane may send now; told with every request."""
        ...


class Attempts:
    """Sends single requests of one lane."""

    def __init__(
        self,
        connection: str,
        exchange: Exchange,
        gate: LaneGate,
        allowance: Allowance,
        tokens: TokenSource | None,
        limits: LaneLimits,
        *,
        batches_proven: bool,
        watch: RequestWatch | None,
        clock: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._exchange = exchange
        self._gate = gate
        self._allowance = allowance
        self._tokens = tokens
        self._watch = watch
        self._clock = clock
        self._slots = asyncio.Semaphore(limits.max_in_flight)
        self._places = Concurrency(limits.max_in_flight)
        self._breaker = Breaker()
        self._busy = 0
        # Messages that wait for a request, as the lane last told.
        self.waiting = 0
        # An xdm inlet takes batches, the reference says; of a raw one it is only inferred.
        self._batches_proven = batches_proven
        # Until Platform has taken one message, a refused envelope is our configuration's fault.
        self._envelope_proven = False
        # Messages refused for it since the last one that was taken.
        self.envelopes_refused = 0
        self._log = structlog.get_logger()

    @property
    def places(self) -> int:
        """How many requests may be under way."""
        return self._places.limit

    async def attempt(
        self, messages: Sequence[bytes], *, probe: bool = False, half: bool = False
    ) -> Answer:
        """One POST (two with a refreshed token). A bug of ours costs its messages a try only."""
        count = len(messages)
        if count == 1 and len(messages[0]) > HARD_BODY_BYTES:
            return _all(failed(Failure.TOO_LARGE, code="over_1_mb"), 1)
        if count > _OVERSIZE * self._allowance.request_size(count):
            return _all(
                failed(Failure.THROTTLE, code="oversize", attempted=False), count, Next.SPLIT
            )
        async with self._slots:
            held = None if probe else self._gate.held()
            if held is None:
                await self._allowance.take(count, self.waiting)
                # A wait may have been long: whoever holds the lane counts on all workers seeing it
                # within a second (app/connect/holding.py).
                held = None if probe else await self._gate.still_held()
            if held is not None:
                return _all(held, count)
            try:
                return await self._exchanged(messages, probe, half)
            except Exception as fault:
                return _all(self.unforeseen(fault), count)

    async def _exchanged(self, messages: Sequence[bytes], probe: bool, half: bool) -> Answer:
        token, pace = None, self._allowance.version
        try:
            token = await self._tokens.token() if self._tokens else None
            answer = await self._post(messages, token)
            if answer.next is Next.REFRESH and self._tokens and token:
                renewed = await self._tokens.renew(token)
                if renewed != token:
                    answer = await self._post(messages, renewed)
        except CredentialsRefused as fault:
            refused = failed(Failure.CREDENTIALS, code="ims_refused", message=str(fault))
            return await self._paused(_all(refused, len(messages)), Failure.CREDENTIALS)
        except TokenUnavailable as fault:
            away = failed(Failure.CREDENTIALS, code="ims_unavailable", retry_after=fault.retry_in)
            away = replace(away, held=True)
            self._gate.hold(away, fault.retry_in)
            return _all(away, len(messages))
        return await self._heeded(answer, pace, probe, half)

    async def _heeded(self, answer: Answer, pace: int, probe: bool, half: bool) -> Answer:
        """What an answer means for the lane as a whole."""
        first = answer.outcomes[0]
        if answer.next in (Next.REFRESH, Next.PAUSE):
            return await self._paused(answer, first.failure or Failure.BLOCKED)
        if first.failure is Failure.THROTTLE and answer.uniform:
            return await self._throttled(answer, pace)
        if _is_lane_fault(answer):
            return await self._failing(answer, probe, half)
        self._breaker.succeeded(self._clock())
        if any(outcome.verdict is Verdict.DELIVERED for outcome in answer.outcomes):
            self._envelope_proven, self.envelopes_refused = True, 0
            self._batches_proven = self._batches_proven or len(answer.outcomes) > 1
        elif (probe or not self._envelope_proven) and all(map(refuses_envelope, answer.outcomes)):
            return await self.misconfigured(answer.outcomes)
        return answer

    async def misconfigured(self, outcomes: Sequence[Outcome]) -> Answer:
        """The envelope is refused, so our configuration or Platform's is what is wrong."""
        blocked = replace(outcomes[0], verdict=Verdict.TRY_AGAIN, failure=Failure.BLOCKED)
        return await self._paused(_all(blocked, len(outcomes)), Failure.BLOCKED)

    async def _throttled(self, answer: Answer, pace: int) -> Answer:
        """Slower from here on; and not at all for as long as Platform asks, if it says so."""
        first = answer.outcomes[0]
        slower = await self._allowance.refused(pace)
        if first.retry_after:
            return await self._paused(answer, Failure.THROTTLE)
        if not slower:
            self._gate.hold(first, _THROTTLE_SECONDS)
        return answer

    async def _failing(self, answer: Answer, probe: bool, half: bool) -> Answer:
        """A fault of Platform's or of the way there: enough of them open the breaker."""
        if not half:
            self._places.failed()
        opens = self._breaker.failed(self._clock(), expected=half)
        if probe or opens or self._gate.held() is not None:
            self._breaker.reset()
            return await self._paused(answer, Failure.TRANSIENT)
        return answer

    async def _paused(self, answer: Answer, failure: Failure) -> Answer:
        """Holds the lane back; what was in the request waits with it, and is no try of its own."""
        outcome = await self._gate.pause(answer.outcomes[0], failure)
        return _all(outcome, len(answer.outcomes), Next.PAUSE)

    async def _post(self, messages: Sequence[bytes], token: str | None) -> Answer:
        self._busy += 1
        full = self._busy >= self._places.limit
        try:
            reply = await self._exchange.post(messages, token, batches_proven=self._batches_proven)
        finally:
            self._busy -= 1
        if reply.status:
            self._places.answered(reply.seconds, full=full)
        try:
            self._tell(reply)
        except Exception as fault:  # what Platform said stands, whatever became of the telling
            self.unforeseen(fault)
        return reply.answer

    def _tell(self, reply: Reply) -> None:
        """One log line and one observation per request. Never a payload or a personal value."""
        outcomes, first = reply.answer.outcomes, reply.answer.outcomes[0]
        if reply.answer.uniform:
            verdicts: Mapping[Verdict, int] = {first.verdict: len(outcomes)}
        else:
            verdicts = Counter(outcome.verdict for outcome in outcomes)
            first = next((o for o in outcomes if o.failure is not None), first)
        if self._watch is not None:
            self._watch.on_request(
                self._connection, reply.status, reply.size, reply.seconds, verdicts
            )
            self._watch.on_rate(self._connection, self._allowance.rate)
        self._log.info(
            "delivery.attempted",
            connection=self._connection,
            messages=len(outcomes),
            bytes=reply.size,
            status=reply.status,
            duration_ms=round(reply.seconds * 1000, 1),
            receipt=outcomes[0].receipt,
            next=reply.answer.next.value,
            **{verdict.value: number for verdict, number in verdicts.items()},
            **({"code": first.code, "problem": normalise(first.message)} if first.failure else {}),
        )

    def unforeseen(self, fault: Exception) -> Outcome:
        self._log.error("delivery.fault", connection=self._connection, fault=type(fault).__name__)
        return internal(type(fault).__name__)


def _is_lane_fault(answer: Answer) -> bool:
    """Whether all of the request failed for a reason that is not its own, as far as that shows.

    An inlet that takes no batches (`batch_refused`) has answered, and properly.
    """
    first = answer.outcomes[0]
    broken = first.failure in (Failure.TRANSIENT, Failure.UNKNOWN) and answer.uniform
    return broken and answer.next not in (Next.BISECT, Next.SPLIT) and first.code != "batch_refused"


def refuses_envelope(outcome: Outcome) -> bool:
    """Whether a message was refused for what Sluice makes alike for all."""
    return outcome.verdict is Verdict.REJECTED and is_envelope_fault(outcome.code)


def internal(code: str) -> Outcome:
    return failed(Failure.INTERNAL, code=code)


def _all(outcome: Outcome, count: int, then: Next = Next.SETTLE) -> Answer:
    return Answer((outcome,) * count, then)
