"""What every answer says to the browser about how far to trust it (OWASP has a list of these)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from app.web.console.config import CONSOLE

# Nothing but our own files: no inline script or style, no other host, no frame, no plug-in.
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

_ALWAYS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

_A_YEAR: Final = "max-age=31536000"


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: every answer passes here, refusals and streams too."""
    response.headers.update(_ALWAYS)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "sluice"
    if request.app[CONSOLE].config.secure:
        response.headers["Strict-Transport-Security"] = _A_YEAR
