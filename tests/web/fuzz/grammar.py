"""Random requests: what Customer.io or a proxy before us might send, and what only others would."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Final, NamedTuple

from hypothesis import strategies as st

from app.core.event import peek_event
from tests.web.fuzz.target import MARK, SECRET
from tests.web.fuzz.wire import chunked, signature_lines, webhook

CONNECTIONS: Final = ("raw", "example")
_NAME: Final = st.text(
    "abcdefghijklmnopqrstuvwxyz0123456789-_.!#$%&'*+^`|~", min_size=1, max_size=30
)
_VALUE: Final = st.binary(max_size=300).map(
    lambda raw: bytes(b for b in raw if b == 9 or (b >= 32 and b != 127))
)
_EXTRA_LINES: Final = (
    b"Content-Type: application/json",
    b"Content-Type: \xff;charset=\xfe",
    b"Content-Encoding: gzip",
    b"Content-Encoding: br",
    b"Content-Encoding: zstd",
    b"Content-Encoding: identity",
    b"User-Agent: " + MARK.encode(),
    b"Accept-Encoding: gzip",
    b"Expect: 100-continue",
    b"Connection: keep-alive",
    b"Connection: Upgrade\r\nUpgrade: websocket",
    b"X-Forwarded-For: 192.0.2.1, 10.0.0.1",
    b"X-Forwarded-Proto: https",
    b"Forwarded: for=192.0.2.1",
    b"Cookie: a=b; c",
    b"Authorization: Bearer x",
)
_OWN_TARGETS: Final = (
    b"/webhooks/%b",
    b"/webhooks/%b/",
    b"/webhooks/%b?a=b",
    b"//webhooks/%b",
    b"http://sluice.test/webhooks/%b",
)
# Values that JSON allows and nobody sends.
HOSTILE_VALUES: Final = (
    '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"\u202e\u2028\ufeff"', "1e999", "-1e999",
    "1e-999", "9" * 400, "-" + "9" * 5000, "0.1e1", "-0", "null", "[]", "{}", '{"a":1,"a":2}',
    '{"__proto__":{"a":1},"constructor":[],"":{"":""},"a.b":1,"a[0]":2,"$":3,"*":4}',
    "[" * 300 + "]" * 300, "[" * 5000, '{"a":' * 900 + "1" + "}" * 900, '"' + "x" * 5000 + '"',
    "18446744073709551615", "18446744073709551616", "-9223372036854775809", "NaN", "01",
)  # fmt: skip
_KEYS: Final = (
    "subject",
    "recipients",
    "identifiers",
    "headers",
    "content",
    "campaign_id",
    "other",
)


class Sent(NamedTuple):
    """One request: its bytes; its event's id when the body is an event."""

    content: bytes
    event_id: str = ""


@st.composite
def events(draw: st.DrawFn) -> tuple[bytes, str]:
    """(body, event id if it can be read): an event with hostile values for texts."""
    event_id = f"fuzz-{draw(st.integers(0, 10**12))}"
    values = st.sampled_from(HOSTILE_VALUES)
    data = draw(st.dictionaries(st.sampled_from(_KEYS) | st.text(max_size=20), values, max_size=4))
    fields = ",".join(f"{json.dumps(key)}:{value}" for key, value in data.items())
    stamp = draw(st.sampled_from(("1700000000", "1", "9999999999999", "18446744073709551615")))
    text = (
        f'{{"event_id":"{event_id}","object_type":"email","metric":"sent","timestamp":{stamp},'
        f'"data":{{{fields}}},"mark":"{MARK}"}}'
    )
    body = text.encode("utf-8", "surrogatepass")
    # Of what is no JSON no id can be read.
    return body, event_id if peek_event(body)[0] else ""


BODIES: Final = st.one_of(
    events(),
    st.binary(max_size=3000).map(lambda raw: (raw, "")),
    st.sampled_from(HOSTILE_VALUES).map(lambda text: (text.encode("utf-8", "surrogatepass"), "")),
    st.integers(60_000, 300_000).map(lambda size: (b"x" * size, "")),
)


