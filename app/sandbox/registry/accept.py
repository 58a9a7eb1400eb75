"""The `Accept` header of the Schema Registry: each of its lists and look-ups wants its own.

platform.md section 5.1 says which, and where the pages disagree the stricter one counts here; that
XDM-1007, 1008 and 1009 share the three ways in which it can be wrong as they do here is ours.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from app.sandbox.gateway.view import View
from app.sandbox.plane.body import refused
from app.sandbox.plane.media import Media

LIST_FORMS: Final = ("xed-id", "xed")
SHOW_FORMS: Final = (
    "xed",
    "xed-full",
    "xed-notext",
    "xed-full-notext",
    "xed-full-desc",
    "xed-deprecatefield",
)
DESCRIPTOR_FORMS: Final = ("xdm", "xdm-id", "xdm-link", "xdm-v2")


def accepted(request: web.Request, view: View, *forms: str) -> Media:
    """The media type asked for, one of `forms`. Raises Turned."""
    given = request.headers.get("Accept", "")
    # What a client sends that says nothing.
    if not given or given == "*/*":
        raise refused(view, "Accept header parameter is required", "XDM-1007-400")
    media = Media.parse(given)
    if media is None or media.form not in forms:
        raise refused(view, f"Unknown Accept media supplied: {given}", "XDM-1008-400")
    return media


def accepted_version(request: web.Request, view: View) -> Media:
    """The same for a look-up, which must name a version. Raises Turned."""
    media = accepted(request, view, *SHOW_FORMS)
    if not media.version:
        text = (
            "version must be supplied in the accept header. Example: "
            "application/vnd.adobe.xed-full-notext+json; version=1"
        )
        raise refused(view, text, "XDM-1009-400")
    return media


def descriptor_accepted(request: web.Request, view: View) -> None:
    """One descriptor needs none, which its page says outright (section 5.1); but what is no
    descriptor's is refused (section 7, point 20)."""
    if request.headers.get("Accept", "*/*") not in ("*/*", "application/json"):
        accepted(request, view, *DESCRIPTOR_FORMS)
