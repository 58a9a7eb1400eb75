"""The receiver as Customer.io reaches it, under its public address."""

from __future__ import annotations

import time
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import aiohttp

from app.cli.doctor.finding import NotAsked, Said, failed, not_asked, ok, warning
from app.cli.doctor.ground import Ground
from app.core.event import OWN_BODY_BEGINS
from app.settings import Connection
from app.settings.addresses import receiver_url

# Customer.io's time limit (customerio.md section 9).
_CUSTOMERIO_SECONDS: Final = 4.0
_SLOW_SECONDS: Final = 1.0
_HERE: Final = ("127.", "localhost", "[::1]", "::1")
_PROXY: Final = "let the proxy pass /webhooks/ on to the receiver, path and body untouched"

# What its receiver answers for reasons of its own (app.web.answers), by a part of the text.
_REFUSALS: Final = {
    "no such connection": (
        "the receiver behind it does not know this connection",
        "does it read the same config folder? its log says `config.refused` if files are wrong",
    ),
    "try again": (
        "the receiver behind it refuses webhooks",
        "mend Redis as said above: it is away, full, or has too long a backlog",
    ),
}
# Not counted among the refused: see the check of signatures.
_BODY: Final = OWN_BODY_BEGINS + b'"doctor"}'
_OFF_LIST: Final = "not on the allow-list"


class _Answer(NamedTuple):
    status: int
    text: str
    seconds: float


async def public(ground: Ground, connection: Connection) -> list[Said]:
    """A webhook with a wrong signature, posted from here: 401 means that the way is open, and that
    signatures are checked."""
    base = ground.public_url(connection)
    if base is None:
        return await _here(ground, connection)
    return await _looked(ground, base, connection)


async def _here(ground: Ground, connection: Connection) -> list[Said]:
    """Nobody said the public address: then at least the receiver of this machine, if there is
    one."""
    unsaid = not_asked(
        "nobody said how Customer.io reaches the receiver: set SLUICE_PUBLIC_URL, or "
        "customerio.public_url in the setup"
    )
    settings = ground.settings
    base = receiver_url(settings)
    if not (settings.receiver_url or settings.receiver_port) or not await _get(
        ground, f"{base}/healthz"
    ):
        return [unsaid]
    return [*await _looked(ground, base, connection), unsaid]


async def _looked(ground: Ground, base: str, connection: Connection) -> list[Said]:
    url = f"{base}/webhooks/{connection.name}"
    try:
        answer = await _post(ground, url)
    except aiohttp.ClientConnectorCertificateError:
        text = f"{url}: its TLS certificate is not valid; Customer.io waits an hour after that"
        return [failed(text, "renew the certificate, with all intermediate ones, for this host")]
    except (aiohttp.ClientError, OSError) as fault:
        text = f"{url} cannot be reached from here ({type(fault).__name__})"
        return [failed(text, "is the receiver running, its port open, the name in DNS right?")]
    found = _judged(url, answer)
    return found + await _around(ground, base) if found[0].level == "ok" else found


async def _post(ground: Ground, url: str) -> _Answer:
    began = time.monotonic()
    headers = {
        "Content-Type": "application/json",
        "X-CIO-Timestamp": str(int(ground.clock())),
        "X-CIO-Signature": "0" * 64,
    }
    timeout = aiohttp.ClientTimeout(total=2 * _CUSTOMERIO_SECONDS)
    async with ground.session.post(
        url, data=_BODY, headers=headers, allow_redirects=False, timeout=timeout
    ) as response:
        text = (await response.content.read(2_000)).decode("utf-8", "replace")
        return _Answer(response.status, text, time.monotonic() - began)


def _judged(url: str, answer: _Answer) -> list[Said]:
    status = answer.status
    if answer.seconds > _CUSTOMERIO_SECONDS:
        text = f"{url} took {answer.seconds:.1f} s to answer; Customer.io waits 4 s"
        return [failed(text, "look at the proxy before the receiver, and at Redis")]
    if status == 401:
        return [ok(f"{url} is reached, and a wrong signature is refused"), *_slow(url, answer)]
    if status < 300:
        text = f"{url} answers {status} to a wrong signature: that is no receiver of ours"
        return [failed(text, _PROXY)]
    if status < 400:
        return [failed(f"{url} answers {status}, a redirect, which webhooks do not follow", _PROXY)]
    if status == 503:
        if _OFF_LIST in answer.text:
            raise NotAsked(f"{url} is reached; this machine is not in allowed_sources, as is right")
        for part, (text, fix) in _REFUSALS.items():
            if part in answer.text:
                return [failed(f"{url}: {text} (503)", fix)]
    return [failed(f"{url} answers {status}, and not the receiver's 401", _PROXY)]


def _slow(url: str, answer: _Answer) -> list[Said]:
    if answer.seconds < _SLOW_SECONDS:
        return []
    text = f"{url} took {answer.seconds:.1f} s to answer; Customer.io waits 4 s"
    return [warning(text, "look at the proxy before the receiver, and at Redis")]


async def _around(ground: Ground, base: str) -> list[Said]:
    """What else the address shows: /healthz, and to strangers the metrics."""
    host = urlsplit(base).netloc
    if host.startswith(_HERE):
        status = await _get(ground, f"{base}/healthz")
        if status != 200:
            text = f"{base}/healthz answers {status or 'nothing'}"
            return [warning(text, "is another program listening on the receiver's port?")]
        return []
    found = []
    if base.startswith("http:"):
        text = f"{base} is not encrypted: events and their signatures can be read on the way"
        found.append(warning(text, "put TLS in front, and say https:// in the public address"))
    if await _get(ground, f"{base}/metrics") == 200:
        text = f"{base}/metrics is open to everybody"
        found.append(warning(text, "let the proxy pass only /webhooks/"))
    return found


async def _get(ground: Ground, url: str) -> int:
    """The status; 0 = no answer."""
    timeout = aiohttp.ClientTimeout(total=2)
    try:
        async with ground.session.get(url, allow_redirects=False, timeout=timeout) as response:
            return response.status
    except (aiohttp.ClientError, OSError, TimeoutError):
        return 0
