"""A Platform, and an IMS, that answer with malice: nothing they say decides where we connect, and
no answer takes more memory or time than an answer may."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from app.adobe.ims import Credential, TokenClient
from app.core.errors import CredentialsRefused, TokenUnavailable
from tests.worker.raw_server import saying
from tests.worker.scripted_platform import (
    LIMITS,
    D,
    Make,
    Platform,
    R,
    T,
    U,
    messages,
    verdicts,
)

Pieces = Callable[[], AsyncIterator[bytes]]

MEGABYTE = 1_000_000
PATIENCE = replace(LIMITS, timeout_seconds=0.5)


def once(content: bytes) -> Pieces:
    async def pieces() -> AsyncIterator[bytes]:
        yield content

    return pieces


def then(*parts: bytes, times: int = 1, pause: float = 0) -> Pieces:
    """The first part, and the others again and again."""

    async def pieces() -> AsyncIterator[bytes]:
        yield parts[0]
        for _ in range(times):
            for part in parts[1:]:
                yield part
            await asyncio.sleep(pause)

    return pieces


def answer(status: str, body: bytes, *lines: str) -> bytes:
    head = [f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


def bomb(megabytes: int) -> bytes:
    """So many megabytes of spaces, compressed a thousandfold."""
    squeezed = zlib.compressobj(wbits=31)
    parts = [squeezed.compress(b" " * MEGABYTE) for _ in range(megabytes)]
    return b"".join([*parts, squeezed.flush()])


def peak_of(status: str = "/proc/self/status") -> int:
    """The most memory that this process had since it was last forgotten, in bytes."""
    found = next(x for x in Path(status).read_text().splitlines() if x.startswith("VmHWM"))
    return int(found.split()[1]) * 1024


def forget_peak() -> int:
    """From now on; what is in memory at the moment, in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_of()


REDIRECTS = [300, 301, 302, 303, 307, 308]


@pytest.mark.parametrize("status", [200, 201, 207, *REDIRECTS, 400, 503])
@pytest.mark.parametrize("header", ["Location", "Content-Location", "Refresh", "Alt-Svc", "Link"])
async def test_no_answer_of_platform_s_decides_where_we_connect(
    make: Make, status: int, header: str
) -> None:
    async with saying(once(answer("200 OK", b"{}"))) as elsewhere:
        link = f"{elsewhere.url}/collection/abc"
        body = b'{"inletUrl":"%b","_links":{"next":{"href":"%b"}}}' % ((link.encode(),) * 2)
        value = {"Refresh": f"0; url={link}", "Link": f"<{link}>; rel=next"}.get(header, link)
        lines = (f"{header}: {value}", "Set-Cookie: a=b; Domain=127.0.0.1", "Content-Type: x/json")
        async with saying(once(answer(f"{status} X", body, *lines))) as platform:
            lane = make(PATIENCE, url=f"{platform.url}/collection/abc")
            outcomes = await lane.send(messages(1))

            assert platform.connections == 1
            # Nothing of it is the event's fault but a plain refusal.
            assert status == 400 or verdicts(outcomes)[0] in (T, U)
        assert elsewhere.connections == 0


@pytest.mark.parametrize("status", REDIRECTS)
async def test_no_answer_of_ims_decides_where_the_secret_goes(status: int) -> None:
    async with saying(once(answer("200 OK", b"{}"))) as elsewhere:
        redirect = answer(f"{status} X", b"", f"Location: {elsewhere.url}/ims/token/v3")
        async with saying(once(redirect)) as ims, aiohttp.ClientSession() as session:
            credential = Credential("id", ("secret",), token_url=f"{ims.url}/ims/token/v3")
            with pytest.raises((CredentialsRefused, TokenUnavailable)):
                await TokenClient(session, credential).fetch()
            assert ims.connections == 1
        assert elsewhere.connections == 0


async def test_the_environment_s_proxies_are_not_used(
    make: Make, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with saying(once(answer("200 OK", b"{}"))) as elsewhere:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, elsewhere.url)
        assert verdicts(await make().send(messages(1))) == [D]
        assert elsewhere.connections == 0


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b"f4240\r\n" + b" " * MEGABYTE + b"\r\n"
GZIP = "Content-Encoding: gzip"
HOSTILE: dict[str, Pieces] = {
    "a gigabyte": then(CHUNKED, CHUNK, times=1000),
    "a gigabyte, said before": then(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", b" " * MEGABYTE, times=1000
    ),
    "a drop at a time": then(CHUNKED, b"1\r\n \r\n", times=1000, pause=0.01),
    "headers a drop at a time": then(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", times=1000, pause=0.01),
    "half a gigabyte, compressed": once(answer("200 OK", bomb(500), GZIP)),
    "a refusal of half a gigabyte": once(answer("400 Bad Request", bomb(500), GZIP)),
    "no gzip": once(answer("200 OK", b"nonsense", GZIP)),
    "ten thousand headers": once(answer("200 OK", b"{}", *(f"H{n}: x" for n in range(10_000)))),
    "a header of ten megabytes": once(answer("200 OK", b"{}", "A: " + "x" * 10_000_000)),
    "endless 100 Continue": then(b"", b"HTTP/1.1 100 Continue\r\n\r\n", times=1000, pause=0.001),
    "no HTTP": once(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 100 + b"\r\n\r\n"),
    "another protocol": once(
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    ),
    "status 999": once(answer("999 Beyond", b"{}")),
    "brackets": once(answer("200 OK", b"[" * 100_000)),
    "a refusal in brackets": once(answer("503 Busy", b'{"report":' * 50_000, "Retry-After: 1e999")),
    "an endless wait": once(answer("503 Busy", b"{}", "Retry-After: " + "9" * 400)),
    "a wait until never": once(answer("503 Busy", b"{}", "Retry-After: Fri, 99 Foo 99999 0:0:0")),
    "numbers beyond all": once(
        answer("207 Multi", b'{"responses":[{"statusCode":1e400,"receivedTimeMs":' + b"9" * 9999)
    ),
    "a receipt of a megabyte": once(
        answer(
            "200 OK",
            b'{"inletId":"a","receivedTimeMs":1,"xactionId":"%b"}' % (b"x" * MEGABYTE),
        )
    ),
    "an index of 5,000 digits": once(
        answer(
            "207 Multi",
            b'{"inletId":"a","batchId":"b","receivedTimeMs":1,"responses":[{"status":400,"xactionId":'
            b'"b:1:%b:2"},{"xactionId":"1:2:3:%b"}]}' % (b"9" * 5000, b"9" * 5000),
        )
    ),
    "a body shorter than said": then(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", b""),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_answer_takes_more_than_an_answer_may(
    make: Make, platform: Platform, name: str
) -> None:
    async with saying(HOSTILE[name]) as hostile:
        before = forget_peak()

        lane = make(PATIENCE, url=f"{hostile.url}/collection/abc")
        outcomes = await lane.send(messages(1, pad=1000))

        assert hostile.written < 64 * MEGABYTE
        assert peak_of() - before < 64 * MEGABYTE
        assert len(str(outcomes)) < 5000
        # Only what says it of the message is a verdict on it.
        spoken = {"a receipt of a megabyte": D, "a refusal of half a gigabyte": R}
        assert verdicts(outcomes)[0] in ([spoken[name]] if name in spoken else [T, U])
    # And it goes on.
    assert verdicts(await make(name="another").send(messages(2))) == [D]
