"""Each function's answers: the documented ones, and our judgement on nulls."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.dataprep.functions import FUNCTIONS
from tests.core.dataprep.evaluate import value, warning

SOURCE = {"s": " Aé ", "n": 5, "f": 1.5, "t": True, "o": {"a": 1, "b": "x"}, "l": [3, None, 1]}

QUERY = "foo://example.com:8042/over/there?name=ferret#nose"

CASES: list[tuple[str, Any]] = [
    ("concat('a', 1, null, true, 1.5)", "a1true1.5"),
    ("concat('', n)", "5"),
    ("concat(o)", '{"a":1,"b":"x"}'),
    ("concat()", None),
    ("lower(s)", " aé "),
    ("ucase(s)", " AÉ "),
    ("trim(s)", "Aé"),
    ("ltrim(s)", "Aé "),
    ("rtrim(s)", " Aé"),
    ("lower(missing)", None),
    ("explode('a,b')", ["a", "b"]),
    ("explode('a1b', '[0-9]')", ["a", "b"]),
    ("explode(missing)", None),
    ("split('a-b_c', '_-')", ["a", "b", "c"]),
    ("split('a', '')", ["a"]),
    ("split(missing, ',')", None),
    ("join(', ', to_array(true, 'a', null, 1))", "a, 1"),
    ("join(', ', missing)", None),
    ("instr('adobe.com', 'com')", 6),
    ("instr('aXaXa', 'a', 1, 2)", 4),
    ("instr('a', 'b')", -1),
    ("instr(missing, 'b')", None),
    ("replacestr('a re b', 're', '-')", "a - b"),
    ("replacestr('aa', 'a', null)", None),
    ("replacestr('aa', '', 'x')", "aa"),
    ("substr('This is', 5, 2)", "is"),
    ("substr('abc', 1)", "bc"),
    ("substr(missing, 1, 1)", None),
    ("lpad('abc', 5, 'xy')", "xyabc"),
    ("rpad('abc', 6, 'xy')", "abcxyx"),
    ("lpad('abc', 2, 'x')", "abc"),
    ("lpad('bat', 8, 'yz')", "yzyzybat"),
    ("rpad('bat', 8, 'yz')", "batyzyzy"),
    ("rpad('a', 2, null).equals('a ')", True),
    ("substr('This is a substring test', 7, 8)", " a subst"),
    ("md5('my text', 'UTF-8')", "d3b96ce8c9fb4e9bd0198d03ba6852c7"),
    ("sha1('my text')", "c3599c11e47719df18a2448690840c5dfcce3c80"),
    ("crc32('my text')", "8df92e80"),
    ("dformat(1571829875000, \"yyyy-MM-dd'T'HH:mm:ss.SSSX\")", "2019-10-23T11:24:35.000Z"),
    ("date('2019-10-23 11:24', 'yyyy-MM-dd HH:mm')", "2019-10-23T11:24:00.000Z"),
    ("date('2019-10-23 11:24')", "2019-10-23T11:24:00.000Z"),
    ("set_date_part('m', 4, date('2016-11-09T11:44:44.797'))", "2016-04-09T11:44:44.797Z"),
    ("set_date_part('m', 4, missing)", None),
    ("str_to_object('firstName - John ; phone - 1', '-', ';').get('firstName')", "John"),
    ("get_values('firstName - John , lastName - Cena', 'firstName', '-', ',')", "John"),
    ("get_keys({'book1': 'Pride and Prejudice', 'book2': '1984'})", ["book1", "book2"]),
    ("upsert_array_append([123, 456])", [123, 456]),
    ("upsert_array_replace([123, 456], 1)", [123, 456]),
    ("json_to_object({'a': 1})", {"a": 1}),
    ("get_url_port('sftp://example.com//home/joe/employee.csv')", 22),
    ("get_url_path('sftp://example.com//home/joe/employee.csv')", "//home/joe/employee.csv"),
    ("get_url_path('sftp://example.com//home/joe/employee.csv', false)", "employee.csv"),
    (f"get_url_query_str('{QUERY}', 'retain')", {"name": "ferret#nose"}),
    (f"get_url_query_str('{QUERY}', 'remove')", {"name": "ferret"}),
    (f"get_url_query_str('{QUERY}', 'append')", {"name": "ferret", "_anchor_": "nose"}),
    ("get_url_query_str(missing, 'append')", None),
    ("concat(get_url_encoded(missing), get_url_decoded(missing), get_url_host('no'))", None),
    ("get_url_port('http://a:b/')", None),
    ("lpad(missing, 2, 'x')", None),
    ("rpad(missing, 2, 'x')", None),
    ("left('abcde', 2)", "ab"),
    ("right('abcde', 2)", "de"),
    ("right('a', 0)", None),
    ("left(missing, 1)", None),
    ("right(missing, 1)", None),
    ("n.equals('5')", True),
    ("missing.equals('5')", False),
    ("missing.equalsIgnoreCase(null)", True),
    ("matches_regex('abc', 'a.c')", True),
    ("matches_regex('abcd', 'a.c')", False),
    ("matches_regex('a', concat('a', ''))", True),
    ("matches_regex('a', concat('a', '?'))", True),
    ("matches_regex(missing, 'a')", False),
    ("matches_regex(missing, concat('a', '?'))", False),
    ("matches_regex(n, '5')", True),
    (
        "extract_regex('E259,E259B_009', '([^,]+),[^,]*_([0-9]+)')",
        ["E259,E259B_009", "E259", "009"],
    ),
    ("extract_regex('a', 'b')", None),
    ("extract_regex(missing, 'b')", None),
    ("get_url_protocol('https://a.example:8/b?c=d')", "https"),
    ("get_url_host('https://a.example:8/b?c=d')", "a.example"),
    ("get_url_port('https://a.example:8/b?c=d')", 8),
    ("get_url_port('https://a.example/')", 443),
    ("get_url_port('foo://a.example/')", None),
    ("concat(get_url_protocol(missing), get_url_host(missing), get_url_path(missing))", None),
    ("get_url_port(missing)", None),
    ("get_url_encoded('a b&~c')", "a%20b%26%7Ec"),
    ("get_url_decoded('a+b%26c')", "a b&c"),
    ("md5('abc')", "900150983cd24fb0d6963f7d28e17f72"),
    ("sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ("substr(sha256('abc'), 0, 8)", "ba7816bf"),
    ("substr(sha512('abc', 'UTF-8'), 0, 8)", "ddaf35a1"),
    ("md5('é', 'ISO-8859-1')", "3406877694691ddd1dfb0aca54681407"),
    ("crc32('abc')", "c2412435"),
    ("concat(md5(missing), crc32(missing))", None),
    ("dformat(1571829875000, 'dd-MMM-yyyy hh:mm')", "23-Oct-2019 11:24"),
    ("dformat('1571829875000', concat('yyyy', ''))", "2019"),
    ("dformat(missing, 'yyyy')", None),
    ("format(date('2019-10-23'), 'yyyy.MM.dd')", "2019.10.23"),
    ("format('2019-10-23', 'yyyy')", "2019"),
    ("format(missing, 'yyyy')", None),
    ("date('23-Oct-2019')", "2019-10-23T00:00:00.000Z"),
    ("date('10/23/19', 'MM/dd/yy')", "2019-10-23T00:00:00.000Z"),
    ("date('nope', 'yyyy', date('2000-01-01'))", "2000-01-01T00:00:00.000Z"),
    ("date(missing)", None),
    ("date(missing, 'yyyy', date('2000-01-01'))", "2000-01-01T00:00:00.000Z"),
    ("date(date('2000-01-01'))", "2000-01-01T00:00:00.000Z"),
    ("zone_date_to_utc(date('2019-10-23 11:24:35+0200'))", "2019-10-23T09:24:35.000Z"),
    ("format(zone_date_to_zone(date('2019-10-23'), 'Europe/Berlin'), 'HH:mm XXX')", "02:00 +02:00"),
    ("coalesce(zone_date_to_utc(missing), zone_date_to_zone(missing, 'UTC'))", None),
    ("make_date_time(2019, 10, 17, 11, 55, 12, 999000000, 'UTC')", "2019-10-17T11:55:12.999Z"),
    ("date_part('yyyy', date('2019-10-17'))", 2019),
    ("date_part('quarter', '2019-10-17')", 4),
    ("date_part('MM', '2019-10-17')", 10),
    ("date_part('dayofyear', '2019-10-17')", 290),
    ("date_part('dd', '2019-10-17')", 17),
    ("date_part('week', '2019-10-17')", 42),
    ("date_part('weekday', '2019-10-17')", 5),
    ("date_part('hh12', '2019-10-17 00:10:11Z')", 12),
    ("date_part('hour', '2019-10-17 13:10:11Z')", 13),
    ("date_part('mi', '2019-10-17 13:10:11Z')", 10),
    ("date_part('ss', '2019-10-17 13:10:11Z')", 11),
    ("date_part('SSS', '2019-10-17 13:10:11.042Z')", 42),
    ("date_part('dd', missing)", None),
    ("is_empty('') && is_empty(missing) && is_empty([null]) && is_empty({})", True),
    ("is_empty(0)", False),
    ("to_object('a', 1, 'b', null)", {"a": 1}),
    ("to_object(concat('a', 'b'), 1, null, 2)", {"ab": 1}),
    ("to_map('a', 1)", {"a": 1}),
    ("arrays_to_object('id', ['a', 'b'], 'on', [true])", [{"id": "a", "on": True}, {"id": "b"}]),
    ("arrays_to_object('id', missing)", None),
    ("str_to_object('a:1, b:2,c').get('b')", "2"),
    ("str_to_object('a=1;b=2', '=', ';')", {"a": "1", "b": "2"}),
    ("str_to_object(missing)", None),
    ("l.get(0)", 3),
    ("get_keys(o)", ["a", "b"]),
    ("get_keys(missing)", None),
    ("get_values('a:1,b:2', 'b')", "2"),
    ("object_to_map(o)", {"a": 1, "b": "x"}),
    ("object_to_map(missing)", None),
    ("object_to_map('k', 1)", {"k": 1}),
    ("object_to_map([{'k': 'a', 'v': 1}], 'k')", {"a": {"k": "a", "v": 1}}),
    ("array_to_map([{'k': 'a'}, {}, null], 'k')", {"a": {"k": "a"}}),
    ("array_to_map(missing, 'k')", None),
    ("map_get_values(o, 'a')", 1),
    ("map_get_values(o, ['b', 'z', 'a'])", ["x", 1]),
    ("map_get_values(missing, 'a')", None),
    ("map_has_keys(o, ['z', 'a'])", True),
    ("map_has_keys(o, 'z')", False),
    ("map_has_keys(missing, 'z')", False),
    ("add_to_map(o, {'a': 2, 'c': 3}, null)", {"a": 1, "b": "x", "c": 3}),
    ("coalesce(missing, null, n, s)", 5),
    ("coalesce(missing)", None),
    ("first('1', '2')", "1"),
    ("last(l)", 1),
    ("first([])", None),
    ("add_to_array(l, 'x')", [3, 1, "x"]),
    ("join_arrays(['a'], null, ['b'])", ["a", "b"]),
    ("size_of(to_array(false, 1, null))", 1),
    ("size_of(to_array(true, 1, null))", 2),
    ("to_array(false, {'a': n}, to_object('b', 1))", [{"a": 5}, {"b": 1}]),
    ("size_of(missing) + size_of('ab') + size_of(o)", 4),
    ("min(3, '1', null)", 1),
    ("max(l)", 3),
    ("max('a', 'b')", "b"),
    ("min()", None),
    ("iif(s.equals('x'), 'a', 'b')", "b"),
    ("iif(missing, 'a', 'b')", "b"),
    ("iif('no', 'a', 'b')", "b"),
    ("iif(o, 'a', 'b')", "a"),
    ("decode(n, '5', 'five', 'other')", "five"),
    ("decode(missing, 'a', 1)", None),
    ("decode(o, 'a', 1, 'other')", "other"),
    ("decode('k2', 'k1', 'v1', 'k2', 'v2')", "v2"),
    ("decode(n, 4, s, n, o, 'other')", {"a": 1, "b": "x"}),
    ("decode('q', 'a', s, 'other')", "other"),
    ("decode('a', 'a', null, 'other')", None),
    ("nullify()", None),
    ("contains_key(o.a) && contains_key('o.b') && contains_key(o.get('a'))", True),
    ("contains_key(o.z) or contains_key(l[9]) or contains_key(z.z) or contains_key(s.z)", False),
    ("contains_key(l[1]) && contains_key(l[*]) && is_set(l)", True),
    ("to_integer('12')", 12),
    ("to_bigint('1000000.34')", 1000000.34),
    ("to_integer('1.9')", 1),
    ("to_decimal('1.5')", 1.5),
    ("to_float(2)", 2.0),
    ("coalesce(to_integer(''), to_decimal(missing))", None),
    ("json_to_object('{\"a\": [1]}')", {"a": [1]}),
    ("json_to_object(missing)", None),
    ("'a' + 1", "a1"),
    ("n + missing", None),
    ("coalesce(n - missing, n * missing, n / missing, n % missing, -missing)", None),
    ("'2' * 3.5 - 1", 6.0),
    ("n == '5' && t == 'true' && f == 1.5 && null == missing && n != null", True),
    ("o == 'a' || o == {'a': 1} || n == 'a'", False),
    ("o == n || n == o || l != l", False),
    ("'x' == s || s != ' Aé '", False),
    ("missing < 1 || missing >= 1", False),
    ("'a' < 'b' && '10' > 9", True),
    ("-n", -5),
]


@pytest.mark.parametrize(("expression", "result"), CASES, ids=[c[0][:60] for c in CASES])
def test_a_function_answers(expression: str, result: Any) -> None:
    assert value(expression, SOURCE) == result


@pytest.mark.parametrize(
    ("expression", "detail"),
    [
        ("1 / 0", "division by zero"),
        ("1 % 0", "division by zero"),
        ("lower('a') * 2", "a string that is no number"),
        ("o - 1", "an object where a number is needed"),
        ("t + 1", "a boolean where a number is needed"),
        ("join(',', 'a')", "a string where an array is needed"),
        (
            "get_url_query_str('http://a/', 'x')",
            "the anchor's way is none of retain, remove, append",
        ),
        ("lpad('a', 99999999, 'x')", "padding over 10000 characters"),
        ("explode(s, concat('(', ''))", "the regular expression cannot be read"),
        (
            "matches_regex(rpad('', 5000, 'a'), 'a*')",
            "a text over 4096 characters before a regular expression",
        ),
        ("md5('a', 'EBCDIC')", "the charset is none of UTF-8, UTF-16, ISO-8859-1, US-ASCII"),
        ("dformat(99999999999999999999, 'yyyy')", "a time beyond the year 9999"),
        ("dformat(1, \"yyyy'\")", "a quote of the date pattern is not closed"),
        ("dformat(1, 'yyyy VV')", "the letter V of the date pattern is not known here"),
        ("date('1', 'D')", "the letter D of the date pattern cannot be read from text here"),
        ("dformat(1, rpad('', 200, 'y'))", "a date pattern over 100 characters"),
        ("zone_date_to_zone('2019-10-23', 'Mars/Base')", "no such time zone"),
        ("zone_date_to_zone('2019-10-23', '../x y')", "no such time zone"),
        ("make_date_time(2019, 13, 1, 0, 0, 0, 0, 'UTC')", "the parts make no date"),
        ("date_part('era', '2019-10-23')", "no such part of a date"),
        ("date('today')", "the text is no date of the pattern"),
        ("set_date_part('week', 4, date('2016-11-09'))", "no such part of a date"),
        ("set_date_part('m', 14, date('2016-11-09'))", "the parts make no date"),
        ("format(n, 'yyyy')", "a number where a date is needed"),
        ("arrays_to_object('a')", "names and arrays must come in pairs"),
        ("arrays_to_object('a', s)", "a string where an array is needed"),
        ("get_keys(l)", "an array where an object is needed"),
        ("object_to_map('a', 1, 'b')", "keys and values must come in pairs"),
        ("add_to_array(s, 1)", "a string where an array is needed"),
        ("size_of(n)", "a number has no size"),
        ("min('a', 1)", "a string that is no number"),
        ("json_to_object('{')", "the text is not JSON"),
        ("json_to_object(n)", "a number where a JSON text is needed"),
        ("to_integer('x')", "a string that is no number"),
        ("to_integer(1e400)", "a number that is not finite"),
        ("to_decimal(to_bigint(rpad('1', 390, '0')))", "a number too large for a double"),
        ("to_integer('1_000')", "a string that is no number"),
        ("to_decimal('Infinity')", "a string that is no number"),
        ("9007199254740992 + n", "an integer beyond 2^53, which XDM cannot hold"),
        ("1e308 * 10", "a number that is not finite, which JSON cannot hold"),
        ("date('2019-10-23 +99:00', 'yyyy-MM-dd XXX')", "an offset of a day or more"),
    ],
)  # fmt: skip
def test_a_fault_nulls_the_field_and_says_why_without_values(expression: str, detail: str) -> None:
    assert warning(expression, SOURCE) == detail


def test_every_function_is_tried_here() -> None:
    text = " ".join(case[0] for case in CASES)
    text += " lcase( upper( arrays_to_objects( make_timestamp("

    assert [name for name in FUNCTIONS if name + "(" not in text] == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("yyyy-MM-dd'T'HH:mm:ss.SSSX", "2021-02-03T16:05:06.007Z"),
        ("yy M d H k h K m s", "21 2 3 16 16 4 4 5 6"),
        ("D DDD", "34 034"),
        ("MMMM EEEE a ''yy''", "February Wednesday PM '21'"),
        ("E, S SSSSSSSSSS n", "Wed, 0 0070000000 7000000"),
        ("XX XXX x xx xxx Z ZZZZ ZZZZZ z", "Z Z +00 +0000 +00:00 +0000 GMT+00:00 Z UTC"),
        ("'o''clock'", "o'clock"),
        ("uuuu", "2021"),
    ],
)
def test_java_date_patterns_write(pattern: str, text: str) -> None:
    quoted = pattern.replace('"', '\\"')

    assert value(f'dformat(1612368306007, "{quoted}")') == text


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Asia/Kolkata", "+0530 +0530 +05:30 +0530 GMT+05:30 +05:30 IST"),
        ("America/New_York", "-05 -0500 -05:00 -0500 GMT-05:00 -05:00 EST"),
    ],
)
def test_java_offsets_write(zone: str, text: str) -> None:
    moment = f"zone_date_to_zone(date('2021-02-03'), '{zone}')"

    assert value(f"format({moment}, 'X XX XXX Z ZZZZ ZZZZZ z')") == text


@pytest.mark.parametrize(
    ("text", "pattern", "result"),
    [
        ("2021-02-03 04:05:06 PM", "yyyy-MM-dd hh:mm:ss a", "2021-02-03T16:05:06.000Z"),
        ("2021-02-03 24", "yyyy-MM-dd kk", "2021-02-03T00:00:00.000Z"),
        ("Wednesday 3 February 2021", "EEEE d MMMM yyyy", "2021-02-03T00:00:00.000Z"),
        ("2021-02-03T04:05:06.5-02:30", "yyyy-MM-dd'T'HH:mm:ss.SX", "2021-02-03T06:35:06.500Z"),
    ],
)
def test_java_date_patterns_read(text: str, pattern: str, result: str) -> None:
    assert value(f'date("{text}", "{pattern}")') == result


@pytest.mark.parametrize("text", ["2021-02-30", "x" * 200])
def test_a_date_that_never_was_is_no_date(text: str) -> None:
    assert warning(f"date('{text}', 'yyyy-MM-dd')") == "the text is no date of the pattern"
