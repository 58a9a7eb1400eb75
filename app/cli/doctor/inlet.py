"""The inlet: does it answer? Asked with an empty body, which it refuses: nothing is stored."""

from __future__ import annotations

from typing import Final

import aiohttp

from app.adobe.ims import Token
from app.cli.doctor.credentials import token_of
from app.cli.doctor.finding import Said, failed, ok, warning
from app.cli.doctor.ground import Ground
from app.core.platform import request_for
from app.settings import Connection

_TIMEOUT: Final = aiohttp.ClientTimeout(total=8, connect=5)


async def answers(ground: Ground, connection: Connection) -> list[Said]:
    """What the inlet says to a message without a body (platform.md section 2.6): 400."""
    inlet = connection.platform.inlet
    given: Token | None = await token_of(ground, connection) if inlet.authenticated else None
    request = request_for(inlet, [b""], given.value if given else None)
    try:
        async with ground.session.post(
            request.url, data=b"", headers=request.headers, allow_redirects=False, timeout=_TIMEOUT
        ) as response:
            status, body = response.status, await response.content.read(2_000)
    except (aiohttp.ClientError, OSError) as fault:
        text = f"the inlet cannot be reached ({type(fault).__name__})"
        return [failed(text, "is platform.url right, and may this machine reach it?")]
    return [_judged(status, bool(body.strip()))]


def _judged(status: int, has_body: bool) -> Said:
    match status:
        case 400 | 413 | 415 | 422:
            return ok(f"the inlet answers ({status} to an empty message, as it should)")
        case 401:
            text = "the inlet refuses who calls it (401)"
            fix = "it wants a token: set platform.authenticated and platform.credentials"
            return failed(text, fix)
        case 403 if not has_body:
            text = "the inlet refuses this machine's address (403 without a body)"
            fix = "add it to the organization's allow-list (platform.md section 2.6)"
            return failed(text, fix)
        case 403:
            text = "the inlet refuses this credential (403)"
            fix = "the account needs the right to publish into this organization's Platform"
            return failed(text, fix)
        case 404 | 410:
            return failed(
                f"there is no such inlet ({status})",
                "copy the dataflow's streaming endpoint into platform.url (or inlet_id)",
            )
        case 429 | 500 | 503:
            text = f"the inlet is there, and has trouble ({status})"
            return warning(text, "wait: events are kept and delivered later")
    text = f"the inlet answers {status} to an empty message"
    return failed(text, "is platform.url the address of a streaming inlet?")
