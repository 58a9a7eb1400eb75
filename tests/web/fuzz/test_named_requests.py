"""One odd request each, and the answer to it: what a signed webhook may carry, and what is refused.

Statuses that cost Customer.io's stream an hour (customerio.md section 9) are given to none of them
but for a signature that is wrong, and for methods and paths that Customer.io does not use.
"""

from __future__ import annotations

import pytest

from tests.web.fuzz.target import SECRET, Target
from tests.web.fuzz.wire import GOODBYE, Reply, chunked, signature_lines, talk, webhook

BODY = b'{"not":"an event"}'
SIGNED = b"\r\n".join(signature_lines(SECRET, BODY)) + b"\r\n"
HEAD = b"POST /webhooks/raw HTTP/1.1\r\nHost: x\r\n" + SIGNED
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKS = chunked(BODY, [5, 1])
UPGRADE = b"Connection: Upgrade\r\nUpgrade: "


def sized(length: object, *lines: bytes) -> bytes:
    more = b"".join(line + b"\r\n" for line in lines)
    return HEAD + more + b"Content-Length: %b\r\n\r\n" % str(length).encode() + BODY


def signed(*lines: bytes, **options: bytes) -> bytes:
    return webhook(SECRET, BODY, *lines, **options)


def bare(line: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([line, b"Host: x", *headers, b"", b""])


SIZE = len(BODY)
# Framing that HTTP allows and headers that mean nothing to us: the event is taken.
TAKEN = {
    "plain": signed(),
    "in chunks": CHUNKED + CHUNKS,
    "in chunks of one byte": CHUNKED + chunked(BODY, [1] * SIZE),
    "chunk extensions": CHUNKED + chunked(BODY, [3], b';a="b"'),
    "trailers": CHUNKED + CHUNKS[:-2] + b"X-After: y\r\n\r\n",
    "gzip before chunked, not undone": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKS,
    "gzip, and it is none": signed(b"Content-Encoding: gzip"),
    "deflate, and it is none": signed(b"Content-Encoding: deflate"),
    "brotli, and it is none": signed(b"Content-Encoding: br"),
    "zstd, and it is none": signed(b"Content-Encoding: zstd"),
    "two codings": signed(b"Content-Encoding: gzip", b"Content-Encoding: br"),
    "expects 100": signed(b"Expect: 100-continue"),
    "expects what nobody knows": signed(b"Expect: 200-maybe"),
    "the prefix v0=": signed().replace(b"Signature: ", b"Signature: v0="),
    "a second signature": signed(b"X-CIO-Signature: " + b"0" * 64),
    "a second timestamp": signed(b"X-CIO-Timestamp: 1"),
    "no UTF-8 in a header": signed(b"User-Agent: \xff\xfe"),
    "sixty headers": signed(*(b"H%d: x" % n for n in range(59))),
    "a websocket upgrade": signed(UPGRADE + b"websocket"),
    "keep-alive of HTTP/1.0": signed(b"Connection: keep-alive", version=b"HTTP/1.0"),
    "line ends before it": b"\r\n\r\n" + signed(),
    "absolute target": signed(target=b"https://user:word@sluice.test/webhooks/raw"),
    "slashes": signed(target=b"//webhooks//raw//"),
    "a fragment after a query": signed(target=b"/webhooks/raw?a=b#c"),
}

# No HTTP, or HTTP that two readers may read differently: refused, and nothing is stored.
NO_HTTP = {
    "length and chunks": HEAD
    + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % SIZE
    + CHUNKS,
    "chunks and length": HEAD
    + b"Transfer-Encoding: chunked\r\nContent-Length: %d\r\n\r\n" % SIZE
    + CHUNKS,
    "the same length twice": sized(SIZE, b"Content-Length: %d" % SIZE),
    "two lengths": sized(SIZE, b"Content-Length: 3"),
    "lengths in a list": sized(f"{SIZE}, {SIZE}"),
    "negative length": sized(-SIZE),
    "length with a plus": sized(f"+{SIZE}"),
    "hexadecimal length": sized(f"0x{SIZE:x}"),
    "length of 26 digits": sized("9" * 26),
    "identity coding": HEAD + b"Transfer-Encoding: identity\r\n\r\n" + BODY,
    "chunked is not the last coding": HEAD
    + b"Transfer-Encoding: chunked, identity\r\n\r\n"
    + CHUNKS,
    "chunked twice": HEAD + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n" + CHUNKS,
    "coding nearly chunked": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
    "chunk size is no number": CHUNKED + b"zz\r\n" + BODY + b"\r\n0\r\n\r\n",
    "negative chunk size": CHUNKED + b"-5\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunk size beyond 64 bits": CHUNKED + b"f" * 17 + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunk shorter than said": CHUNKED + b"ff\r\n" + BODY + b"\r\n0\r\n\r\n" + b"\r\n" * 300,
    "chunk longer than said": CHUNKED + b"1\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunks with bare line feeds": CHUNKED + CHUNKS.replace(b"\r\n", b"\n"),
    "a length among the trailers": CHUNKED + CHUNKS[:-2] + b"Content-Length: 5\r\n\r\n",
    "two hosts": signed(b"Host: other"),
    "no host": signed().replace(b"Host: sluice.test\r\n", b""),
    "NUL in a header": signed(b"User-Agent: a\x00b"),
    "control in a header": signed(b"User-Agent: a\x01b"),
    "a header folded": signed(b"User-Agent: a\r\n b"),
    "space before the colon": signed(b"User-Agent : a"),
    "a header without colon": signed(b"nonsense"),
    "bare line feeds": signed().replace(b"\r\n", b"\n"),
    "bare carriage returns": signed().replace(b"\r\n", b"\r"),
    "HTTP/1.2": signed(version=b"HTTP/1.2"),
    "HTTP/9.9": signed(version=b"HTTP/9.9"),
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS hello": bytes.fromhex("1603010200010001fc0303") + b"\x00" * 512,
    "nothing but NUL": b"\x00" * 5000,
    "a method of a megabyte": b"P" * 1_000_000,
    "a method nobody knows": b"BREW" + signed()[4:],
    "a target that is no UTF-8": signed(target=b"/webhooks/\xff\xfe"),
    "a target with a control": signed(target=b"/webhooks/raw\x01"),
    "half an address as target": signed(target=b"http://[::1"),
    "an impossible port": signed(target=b"http://x:99999999/webhooks/raw"),
    "no host in an absolute target": signed(target=b"http:///webhooks/raw"),
}

# Understood, and refused.
REFUSED = {
    "ten thousand headers": (signed(*(b"H%d: x" % n for n in range(10_000))), 431),
    "a header of a megabyte": (signed(b"A: " + b"x" * 1_000_000), 431),
    "a header's name of a megabyte": (signed(b"A" * 1_000_000 + b": x"), 431),
    "a target of a megabyte": (signed(target=b"/" + b"x" * 1_000_000), 431),
    "a thousand trailers": (CHUNKED + CHUNKS[:-2] + b"X: y\r\n" * 1000 + b"\r\n", 431),
    "a length beyond the limit": (sized(1_000_001), 413),
    "a length of ten gigabytes": (sized(10**10), 413),
    "a percent-encoded path": (signed(target=b"/webhooks/%72aw"), 503),
    "NUL in the path": (signed(target=b"/webhooks/raw%00"), 503),
    "dots in the path": (signed(target=b"/webhooks/x/../raw"), 503),
    "an unknown connection": (signed(target=b"/webhooks/unknown"), 503),
    "no signature": (signed().replace(b"Signature", b"Sign"), 401),
    "another prefix": (signed().replace(b"Signature: ", b"Signature: v1="), 401),
    "a signature too long": (signed().replace(b"Signature: ", b"Signature: 0"), 401),
    "a signature that is no ASCII": (signed().replace(b"Signature: ", b"Signature: \xc3\xa9"), 401),
    "the wrong signature first": (HEAD.replace(SIGNED, b"X-CIO-Signature: 00\r\n" + SIGNED)
                                  + b"Content-Length: %d\r\n\r\n" % SIZE + BODY, 401),
    "a negative timestamp": (signed(stamp=b"-1"), 401),
    "a timestamp with a fraction": (signed(stamp=b"1700000000.5"), 401),
    "no timestamp at all": (signed(stamp=b" "), 401),
    "a timestamp of 5,000 digits": (signed(stamp=b"9" * 5000), 401),
    "GET": (bare(b"GET /webhooks/raw HTTP/1.1"), 405),
    "HEAD": (bare(b"HEAD /webhooks/raw HTTP/1.1"), 405),
    "SOURCE": (bare(b"SOURCE /webhooks/raw HTTP/1.1"), 405),
    "a websocket": (bare(b"GET /webhooks/raw HTTP/1.1", UPGRADE + b"websocket"), 405),
    "CONNECT": (bare(b"CONNECT other.test:443 HTTP/1.1"), 404),
    "OPTIONS of everything": (bare(b"OPTIONS * HTTP/1.1"), 404),
    "a path elsewhere": (bare(b"GET //[ HTTP/1.1"), 404),
    "POST to the health page": (bare(b"POST /healthz HTTP/1.1"), 405),
}  # fmt: skip


def named(cases: dict[str, object]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", cases)


def statuses(answers: list[Reply]) -> list[int]:
    return [answer.status for answer in answers]


@named(TAKEN)
def test_the_event_is_taken_and_the_connection_goes_on(target: Target, name: str) -> None:
    with target.unharmed(target.system.receiver):
        assert statuses(talk(target.port, TAKEN[name] + GOODBYE)) == [200, 200]
        target.acknowledged += 1


@named(NO_HTTP)
def test_it_is_refused_without_the_hour_and_the_connection_ends(target: Target, name: str) -> None:
    with target.unharmed(target.impatient):
        answers = talk(target.impatient_port, NO_HTTP[name] + GOODBYE)
        assert statuses(answers) == [422]
        assert answers[0].headers["connection"] == "close"


@named(REFUSED)
def test_it_is_refused_for_what_it_is(target: Target, name: str) -> None:
    with target.unharmed(target.impatient):
        request, status = REFUSED[name]
        assert statuses(talk(target.impatient_port, request + GOODBYE))[0] == status


@pytest.mark.parametrize("protocol", [b"h2c", b"TLS/1.0", b""])
def test_after_an_upgrade_that_nobody_knows_the_connection_ends(
    target: Target, protocol: bytes
) -> None:
    """It was kept, and nothing that came on it was answered any more."""
    with target.unharmed(target.system.receiver):
        answers = talk(target.port, signed(UPGRADE + protocol), GOODBYE)
        target.acknowledged += 1
        assert answers[0].status == 200
        assert answers[0].headers.get("connection") == "close" or len(answers) == 2


@pytest.mark.parametrize("size", [0, 1, 1_000_000])
def test_bodies_up_to_the_limit_are_taken(target: Target, size: int) -> None:
    for request in (
        webhook(SECRET, b"x" * size),
        webhook(SECRET, b"x" * size).partition(b"Content-Length")[0]
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + chunked(b"x" * size, [4096] * 50),
    ):
        assert statuses(talk(target.port, request + GOODBYE)) == [200, 200]
        target.acknowledged += 1


def test_a_hundred_webhooks_down_one_pipe_are_answered_in_order(target: Target) -> None:
    requests = [webhook(SECRET, b"%d" % number) for number in range(100)]
    requests[50] = requests[50].replace(b"Signature", b"Sign")
    found = statuses(talk(target.port, b"".join(requests) + GOODBYE))
    assert found == [200] * 50 + [401] + [200] * 50
    target.acknowledged += 99


def test_a_webhook_split_anywhere_is_taken(target: Target) -> None:
    request = webhook(SECRET, BODY)
    for at in range(1, len(request)):
        assert statuses(talk(target.port, request[:at], request[at:] + GOODBYE)) == [200, 200]
        target.acknowledged += 1


def test_unknown_names_make_no_label(target: Target) -> None:
    """Whatever strangers ask for, the metrics keep their size."""
    asked = bare(b"GET /metrics HTTP/1.1", b"Connection: close")
    talk(target.impatient_port, signed(target=b"/webhooks/nobody") + GOODBYE)
    (before,) = talk(target.impatient_port, asked)
    for number in range(50):
        for path in (b"/webhooks/nobody-%d", b"/nowhere-%d", b"/webhooks/%d/raw"):
            talk(target.impatient_port, signed(target=path % number) + GOODBYE)
    (after,) = talk(target.impatient_port, asked)
    assert b"nobody" not in after.body
    assert len(after.body.splitlines()) - len(before.body.splitlines()) <= 2
