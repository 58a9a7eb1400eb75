"""What became of one message: the value that every later step decides on.

Four verdicts, each with at most one failure class; the policy of each class is one table, here.
The words are those of design.md section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

MESSAGE_MAX_CHARS: Final = 500


class Verdict(Enum):
    DELIVERED = "delivered"  # Platform said so, for this very message
    TRY_AGAIN = "try_again"  # not taken, and not the event's fault
    REJECTED = "rejected"  # the event's own fault: a dead letter
    UNKNOWN = "unknown"  # sent, no readable answer: "maybe delivered", may be sent again

    @property
    def words(self) -> str:
        """As a person is told."""
        return _WORDS[self]


_WORDS: Final[Mapping[Verdict, str]] = {
    Verdict.DELIVERED: "delivered",
    Verdict.TRY_AGAIN: "not taken, to be tried again",
    Verdict.REJECTED: "refused",
    Verdict.UNKNOWN: "maybe delivered (no readable answer), to be sent again under the same _id",
}


class Failure(StrEnum):
    TRANSIENT = "transient"  # 5xx, network, time-out before anything was written
    THROTTLE = "throttle"  # 429, 503 with Retry-After, our own hold after one
    CREDENTIALS = "credentials"  # 401, 403 with a body, IMS failures, role missing
    BLOCKED = "blocked"  # 403 empty (address not allowed), wrong inlet, wrong envelope
    CONTRACT = "contract"  # 400: Platform refused this message
    TOO_LARGE = "too_large"  # 413 for a message alone
    UNKNOWN = "unknown"  # sent, no readable answer
    INTERNAL = "internal"  # a bug of ours
    EXPIRED = "expired"  # tried for too long
    UNREADABLE = "unreadable"  # a signed body that is no event
    MAPPING = "mapping"  # the mapping set could not make a required field
    SCHEMA = "schema"  # the record does not fit the schema
    REFUSED_LATER = "refused_later"  # taken by the inlet, and found wanting on the way to the lake


@dataclass(frozen=True, slots=True)
class Policy:
    """`kills`: makes a dead letter. `counts`: the event's number of attempts grows.

    `pause_seconds`: what the first pause lasts when the lane as a whole is held back for it; each
    failed probe doubles it, up to `longest_seconds`. `pauses`: one such failure is enough, and it
    is an alarm; else it takes several (app/core/lane/breaker.py), or Platform asks for it.
    """

    kills: bool = False
    pauses: bool = False
    counts: bool = True
    pause_seconds: float = 60.0
    longest_seconds: float = 600.0


POLICIES: Final[Mapping[Failure, Policy]] = {
    # An outage ends by itself: look soon, and never long after.
    Failure.TRANSIENT: Policy(pause_seconds=1.0, longest_seconds=30.0),
    # Lasts as long as Platform says; without a word of it the pace alone changes.
    Failure.THROTTLE: Policy(counts=False, pause_seconds=1.0, longest_seconds=0.0),
    # A person must mend these.
    Failure.CREDENTIALS: Policy(pauses=True, counts=False),
    Failure.BLOCKED: Policy(pauses=True, counts=False),
    Failure.CONTRACT: Policy(kills=True),
    Failure.TOO_LARGE: Policy(kills=True),
    Failure.UNKNOWN: Policy(),
    Failure.INTERNAL: Policy(),
    Failure.EXPIRED: Policy(kills=True),
    Failure.UNREADABLE: Policy(kills=True),
    Failure.MAPPING: Policy(kills=True),
    Failure.SCHEMA: Policy(kills=True),
    Failure.REFUSED_LATER: Policy(kills=True),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One message's outcome.

    `status`: HTTP status that decided it, 0 when there was none. `code`: a stable short name or
    Platform's own code. `message`: Platform's text as it said it, at most 500 characters; it may
    quote values of the event, so logs take `platform.normalise(message)`. `path`: the XDM path.
    `retry_after`: seconds that somebody asked us to wait. `receipt`: Platform's batchId or
    xactionId, by which Adobe Support traces (platform.md section 2.5). `attempted`: False when
    the lane was held and nothing was sent. `held`: the fault is the lane's, and the message goes on
    when the lane does.
    """

    verdict: Verdict
    failure: Failure | None = None
    status: int = 0
    code: str = ""
    message: str = ""
    path: str = ""
    retry_after: float | None = None
    receipt: str = ""
    attempted: bool = True
    held: bool = False

    @property
    def counts(self) -> bool:
        """Whether this was an attempt of the event: not when the fault was the lane's."""
        lanes = self.held or not self.attempted
        return not lanes and (self.failure is None or POLICIES[self.failure].counts)


def failed(
    failure: Failure,
    *,
    status: int = 0,
    code: str = "",
    message: str = "",
    path: str = "",
    retry_after: float | None = None,
    receipt: str = "",
    attempted: bool = True,
) -> Outcome:
    """The outcome of a failure, with the verdict that its policy asks for."""
    if failure is Failure.UNKNOWN:
        verdict = Verdict.UNKNOWN
    else:
        verdict = Verdict.REJECTED if POLICIES[failure].kills else Verdict.TRY_AGAIN
    text = message[:MESSAGE_MAX_CHARS]
    return Outcome(verdict, failure, status, code, text, path, retry_after, receipt, attempted)
