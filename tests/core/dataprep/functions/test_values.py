"""How values are read as other kinds (platform.md section 4.4), and what a record can hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from app.core.dataprep.values import (
    MAX_DEPTH,
    Occasion,
    RowFault,
    as_integer,
    as_number,
    as_text,
    clean,
    kind_of,
    show_date,
    truthy,
)


# The numbers are what Java's Double.toString writes (JDK 25).
@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1.0"), (0.1, "0.1"), (-0.0, "-0.0"), (0.001, "0.001"), (0.0001, "1.0E-4"),
        (9999999.0, "9999999.0"), (1e7, "1.0E7"), (12345678.9, "1.23456789E7"), (1e21, "1.0E21"),
        (-1.5e-7, "-1.5E-7"), (float("inf"), "Infinity"), (float("-inf"), "-Infinity"),
        (float("nan"), "NaN"), (2**53, "9007199254740992"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_java_writes_them(number: Any, text: str) -> None:
    assert as_text(number) == text


def test_texts_of_other_kinds() -> None:
    assert [as_text(v) for v in (None, True, False, "a")] == ["", "true", "false", "a"]
    assert as_text({"b": [1, None], "a": datetime(2019, 10, 23, tzinfo=UTC)}) == (
        '{"a":"2019-10-23T00:00:00Z","b":[1,null]}'
    )


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (10**5000, "a number with too many digits"),
        ([2**64], "an array that JSON cannot hold"),
        ({"a": {1, 2}}, "an object that JSON cannot hold"),
        ([["x" * 1000] * 1000] * 2, "a text over 1000000 characters"),
        ([{"x" * 1000: [1] * 10}] * 1000, "a text over 1000000 characters"),
        (["\\" * 600_000], "a text over 1000000 characters"),
    ],
    ids=["long", "wide", "set", "array", "names", "escapes"],
)
def test_what_has_no_text_is_a_fault(value: Any, detail: str) -> None:
    with pytest.raises(RowFault) as fault:
        as_text(value)

    assert str(fault.value) == detail


@pytest.mark.parametrize("text", ["", "x", "1_000", "Infinity", "nan", "1e999", "٣", "9" * 500])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(RowFault, match="a string that is no number"):
        as_number(text)


def test_numbers_in_texts() -> None:
    assert [as_number(t) for t in ("5", " -1.5e3 ", ".5", "007")] == [5, -1500.0, 0.5, 7]
    assert [as_integer(v) for v in ("1.9", -1.9, 7)] == [1, -1, 7]
    with pytest.raises(RowFault, match="a number that is not finite"):
        as_integer(float("inf"))
    with pytest.raises(RowFault, match="a boolean where a number is needed"):
        as_number(True)


@pytest.mark.parametrize("value", [None, False, 0, 0.0, float("nan"), "", "no", "OFF", [], {}])
def test_what_is_not_true(value: Any) -> None:
    assert not truthy(value)


@pytest.mark.parametrize("value", [True, 1, -0.5, "x", "yes", "0", [None], {"a": None}])
def test_what_is_true(value: Any) -> None:
    assert truthy(value)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2019, 10, 23, 11, 24, tzinfo=UTC), "2019-10-23T11:24:00Z"),
        (datetime(2019, 10, 23, 11, 24, 0, 797000, UTC), "2019-10-23T11:24:00.797Z"),
        (datetime(2019, 10, 23, 11, 24, 0, 1, UTC), "2019-10-23T11:24:00.000001Z"),
        (
            datetime(2019, 10, 23, 11, tzinfo=timezone(timedelta(hours=-7))),
            "2019-10-23T11:00:00-07:00",
        ),
        # RFC 3339 has no seconds in an offset.
        (
            datetime(1890, 1, 1, tzinfo=timezone(timedelta(minutes=53, seconds=28))),
            "1889-12-31T23:06:32Z",
        ),
    ],
)
def test_a_date_is_shown_with_its_own_offset(moment: datetime, text: str) -> None:
    assert show_date(moment) == text


def test_a_date_that_has_no_utc_is_a_fault() -> None:
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1, seconds=1)))

    with pytest.raises(RowFault, match="a date outside the years 1 to 9999"):
        show_date(first)


def test_a_record_holds_no_nulls_and_no_empties() -> None:
    value = {"a": None, "b": "", "c": [None, "", [], {}, {"x": ""}], "d": 0, "e": False}

    assert clean(value) == {"d": 0, "e": False}
    assert clean({"a": [""]}) is None


def test_a_record_is_not_too_deep() -> None:
    value: Any = 1
    for _ in range(MAX_DEPTH):
        value = {"a": value}

    assert clean(value) == value
    with pytest.raises(RowFault, match="nested deeper than 100 levels"):
        clean([value])


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (2**53 + 1, "an integer beyond 2^53, which XDM cannot hold"),
        (float("nan"), "a number that is not finite, which JSON cannot hold"),
        (b"", "a value of another kind cannot be written to a record"),
    ],
)
def test_what_a_record_cannot_hold(value: Any, detail: str) -> None:
    with pytest.raises(RowFault) as fault:
        clean({"a": [value]})

    assert str(fault.value) == detail


def test_kinds_have_a_person_s_words() -> None:
    kinds = [{}, [], "", True, 1, 1.5, None, datetime(2020, 1, 1), b""]

    assert [kind_of(kind) for kind in kinds] == [
        "an object", "an array", "a string", "a boolean", "a number", "a number", "null", "a date",
        "a value of another kind",
    ]  # fmt: skip


def test_an_occasion_is_the_event_and_its_moment() -> None:
    one = Occasion({"a": 1, "b": 2}, 7)

    assert one.seed() == one.seed() == Occasion({"b": 2, "a": 1}, 7).seed()
    assert one.seed() != Occasion({"a": 1, "b": 2}, 8).seed()
    assert one.seed() != Occasion({"a": 1, "b": 3}, 7).seed()
    assert [one.number(), one.number()] == [1, 2]