@st.composite
def acceptable(draw: st.DrawFn) -> Sent:
    """A signed webhook in any framing that HTTP allows: it must be answered 200."""
    body, event_id = draw(BODIES)
    name = draw(st.sampled_from(CONNECTIONS)).encode()
    target = draw(st.sampled_from(_OWN_TARGETS))
    lines = signature_lines(SECRET, body)
    if draw(st.booleans()):
        lines[1] = lines[1].replace(b": ", b": v0=")
    odd = draw(st.lists(st.tuples(_NAME, _VALUE), max_size=12))
    lines += [b"X-%b: %b" % (header.encode(), value) for header, value in odd]
    lines += draw(st.lists(st.sampled_from(_EXTRA_LINES), max_size=4, unique_by=lambda x: x[:12]))
    if draw(st.booleans()):
        lines.append(b"Transfer-Encoding: chunked")
        sizes = draw(st.lists(st.integers(1, 5000), max_size=8))
        content = chunked(body, sizes, draw(st.sampled_from((b"", b";a=b", b';q="\\""'))))
    else:
        lines.append(
            draw(st.sampled_from((b"Content-Length: %d", b"content-length:%d"))) % len(body)
        )
        content = body
    lines = draw(st.permutations(lines))
    head = [b"POST " + target % name + b" HTTP/1.1", b"Host: sluice.test", *lines]
    return Sent(b"\r\n".join(head) + b"\r\n\r\n" + content, event_id)


_PIECES: Final = st.binary(min_size=1, max_size=40) | st.sampled_from((
    b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\x00", b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"-1\r\n",
    b"Content-Length: 3\r\n", b"Content-Length: -1\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"Host: other\r\n",
    b"Connection: close\r\n", b"Connection: Upgrade\r\nUpgrade: h2c\r\n", b"Expect: 200-maybe\r\n",
    b"X-CIO-Signature: 0\r\n", b"X-CIO-Timestamp: -1\r\n", b"HTTP/1.0", b"HTTP/9.9", b": ", b" ",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"X: " + b"x" * 9000 + b"\r\n", b"H: x\r\n" * 100, b"//[", b"%00", b"/../", b"http://[::1",
))  # fmt: skip
_METHODS: Final = (
    "GET",
    "PUT",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "PATCH",
    "CONNECT",
    "M-SEARCH",
    "NOPE",
)
_TARGETS: Final = (
    *(
        "*",
        "/",
        "//",
        "/healthz",
        "/readyz",
        "/webhooks/",
        "/webhooks/unknown",
        "/x\x7f",
        "http://[",
    ),
    *("/webhooks/raw%00", "/webhooks/../raw", "a:b", "/\u00e9"),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A webhook with pieces cut out, put in, repeated."""
    content = bytearray(draw(acceptable()).content[:20_000])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(content) - 1, 0)))
        until = at + draw(st.integers(0, 30))
        match draw(st.sampled_from(("cut", "put", "over", "again", "end"))):
            case "cut":
                del content[at:until]
            case "put":
                content[at:at] = draw(_PIECES)
            case "over":
                content[at:until] = draw(_PIECES)
            case "again":
                content[at:at] = content[at : until * 3]
            case "end":
                del content[until:]
    return bytes(content)


@st.composite
def elsewhere(draw: st.DrawFn) -> bytes:
    """Another method or target, properly framed or not."""
    method, target = draw(st.sampled_from(_METHODS)), draw(st.sampled_from(_TARGETS))
    request = webhook(SECRET, draw(st.binary(max_size=50)), target=target.encode())
    return request.replace(b"POST", method.encode(), 1)


HOSTILE: Final = st.one_of(mutated(), mutated(), elsewhere(), st.binary(max_size=500))


def split(content: bytes, cuts: list[float]) -> list[bytes]:
    """The content in pieces; `cuts`: shares of its length, from 0 to 1."""
    places = sorted({int(cut * len(content)) for cut in cuts} | {0, len(content)})
    return [content[a:b] for a, b in pairwise(places)]


CUTS: Final = st.lists(st.floats(0, 1), max_size=6)
