"""The moment and the ids: the same on every try."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from app.core.dataprep import compile_mapping_set
from app.core.dataprep.functions import FUNCTIONS_OF_EVENT
from app.core.dataprep.functions.special import now
from app.core.dataprep.values import Occasion, RowFault
from tests.core.dataprep.evaluate import row

RECEIVED = 1_571_850_624_571


def record(*expressions: str, source: dict[str, Any] | None = None) -> list[Any]:
    rows = [row(text, f"out{place}") for place, text in enumerate(expressions)]
    mapped = compile_mapping_set({"mappings": rows}).transform(source or {}, RECEIVED)
    return list(mapped.record.values())


def test_the_moment_is_that_at_which_the_event_was_received() -> None:
    assert record("now()", "timestamp()") == ["2019-10-23T17:10:24.571Z", RECEIVED]


def test_an_id_looks_like_a_random_one() -> None:
    for text in record("uuid()", "guid()"):
        assert (str(uuid.UUID(text)), uuid.UUID(text).version) == (text, 4)
        assert uuid.UUID(text).variant == uuid.RFC_4122


def test_ids_differ_by_call_and_event_and_not_by_try() -> None:
    calls = ("uuid()", "guid()", "concat('', uuid())")
    first, again = record(*calls, source={"a": 1}), record(*calls, source={"a": 1})
    other = record(*calls, source={"a": 2})

    assert first == again
    assert len({*first, *other}) == 6


def test_a_moment_beyond_the_calendar_is_a_fault() -> None:
    with pytest.raises(RowFault, match="a date outside the years 1 to 9999"):
        now(Occasion({}, 10**18))


def test_these_are_all() -> None:
    assert set(FUNCTIONS_OF_EVENT) == {"now", "timestamp", "uuid", "guid"}
