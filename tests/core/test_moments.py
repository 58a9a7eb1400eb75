"""Times as people write and read them."""

from __future__ import annotations

import pytest

from app.core.moments import hour_text, moment, moment_ms, span_ms, span_text


def test_times_are_utc() -> None:
    assert moment(1_700_000_000_999) == "2023-11-14 22:13:20"
    assert hour_text(472_222) == "2023-11-14 22:00"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (-5, "0 s"), (42.4, "42 s"), (200, "3 min 20 s"), (3600, "1 h"),
     (7500, "2 h 5 min"), (3 * 86_400 + 4 * 3600 + 59, "3 d 4 h"), (86_401, "1 d")],
)  # fmt: skip
def test_a_length_of_time_has_two_units(seconds: float, text: str) -> None:
    assert span_text(seconds) == text


@pytest.mark.parametrize(
    ("text", "ms"), [("90s", 90_000), (" 1.5h ", 5_400_000), ("2d", 172_800_000)]
)
def test_ages_are_read(text: str, ms: int) -> None:
    assert span_ms(text) == ms


@pytest.mark.parametrize("text", ["", "10", "m", "-1h", "1w", "1h30m", "\u0661h", "1e9h"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write 90s, 15m, 2h or 7d"):
        span_ms(text)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2026-01-31", 1_769_817_600_000),
        (" 2026-01-31 18:00 ", 1_769_882_400_000),
        ("2026-01-31T18:00:30Z", 1_769_882_430_000),
        ("2026-01-31T18:00:30.25+00:00", 1_769_882_430_250),
    ],
)
def test_a_time_is_read_as_utc(text: str, ms: int) -> None:
    assert moment_ms(text) == ms


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "2026-01-31T18:00+01:00", "18:00"])
def test_what_is_no_time_in_utc_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="no time in UTC"):
        moment_ms(text)
