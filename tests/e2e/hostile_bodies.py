"""Signed bodies that nobody sends by chance, and where each must end in xdm and in raw mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import orjson

DELIVERED: Final = "delivered"
# A dead letter of these classes.
UNREADABLE, MAPPING, SCHEMA, TOO_LARGE = "unreadable", "mapping", "schema", "too_large"


class Hostile(NamedTuple):
    """`xdm`, `raw`: where it ends, by mode."""

    name: str
    body: bytes
    xdm: str
    raw: str


def event(name: str, data: bytes = b"{}", **fields: str) -> bytes:
    """An event whose fields are given as JSON; by default it is a good one."""
    given = {
        "event_id": orjson.dumps(name).decode(),
        "object_type": '"email"',
        "metric": '"sent"',
        "timestamp": "1700000000",
        **fields,
    }
    members = [f'"{key}":{value}'.encode() for key, value in given.items()]
    return b"{" + b",".join([*members, b'"data":' + data]) + b"}"


def _nested(levels: int, opens: bytes = b'{"a":', closes: bytes = b"}") -> bytes:
    return opens * levels + b"1" + closes * levels


# No event at all.
_GARBAGE: Final = {
    "empty": b"",
    "NUL": b"\x00" * 100,
    "a byte order mark": b"\xef\xbb\xbf" + event("bom"),
    "UTF-16": event("utf-16").decode().encode("utf-16"),
    "no UTF-8": event("latin", b'{"subject":"\xe4\xff"}'),
    "half a surrogate": event("half", b'{"subject":"\\ud800"}'),
    "an overlong NUL": event("overlong", b'{"subject":"\xc0\x80"}'),
    "100,000 brackets": b"[" * 100_000,
    "100,000 brackets closed": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects in data": event("deep", _nested(100_000)),
    "1e999": event("inf", b'{"campaign_id":1e999}'),
    "an integer of 100,000 digits": event("digits", b'{"campaign_id":' + b"9" * 100_000 + b"}"),
    "NaN": event("nan", b'{"campaign_id":NaN}'),
    "a number": b"5",
    "a text": b'"' + b"x" * 500_000 + b'"',
    "an array of events": b"[" + event("in an array") + b"]",
    "two events": event("one") + b"\n" + event("two"),
    "compressed": b"\x1f\x8b\x08\x00" + b"\x00" * 1000,
    "escape sequences": b"\x1b]0;owned\x07\x1b[2J",
    "event_id is an object": event("x", event_id='{"$ne":""}'),
    "event_id of 300 characters": event("x" * 300),
    "timestamp of 400 digits": event("x", timestamp="9" * 300),
    "timestamp with a fraction": event("x", timestamp="1.5"),
    "data is null": event("x", b"null"),
}


def hostile() -> Iterator[Hostile]:
    """One of each kind."""
    for name, body in _GARBAGE.items():
        yield Hostile(name, body, UNREADABLE, UNREADABLE)

    def same(name: str, data: bytes = b"{}", **fields: str) -> Hostile:
        return Hostile(name, event(name, data, **fields), DELIVERED, DELIVERED)

    yield same("keys of other languages", b'{"__proto__":{"a":1},"constructor":1,"__class__":2}')
    yield same("keys like paths", b'{"a.b":1,"a[0]":2,"":3,"$":4,"*":5,"\\u0000":6,"/":7,"~1":8}')
    yield same("keys twice", b'{"subject":"a","subject":"b"}')
    yield same("event_id twice", b"{}", **{"event_id ": '"x"', "event_id": '"event_id twice"'})
    yield same("NUL in texts", b'{"subject":"a\\u0000b","identifiers":{"email":"\\u0000"}}')
    yield same(
        "the largest integers", b'{"campaign_id":18446744073709551615,"x":-9223372036854775808}'
    )
    yield same("a long fraction", b'{"x":0.' + b"1" * 20_000 + b"}")
    yield same("numbers at the edge", b'{"x":1e308,"y":-1e-400,"z":-0.0}')
    yield same("sixty levels", b'{"x":' + _nested(60) + b"}")
    yield same("ten thousand keys", orjson.dumps({f"k{n}": n for n in range(10_000)}))
    yield same("a kind of 9,000 letters", object_type='"' + "k" * 9000 + '"')
    yield same("controls in names", object_type='"\\u001b[2Jx"', metric='"a\\nb\\u202e"')
    deep = b'{"x":' + _nested(500) + b"}"
    yield Hostile("500 levels", event("500 levels", deep), DELIVERED, UNREADABLE)
    rows = b'{"recipients":[' + b",".join([b'"a"'] * 200_000) + b"]}"
    yield Hostile("200,000 wrong rows", event("200,000 wrong rows", rows), SCHEMA, DELIVERED)
    late = {"timestamp": "18446744073709551615"}
    yield Hostile("the end of time", event("the end of time", **late), MAPPING, DELIVERED)
    yield same("a:colon in its id")
    whole = orjson.dumps({"subject": "\u00e4" * 100, "x": "y" * 999_000 + "z"})[:-120] + b'"}'
    yield Hostile("a megabyte", event("a megabyte", whole)[:1_000_000], TOO_LARGE, DELIVERED)
