"""What is kept of an event that needs a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.core.batch import AttemptRun, pack, unpack
from app.core.errors import UnreadableFrame


@dataclass(frozen=True, slots=True)
class DeadLetterSummary:
    """What lists and filters show. Times in Unix ms; `failure` is the class, `stage` where it died.

    `code`, `path`, `detail` and `row` say what was wrong, where, and which mapping row made it;
    `mapping` is the label of the mapping set's version that was at work, "" when none was (raw
    mode, an event that died before it was mapped, a letter of a release before versions).
    `replays`: how often it had been replayed when it died; `run`: the replay run that put it on the
    queue last, 0 when none did.
    """

    number: int
    connection: str
    hour: int
    stage: str
    failure: str
    code: str
    path: str
    detail: str
    row: str
    kind: str
    event_id: str
    received_ms: int
    dead_ms: int
    mapping: str = ""
    replays: int = 0
    run: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The summary and everything needed to understand and replay the event."""

    summary: DeadLetterSummary
    body: bytes
    record: bytes | None
    history: tuple[AttemptRun, ...]


# In the order in which they lie in Redis. New ones come last: a reader takes those it knows, and
# does without those that an older release did not write.
_SUMMARY_FIELDS: Final = (
    "connection", "hour", "stage", "failure", "code", "path", "detail", "row",
    "kind", "event_id", "received_ms", "dead_ms", "mapping",
    "replays", "run",
)  # fmt: skip
_ALWAYS_THERE: Final = _SUMMARY_FIELDS.index("dead_ms") + 1


def encode_letter(letter: DeadLetter) -> tuple[bytes, bytes]:
    """(payload, summary) as they lie in Redis. The number is the key there, so it is in neither."""
    summary = [getattr(letter.summary, name) for name in _SUMMARY_FIELDS]
    return pack([letter.body, letter.record, letter.history]), pack(summary)


def decode_summary(number: int, packed: bytes) -> DeadLetterSummary:
    """Raises UnreadableFrame."""
    values = unpack(packed)
    if len(values) < _ALWAYS_THERE:
        raise UnreadableFrame(f"damaged summary: {len(values)} fields")
    return DeadLetterSummary(number, **dict(zip(_SUMMARY_FIELDS, values, strict=False)))


def decode_letter(number: int, payload: bytes, summary: bytes) -> DeadLetter:
    """Raises UnreadableFrame."""
    body, record, history = unpack(payload)
    runs = tuple(AttemptRun(*run) for run in history)
    return DeadLetter(decode_summary(number, summary), body, record, runs)
