"""Which dead letters are meant."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.dead_letter import Cause, DeadLetterSummary


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters. None = any; times in Unix ms.

    `mapping`: a label (`customerio-default@3+a1b2c3d4`) or the beginning of one that says a set or
    a version of it (`customerio-default`, `customerio-default@3`); "" = made without a mapping set.
    `person`: an id, address or cio_id. `text`: part of the error: code, path, row or message, as
    they are kept of the cause. A summary tells neither, so `wants` lets all through. `run`: died
    again in this replay run.
    """

    connection: str | None = None
    failure: str | None = None
    kind: str | None = None
    event_id: str | None = None
    code: str | None = None
    mapping: str | None = None
    died_after_ms: int | None = None
    died_before_ms: int | None = None
    fingerprint: str | None = None
    campaign: str | None = None
    person: str | None = None
    text: str | None = None
    run: int | None = None

    def wants(self, letter: DeadLetterSummary) -> bool:
        return wants_label(self.mapping, letter.mapping) and all(
            wanted is None or wanted == found
            for wanted, found in (
                (self.failure, letter.failure),
                (self.kind, letter.kind),
                (self.event_id, letter.event_id),
                (self.code, letter.code),
                (self.fingerprint, letter.fingerprint),
                (self.campaign, letter.campaign),
                (self.run, letter.run),
            )
        )

    def wants_cause(self, cause: Cause) -> bool:
        """Whether letters of a cause may be meant."""
        if self.code not in (None, cause.code) or self.failure not in (None, cause.failure):
            return False
        said = (cause.code, cause.path, cause.detail, cause.row)
        return self.text is None or any(self.text.lower() in part.lower() for part in said)

    def terms(self) -> list[str]:
        """The index terms (scripts/parts/dead_terms.lua) of all letters that are meant."""
        whole_label = self.mapping is not None and ("+" in self.mapping or not self.mapping)
        found = (
            ("n", self.connection),
            ("c", self.failure),
            ("f", self.fingerprint),
            ("k", self.kind),
            ("g", self.campaign),
            ("v", self.mapping if whole_label else None),
            ("r", self.run),
        )
        return [f"{letter}:{value}" for letter, value in found if value is not None]


def wants_label(wanted: str | None, label: str) -> bool:
    """Whether a mapping set's version is meant (Filter.mapping)."""
    return wanted in (None, label) or bool(
        wanted and label.startswith((f"{wanted}@", f"{wanted}+"))
    )
