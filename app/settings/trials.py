"""What would become of dead letters with the mapping sets and schemas on disk. Sends nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from app.core.dead_letter import DeadLetter
from app.core.errors import ConfigError, EventFault
from app.core.event import parse_event
from app.core.preview import Preview, checked, preview
from app.core.trial import Side
from app.settings.mapping_files import check_files
from app.settings.mapping_sets import Configuration, find


@dataclass(slots=True)
class Trial:
    """How many of the letters tried would pass; why the others would not."""

    tried: int = 0
    passing: int = 0
    why: Counter[str] = field(default_factory=Counter)

    def note(self, why: str) -> None:
        """One more: why it would not pass, "" when it would."""
        self.tried += 1
        if why:
            self.why[why] += 1
        else:
            self.passing += 1

    def document(self) -> dict[str, Any]:
        return {
            "tried": self.tried,
            "would_pass": self.passing,
            "why": dict(self.why.most_common()),
        }


class Trials:
    """What each connection would say to a letter. Its files are read once for each."""

    def __init__(self, known: Configuration, tell: Callable[[str], None] = lambda _: None) -> None:
        self._known = known
        self._tell = tell
        self._sides: dict[str, Side | str | None] = {}

    def preview(self, letter: DeadLetter, now: float) -> Preview | str | None:
        """The record that a replay would send, and all that is wrong with it; otherwise as `side`.

        A body must be a JSON object. `now`: Unix seconds.
        """
        side = self.side(letter.summary.connection)
        if not isinstance(side, Side):
            return side
        document = orjson.loads(letter.outgoing)
        if letter.ready:  # it is the record, and sent as it is
            return checked(side.schema, document, now)
        return preview(side.mapping, side.schema, document, letter.summary.received_ms, now)

    def why_not(self, letter: DeadLetter, now: float) -> str:
        """Why it would not pass; "" when it would. `now`: Unix seconds."""
        side = self.side(letter.summary.connection)
        if isinstance(side, str):
            return side
        if side is not None and letter.ready:
            errors = checked(side.schema, orjson.loads(letter.outgoing), now).errors or ()
            return errors[0].exception if errors else ""
        if side is not None:
            return side.outcome(letter.outgoing, letter.summary.received_ms, now).why
        try:
            parse_event(letter.outgoing)
        except EventFault as fault:
            return f"{fault.stage} {fault.code}"
        return ""

    def side(self, connection: str) -> Side | str | None:
        """Its mapping and schema; None: the dataflow maps; a text: why that cannot be said."""
        if connection not in self._sides:
            self._sides[connection] = self._find(connection)
        return self._sides[connection]

    def _find(self, name: str) -> Side | str | None:
        try:
            connection = self._known.connection(name)
            if connection.platform.mode == "raw":
                return None
            found = find(
                connection.mapping_set, connection, configuration=self._known, tell=self._tell
            )
        except ConfigError as error:
            return f"{name} cannot be tried: {error.faults[0]}"
        # Whatever its examples say.
        report = check_files(replace(found.files, examples=None), found.variables)
        if report.mapping_set is None:
            return f"{name} cannot be tried: {found.path.name}: {report.problems[0]}"
        return Side(report.mapping_set, report.schema)
