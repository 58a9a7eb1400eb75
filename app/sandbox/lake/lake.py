"""The data lake: micro-batches with what landed and what did not.

Memory: `keep_cuts` micro-batches of a few hundred bytes, `keep_lines` failed lines, and about
100 bytes for each id that did not land. What landed is only counted: its ids are those that were
received, less these.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final, Literal, get_args

from app.sandbox.config import Inlet
from app.sandbox.lake.calendar import Calendar, Span
from app.sandbox.lake.cut import Cut, Pile, Rows

# The last two: sent too soon after the flow was made or changed, or while it was disabled.
Why = Literal["refused", "row_error", "unpromoted", "vanished", "unsettled", "disabled"]
WHYS: Final[tuple[Why, ...]] = get_args(Why)
# Codes whose failures are row errors of a batch that otherwise succeeds (section 2.6).
_ROW_CODES: Final = ("MAPPER-", "INGEST-")
_UNREADABLE: Final = "INGEST-1401-400"


def is_row_error(code: str) -> bool:
    """Whether a failure with `code` stands in row_errors, not in a failed batch of its own."""
    return code.startswith(_ROW_CODES)


class Lake:
    """Micro-batches by flow and start, oldest first."""

    def __init__(self, calendar: Calendar, keep_cuts: int, keep_lines: int) -> None:
        self.calendar = calendar
        self.landed = 0
        self.dropped_cuts = 0
        self.dropped_lines = 0
        self.lines = 0
        self.cuts: dict[tuple[str, float], Cut] = {}
        self.lost: dict[Why, dict[str, Counter[str]]] = {}
        self.counts: Counter[Why] = Counter()
        self._keep_cuts = max(1, keep_cuts)
        self._keep_lines = max(0, keep_lines)
        self._open: dict[str, Cut] = {}
        self.clear()

    def clear(self) -> None:
        """Forget everything but the calendar."""
        self.landed = self.dropped_cuts = self.dropped_lines = self.lines = 0
        self.cuts.clear()
        self.counts.clear()
        self._open.clear()
        self.lost = {why: defaultdict(Counter) for why in WHYS}

    def land(self, inlet: Inlet, at: float, size: int) -> None:
        """A message reached the lake at `at` (Unix seconds)."""
        cut = self._cut(inlet, at)
        cut.landed += 1
        cut.size += size
        self.landed += 1

    def refuse(
        self, inlet: Inlet, at: float, size: int, record_id: str | None, code: str, line: bytes
    ) -> None:
        """Streaming validation refused a message; `line` is how a failed batch shows it."""
        cut = self._cut(inlet, at)
        self._pile_up(cut, cut.refused, size, code, line)
        self._lose("refused", inlet, record_id)

    def drop_row(
        self, inlet: Inlet, at: float, size: int, record_id: str | None, code: str, line: bytes
    ) -> None:
        """A message became no row: the mapper or the converter failed on it."""
        cut = self._cut(inlet, at)
        kind: Rows = "parsing_errors" if code == _UNREADABLE else "conversion_errors"
        self._pile_up(cut, cut.rows.setdefault(kind, Pile()), size, code, line)
        self._lose("row_error", inlet, record_id)

    def leave_out(self, inlet: Inlet, at: float, size: int, record_id: str | None) -> None:
        """A message was lost at promotion, as its run will say."""
        cut = self._cut(inlet, at)
        cut.unpromoted += 1
        cut.unpromoted_size += size
        self._lose("unpromoted", inlet, record_id)

    def vanish(self, inlet: Inlet, record_id: str | None, why: Why = "vanished") -> None:
        """A message is gone, and nothing will ever say so (section 7, point 1)."""
        self._lose(why, inlet, record_id)

    def close_hour(self, now: float) -> float:
        """End the hour of `now` for every flow; where it ended, in Unix seconds."""
        end = self.calendar.close(now)
        self._open.clear()
        for cut in self.cuts.values():
            if cut.hour.start <= end < cut.hour.end:
                cut.hour = Span(cut.hour.start, end)
                cut.span = Span(cut.span.start, min(cut.span.end, end))
        return end

    def not_landed(self, inlet_id: str, record_id: str) -> int:
        """How many copies of an id are known not to be in the lake."""
        return sum(
            self.lost[why][inlet_id][record_id]
            for why in WHYS
            if record_id in self.lost[why].get(inlet_id, ())
        )

    def losses(self) -> Iterator[tuple[Why, str, str, int]]:
        """(why, inlet id, record id, copies) of what did not land and had an id."""
        for why, inlets in self.lost.items():
            for inlet_id, ids in inlets.items():
                for record_id, copies in ids.items():
                    yield why, inlet_id, record_id, copies

    def _cut(self, inlet: Inlet, at: float) -> Cut:
        cut = self._open.get(inlet.flow_id)
        if cut is not None and cut.span.start <= at < cut.span.end:
            return cut
        span = self.calendar.batch(at)
        cut = self.cuts.get((inlet.flow_id, span.start))
        if cut is None:
            hour = self.calendar.hour(at)
            cut = Cut(inlet.flow_id, inlet.dataset_id, inlet.org_id, hour, span)
            self.cuts[inlet.flow_id, span.start] = cut
            self._bound_cuts(cut)
        self._open[inlet.flow_id] = cut
        return cut

    def _bound_cuts(self, newest: Cut) -> None:
        """The oldest hour goes whole: half a run would tell a wrong count."""
        while len(self.cuts) > self._keep_cuts:
            oldest = next(iter(self.cuts.values()))
            if oldest.flow_id == newest.flow_id and oldest.hour == newest.hour:
                return
            for key, cut in list(self.cuts.items()):
                if cut.flow_id == oldest.flow_id and cut.hour == oldest.hour:
                    self.lines -= cut.kept_lines
                    self.dropped_cuts += 1
                    del self.cuts[key]

    def _pile_up(self, cut: Cut, pile: Pile, size: int, code: str, line: bytes) -> None:
        pile.count += 1
        pile.size += size
        pile.by_code[code] += 1
        if self.lines >= self._keep_lines and not self._make_room(cut):
            self.dropped_lines += 1
            return
        pile.lines.append(line)
        self.lines += 1

    def _make_room(self, newest: Cut) -> bool:
        for cut in self.cuts.values():
            if cut is not newest and cut.kept_lines:
                dropped = cut.drop_lines()
                self.lines -= dropped
                self.dropped_lines += dropped
                return True
        return False

    def _lose(self, why: Why, inlet: Inlet, record_id: str | None) -> None:
        self.counts[why] += 1
        if record_id is not None:
            self.lost[why][inlet.id][record_id] += 1
