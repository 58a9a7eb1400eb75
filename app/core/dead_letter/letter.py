"""The dead letter and its summary, as everybody else sees them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from app.core.batch import AttemptRun
from app.core.dead_letter.edit import Edit, edited


@dataclass(frozen=True, slots=True)
class DeadLetterSummary:
    """What lists and filters show. Times in Unix ms; `failure` is the class, `stage` where it died.

    `code`, `path`, `detail` and `row` say what was wrong, where, and which mapping row made it;
    `mapping` is the label of the mapping set's version that was at work, "" when none was (raw
    mode, an event that died before it was mapped, a letter of a release before versions).
    `campaign` ("newsletter:27", about.py) and `fingerprint` (16 hex digits, cause.py) follow from
    the rest: the codec puts them in. `replays`: how often the event had been replayed when it died;
    `run`: the replay run that put it on the queue last, 0 when none did.
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
    campaign: str = field(default="", compare=False)
    fingerprint: str = field(default="", compare=False)
    replays: int = 0
    run: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The summary and everything needed to understand and replay the event.

    `missing`: why body, record and history are empty: the file that they were spilled to, and what
    is wrong with it. Such a letter cannot be replayed. `edit`: what is to be sent in place of the
    body, as a patch; the body stays.
    """

    summary: DeadLetterSummary
    body: bytes
    record: bytes | None
    history: tuple[AttemptRun, ...]
    missing: str = ""
    edit: Edit | None = None

    @property
    def ready(self) -> bool:
        """Whether its XDM record is all that is left of the event, and is sent as it is: Platform
        refused it later (EventBatch.ready)."""
        return not self.body and self.record is not None

    @property
    def original(self) -> bytes:
        """The body, or the record where that is all that is left."""
        return self.record if not self.body and self.record is not None else self.body

    def sending(self, content: bytes) -> DeadLetter:
        """The letter that sends this in place of its body, or of its record where that is all that
        is left."""
        if self.ready:
            return replace(self, record=content, edit=None)
        return replace(self, body=content, edit=None)

    @property
    def outgoing(self) -> bytes:
        """What a replay puts on the queue. Raises PatchInvalid, which no edit does that was taken
        in."""
        return self.original if self.edit is None else edited(self.original, self.edit.patch)
