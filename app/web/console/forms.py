"""Forms as they come in, and the comparison of their tokens."""

from __future__ import annotations

import hmac

from aiohttp import web


async def read_form(request: web.Request) -> dict[str, str]:
    """The text fields of a form. Raises HTTPBadRequest when it is none."""
    try:
        form = await request.post()
    except (ValueError, LookupError):
        raise web.HTTPBadRequest(text="This form cannot be read.") from None
    return {name: value for name, value in form.items() if isinstance(value, str)}


def equal(given: str, wanted: str) -> bool:
    """Compared in constant time; nothing equals an empty secret."""
    left, right = given.encode("utf-8", "surrogatepass"), wanted.encode()
    return bool(wanted) and hmac.compare_digest(left, right)
