"""Date functions: the page's examples, Java's patterns both ways, zones and clock changes."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.dataprep.functions.dates import DEFAULT_PATTERNS, formatter
from tests.core.dataprep.evaluate import value, warning

DOCUMENTED: list[tuple[str, Any]] = [
    # The page answers 11:24:35; its input has no seconds.
    ('format("2019-10-23T11:24:00+00:00", "yyyy-MM-dd HH:mm:ss")', "2019-10-23 11:24:00"),
    ("dformat(1571829875000, \"yyyy-MM-dd'T'HH:mm:ss.SSSX\")", "2019-10-23T11:24:35.000Z"),
    ('date("2019-10-23 11:24", "yyyy-MM-dd HH:mm", now())', "2019-10-23T11:24:00Z"),
    ('date("2019-10-23 11:24", "yyyy-MM-dd HH:mm")', "2019-10-23T11:24:00Z"),
    ('date("2019-10-23 11:24")', "2019-10-23T11:24:00Z"),
    ('date_part("MM", date("2019-10-17 11:55:12"))', 10),
    # The page loses the fraction; nothing asked for that.
    ('set_date_part("m", 4, date("2016-11-09T11:44:44.797"))', "2016-04-09T11:44:44.797Z"),
    # The page shows a Z: 11:55:12 in Los Angeles is not 11:55:12 UTC. 999 nanoseconds are cut off.
    (
        'make_date_time(2019, 10, 17, 11, 55, 12, 999, "America/Los_Angeles")',
        "2019-10-17T11:55:12-07:00",
    ),
    # The page's example, its quotes and its last bracket added.
    ('zone_date_to_utc("2019-10-17T11:55:12 PST")', "2019-10-17T19:55:12Z"),
    # The page's is of now(), and its Z is wrong again: 13:43:59 UTC is meant.
    (
        'zone_date_to_zone("2021-10-26T13:43:59Z", "Europe/Paris")',
        "2021-10-26T15:43:59+02:00",
    ),
    # data-handling.md: read as MMddyyyy.
    ('date("12112020")', "2020-12-11T00:00:00Z"),
    ('date("2024-05-05 20:39:00.005-0800")', "2024-05-05T20:39:00.005-08:00"),
]

JUDGED: list[tuple[str, Any]] = [
    ("dformat(1571829875000, 'dd-MMM-yyyy hh:mm')", "23-Oct-2019 11:24"),
    ("dformat('1571829875000', concat('yyyy', ''))", "2019"),
    ("dformat(-1, 'yyyy')", "1969"),
    ("dformat(missing, 'yyyy')", None),
    ("dformat(1, missing)", None),
    ("format(date('2019-10-23'), 'yyyy.MM.dd')", "2019.10.23"),
    ("format(missing, 'yyyy')", None),
    ("format('2019-10-23', missing)", None),
    ("date(missing)", None),
    ("date('')", None),
    ("date(20191023)", "2019-10-23T00:00:00Z"),
    ("date('nope', 'yyyy', date('2000-01-01'))", "2000-01-01T00:00:00Z"),
    ("date(missing, 'yyyy', '2000-01-01')", "2000-01-01T00:00:00Z"),
    ("date('2019', 'yyyy', missing)", "2019-01-01T00:00:00Z"),
    ("date(date('2000-01-01'))", "2000-01-01T00:00:00Z"),
    ("zone_date_to_utc(date('2019-10-23 11:24:35+0200'))", "2019-10-23T09:24:35Z"),
    ("format(zone_date_to_zone('2019-10-23', 'Europe/Berlin'), 'HH:mm XXX')", "02:00 +02:00"),
    ("coalesce(zone_date_to_utc(missing), zone_date_to_zone(missing, 'UTC'))", None),
    ("zone_date_to_zone('2019-10-23', missing)", None),
    ("make_date_time(2019, 10, 17, 11, 55, 12, 999000000, 'UTC')", "2019-10-17T11:55:12.999Z"),
    ("make_timestamp(2020, 2, 29, 0, 0, 0, 0, '+05:30')", "2020-02-29T00:00:00+05:30"),
    ("make_date_time(2019, missing, 17, 11, 55, 12, 0, 'UTC')", None),
    ("coalesce(date_part('dd', missing), set_date_part('m', 4, missing))", None),
]


@pytest.mark.parametrize(("expression", "result"), DOCUMENTED + JUDGED)
def test_a_date_function_answers(expression: str, result: Any) -> None:
    assert value(expression) == result


@pytest.mark.parametrize(
    ("expression", "detail"),
    [
        # data-handling.md says that this pattern reads "December 31st, 2020"; no pattern does.
        ("date('December 31st, 2020', 'yyyy-MM-dd')", "the text is no date of the pattern"),
        ("date('today')", "the text is no date of the pattern"),
        ("date_part('dd', 'today')", "the text is no date of the pattern"),
        ("dformat(99999999999999999999, 'yyyy')", "a date outside the years 1 to 9999"),
        ('dformat(1, "yyyy\'")', "a quote of the date pattern is not closed"),
        ("dformat(1, 'yyyy R')", "the letter R of the date pattern is not known here"),
        ("dformat(1, '{')", "the { of the date pattern must stand in quotes"),
        ("dformat(1, '[yyyy')", "the date pattern has a [ without its ]"),
        ("dformat(1, 'yyyy]')", "the date pattern has a ] without its ["),
        ("dformat(1, rpad('', 200, 'y'))", "a date pattern over 100 characters"),
        ("zone_date_to_zone('2019-10-23', 'Mars/Base')", "no such time zone"),
        ("zone_date_to_zone('2019-10-23', '../x y')", "no such time zone"),
        ("zone_date_to_zone('2019-10-23', '+19:00')", "an offset of over 18 hours"),
        ("zone_date_to_zone('0001-01-01', '-08:00')", "a date outside the years 1 to 9999"),
        ("make_date_time(2019, 13, 1, 0, 0, 0, 0, 'UTC')", "the parts make no date"),
        ("make_date_time(2019, 1, 1, 0, 0, 0, -1, 'UTC')", "the parts make no date"),
        ("date_part('era', '2019-10-23')", "no such part of a date"),
        ("set_date_part('week', 4, '2016-11-09')", "no such part of a date"),
        ("set_date_part('m', 14, '2016-11-09')", "the parts make no date"),
        ("set_date_part('d', 30, '2016-02-09')", "the parts make no date"),
        ("set_date_part('yy', 1e300, '2016-02-09')", "the parts make no date"),
        ("format(5, 'yyyy')", "a number where a date is needed"),
    ],
)
def test_a_date_function_says_what_it_cannot_do(expression: str, detail: str) -> None:
    assert warning(expression) == detail


# One text for each default pattern, in their order (platform.md section 4.4).
@pytest.mark.parametrize(
    ("pattern", "text", "result"),
    [*zip(
        DEFAULT_PATTERNS,
        [
            "2019-10-03 11:24:35+0200", "2019-10-03 11:24:35.007+0200", "2019-10-03 11:24:35.007",
            "2019-10-03T11:24:35.007+02", "2019-10-03T11:24:35Z", "2019-10-03", "2019/10/03",
            "2019.10.03", "2019-Oct-03", "20191003", "10-03-2019", "10032019", "10/03/2019",
            "03.10.2019", "10/03/2019 03:24:35 PM", "03.10.2019 03:24:35 PM", "03.Oct.2019",
            "03-Oct-2019",
        ],
        [
            "2019-10-03T11:24:35+02:00", "2019-10-03T11:24:35.007+02:00",
            "2019-10-03T11:24:35.007Z", "2019-10-03T11:24:35.007+02:00", "2019-10-03T11:24:35Z",
            *["2019-10-03T00:00:00Z"] * 9, *["2019-10-03T15:24:35Z"] * 2,
            *["2019-10-03T00:00:00Z"] * 2,
        ],
        strict=True,
    )],
)  # fmt: skip
def test_the_default_patterns_are_read(pattern: str, text: str, result: str) -> None:
    assert value("date(t)", {"t": text}) == result
    assert value("date(t, p)", {"t": text, "p": pattern}) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("2019-10-23T11:24:35.123456789+02:00", "2019-10-23T11:24:35.123456+02:00"),
        ("2019-10-23 11:24:35 America/New_York", "2019-10-23T11:24:35-04:00"),
        ("2019-10-23T11:24 Pacific Daylight Time", "2019-10-23T11:24:00-07:00"),
        ("2019-10-23T11:24:35 GMT+8", "2019-10-23T11:24:35+08:00"),
        ("2019-10-23T11:24:35 CET", "2019-10-23T11:24:35+01:00"),
        (" 2019-10-23t11:24:35z ", "2019-10-23T11:24:35Z"),
    ],
)
def test_what_comes_near_rfc_3339_is_read_too(text: str, result: str) -> None:
    assert value("date(t)", {"t": text}) == result


@pytest.mark.parametrize(
    "text",
    ["2021-02-30", "2021-13-01", "2021-02-03T25:00:00Z", "2021-02-03 10:00:00 XYZ", "x" * 200,
     "2021-02-03T10:00:00+19:00", "31.11.2021", "٢٠٢١-02-03"],
)  # fmt: skip
def test_what_never_was_is_no_date(text: str) -> None:
    assert warning("date(t)", {"t": text}) == "the text is no date of the pattern"


PARTS = {
    "year yyyy yy": 2019, "quarter qq q": 4, "month mm m": 10, "dayofyear dy y": 290,
    "day dd d": 17, "week ww w": 42, "weekday dw": 4, "hour hh hh24": 13, "hh12": 1,
    "minute mi n": 10, "second ss s": 11, "millisecond SSS": 42,
}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "number"),
    [(part, number) for names, number in PARTS.items() for part in names.split()],
)
def test_every_part_has_its_names(part: str, number: int) -> None:
    for name in (part, part.upper()):
        assert value("date_part(p, '2019-10-17 13:10:11.042')", {"p": name}) == number


def test_twelve_o_clock_in_twelve_hours() -> None:
    assert value("date_part('hh12', '2019-10-17 00:10:11Z')") == 12


# Checked against java.time (JDK 25), as are the tables below.
@pytest.mark.parametrize(
    ("part", "number", "date", "result"),
    [
        ("mm", 2, "2021-01-31", "2021-02-28T00:00:00Z"),
        ("year", 2021, "2020-02-29", "2021-02-28T00:00:00Z"),
        ("dd", 1, "2020-02-29", "2020-02-01T00:00:00Z"),
        ("hh", 0, "2020-02-29T23:59:58", "2020-02-29T00:59:58Z"),
        ("mi", 0, "2020-02-29T23:59:58", "2020-02-29T23:00:58Z"),
        ("ss", 0, "2020-02-29T23:59:58", "2020-02-29T23:59:00Z"),
        # Into the gap, and into the overlap from either side of it.
        ("hh", 2, "2021-03-28T12:30:00 Europe/Berlin", "2021-03-28T03:30:00+02:00"),
        ("dd", 31, "2021-10-30T02:30:00 Europe/Berlin", "2021-10-31T02:30:00+02:00"),
        ("mm", 10, "2021-12-31T02:30:00 Europe/Berlin", "2021-10-31T02:30:00+01:00"),
    ],
)
def test_a_part_is_set_as_by_java(part: str, number: int, date: str, result: str) -> None:
    source = {"p": part, "n": number, "d": date}

    assert value("set_date_part(p, n, d)", source) == result


@pytest.mark.parametrize(
    ("local", "zone", "result"),
    [
        ("2021, 3, 28, 2, 30", "Europe/Berlin", "2021-03-28T03:30:00+02:00"),
        ("2021, 10, 31, 2, 30", "Europe/Berlin", "2021-10-31T02:30:00+02:00"),
        ("2021, 3, 14, 2, 30", "America/New_York", "2021-03-14T03:30:00-04:00"),
        ("2021, 10, 3, 2, 15", "Australia/Lord_Howe", "2021-10-03T02:45:00+11:00"),
        ("2021, 7, 1, 0, 0", "PST", "2021-07-01T00:00:00-08:00"),
        ("2021, 7, 1, 0, 0", "CET", "2021-07-01T00:00:00+02:00"),
        ("2021, 7, 1, 0, 0", "GMT+8", "2021-07-01T00:00:00+08:00"),
        ("2021, 7, 1, 0, 0", "-0330", "2021-07-01T00:00:00-03:30"),
        ("2021, 7, 1, 0, 0", "Z", "2021-07-01T00:00:00Z"),
    ],
)
def test_clock_changes_are_java_s(local: str, zone: str, result: str) -> None:
    assert value(f"make_date_time({local}, 0, 0, '{zone}')") == result


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2021-02-03T16:05:06.007Z"),
        ("G GGGG GGGGG", "AD Anno Domini A"),
        ("y yy yyy yyyyy uuuu", "2021 21 2021 02021 2021"),
        ("YYYY YY w ww W", "2021 21 5 05 1"),
        ("M MM MMM MMMM MMMMM L LLL", "2 02 Feb February F 2 Feb"),
        ("D DDD d dd F", "34 034 3 03 1"),
        ("E EEEE EEEEE u uu e eee c", "Wed Wednesday W 3 03 4 Wed 4"),
        ("a h hh K KK H k m mm s ss", "PM 4 04 4 04 16 16 5 05 6 06"),
        ("S SSS SSSSSSSSSS n A N", "0 007 0070000000 7000000 57906007 57906007000000"),
        ("Q QQ QQQ QQQQ QQQQQ q qqqq", "1 01 Q1 1st quarter 1 1 1st quarter"),
        ("X XX XXX x xx xxx Z ZZZZ ZZZZZ", "Z Z Z +00 +0000 +00:00 +0000 GMT Z"),
        ("z zzzz O OOOO VV", "UTC Coordinated Universal Time GMT GMT UTC"),
        ("'o''clock' '' ['opt'MM]", "o'clock ' opt02"),
    ],
)
def test_java_date_patterns_write(pattern: str, text: str) -> None:
    assert value("dformat(1612368306007, p)", {"p": pattern}) == text


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Asia/Kolkata", "+0530 +0530 +05:30 +0530 GMT+05:30 +05:30 IST GMT+5:30 Asia/Kolkata"),
        (
            "America/New_York",
            "-05 -0500 -05:00 -0500 GMT-05:00 -05:00 EST GMT-5 America/New_York",
        ),
        ("+08:00", "+08 +0800 +08:00 +0800 GMT+08:00 +08:00 GMT+08:00 GMT+8 +08:00"),
        ("PDT", "-07 -0700 -07:00 -0700 GMT-07:00 -07:00 PDT GMT-7 PDT"),
    ],
)
def test_java_offsets_write(zone: str, text: str) -> None:
    moment = f"zone_date_to_zone(date('2021-02-03'), '{zone}')"

    assert value(f"format({moment}, 'X XX XXX Z ZZZZ ZZZZZ z O VV')") == text


def test_whole_names_of_zones_write() -> None:
    write = "format(zone_date_to_zone('{}', 'America/Los_Angeles'), 'zzzz OOOO')"

    assert value(write.format("2021-02-03")) == "Pacific Standard Time GMT-08:00"
    assert value(write.format("2021-07-03")) == "Pacific Daylight Time GMT-07:00"


# ISO weeks, as java.time has them where weeks begin on Monday.
@pytest.mark.parametrize(
    ("date", "text"),
    [
        ("2021-01-03", "2020 53 0"), ("2021-01-04", "2021 01 1"), ("2019-12-30", "2020 01 5"),
        ("2020-05-31", "2020 22 4"), ("2021-08-01", "2021 30 0"),
    ],
)  # fmt: skip
def test_weeks_are_those_of_iso(date: str, text: str) -> None:
    assert value("format(d, 'YYYY ww W')", {"d": date}) == text


@pytest.mark.parametrize(
    ("text", "pattern", "result"),
    [
        ("2021-02-03 04:05:06 PM", "yyyy-MM-dd hh:mm:ss a", "2021-02-03T16:05:06Z"),
        ("2021-02-03 12:05 am", "yyyy-MM-dd hh:mm a", "2021-02-03T00:05:00Z"),
        ("2021-02-03 12:05", "yyyy-MM-dd hh:mm", "2021-02-03T00:05:00Z"),
        ("2021-02-03 11 PM", "yyyy-MM-dd K a", "2021-02-03T23:00:00Z"),
        ("2021-02-03 24", "yyyy-MM-dd kk", "2021-02-03T00:00:00Z"),
        ("Wednesday 3 February 2021", "EEEE d MMMM yyyy", "2021-02-03T00:00:00Z"),
        ("wed, 3 feb 2021 AD", "E, d LLL yyyy G", "2021-02-03T00:00:00Z"),
        (
            "2021-02-03T04:05:06.5-02:30",
            "yyyy-MM-dd'T'HH:mm:ss.SX",
            "2021-02-03T04:05:06.500-02:30",
        ),
        ("10/23/19", "MM/dd/yy", "2019-10-23T00:00:00Z"),
        ("2021034", "yyyyDDD", "2021-02-03T00:00:00Z"),
        ("2020 60", "yyyy DD", "2020-02-29T00:00:00Z"),
        ("2020 366", "yyyy D", "2020-12-31T00:00:00Z"),
        ("2021-W05-3", "YYYY-'W'ww-u", "2021-02-03T00:00:00Z"),
        ("2021 5", "YYYY w", "2021-02-01T00:00:00Z"),
        ("Q3 2021", "QQQ yyyy", "2021-07-01T00:00:00Z"),
        ("3rd quarter 2021", "qqqq uuuu", "2021-07-01T00:00:00Z"),
        ("2021-02-03 57906007", "yyyy-MM-dd A", "2021-02-03T16:05:06.007Z"),
        ("2021-02-03 57906007000000", "yyyy-MM-dd N", "2021-02-03T16:05:06.007Z"),
        ("2021-02-03 7000000", "yyyy-MM-dd n", "2021-02-03T00:00:00.007Z"),
        ("2021-02-03 PST", "yyyy-MM-dd z", "2021-02-03T00:00:00-08:00"),
        ("2021-02-03 Pacific Standard Time", "yyyy-MM-dd zzzz", "2021-02-03T00:00:00-08:00"),
        ("2021-02-03 Europe/Berlin", "yyyy-MM-dd VV", "2021-02-03T00:00:00+01:00"),
        ("2021-02-03 GMT+8", "yyyy-MM-dd O", "2021-02-03T00:00:00+08:00"),
        ("2021-02-03 GMT", "yyyy-MM-dd O", "2021-02-03T00:00:00Z"),
        ("2021-02-03 GMT-08:00", "yyyy-MM-dd ZZZZ", "2021-02-03T00:00:00-08:00"),
        ("2021-02-03", "yyyy-MM-dd['T'HH:mm]", "2021-02-03T00:00:00Z"),
        ("2021-02-03T10:11", "yyyy-MM-dd['T'HH:mm]", "2021-02-03T10:11:00Z"),
        # Digits side by side: the first number leaves the next ones theirs.
        ("123", "Hmm", "1970-01-01T01:23:00Z"),
        ("1123", "Hmm", "1970-01-01T11:23:00Z"),
    ],
)
def test_java_date_patterns_read(text: str, pattern: str, result: str) -> None:
    assert value("date(t, p)", {"t": text, "p": pattern}) == result


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("2021-2-3", "yyyy-MM-dd"),
        ("2021-02-03 13", "yyyy-MM-dd hh"),
        ("2021-02-03 24", "yyyy-MM-dd HH"),
        ("2021-02-03 25", "yyyy-MM-dd kk"),
        ("2021-02-03 00", "yyyy-MM-dd kk"),
        ("Mon 2021-02-03", "E yyyy-MM-dd"),
        ("2021-02-03 Q2", "yyyy-MM-dd QQQ"),
        ("2021 366", "yyyy D"),
        ("2021-W53", "YYYY-'W'ww"),
        ("2021-02-03 10 PM", "yyyy-MM-dd HH a"),
        ("2021 02 03", "yyyy MM MM"),
        ("2021-02-03 Nowhere/Land", "yyyy-MM-dd VV"),
        ("2021-02-03 -19:00", "yyyy-MM-dd XXX"),
        ("2021-02-03 BC", "yyyy-MM-dd G"),
    ],
)
def test_reading_is_strict(text: str, pattern: str) -> None:
    detail = warning("date(t, p)", {"t": text, "p": pattern})

    assert detail == "the text is no date of the pattern"


def test_no_pattern_takes_for_ever() -> None:
    """Digits can be dealt out to forty numbers in more ways than there is time for."""
    pattern, text = "d" + "Hdmsk" * 19, "1" * 75 + "x"

    assert warning("date(t, p)", {"t": text, "p": pattern}) == "the text is no date of the pattern"


def test_a_pattern_can_be_checked_beforehand() -> None:
    assert formatter("yyyy") is formatter("yyyy")
