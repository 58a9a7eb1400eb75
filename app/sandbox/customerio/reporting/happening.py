"""An event of the workspace, and what a webhook gets to see of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.core.published import PREFERENCES, Kind
from app.sandbox.customerio.appapi.names import event_name
from app.sandbox.customerio.appapi.webhook import Webhook
from app.sandbox.customerio.events.mint import wire


@dataclass(frozen=True, slots=True)
class Happening:
    """`bare`: the body without the message's content; `first` False: an open or a click of a
    message that was opened or clicked before."""

    name: str
    event_id: str
    body: bytes
    bare: bytes
    first: bool = True

    def body_for(self, webhook: Webhook) -> bytes | None:
        """What `webhook` is sent of it; None: nothing, and not later either (section 9)."""
        if webhook.disabled or self.name not in webhook.events:
            return None
        if not self.first and not webhook.full_resolution:
            return None
        return self.body if webhook.with_content else self.bare


def happening(kind: Kind, document: dict[str, Any], first: bool = True) -> Happening:
    """`document`, an event of `kind`, whatever object type it shows."""
    body = wire(document)
    bare = wire({**document, "data": _bare(document)}) if _has_content(kind[1]) else body
    return Happening(event_name(*kind), document["event_id"], body, bare, first)


def _has_content(metric: str) -> bool:
    """Sections 5 and 6: sent events have it, and preference changes."""
    return metric in ("sent", PREFERENCES)


def _bare(document: dict[str, Any]) -> dict[str, Any]:
    """Custom headers are beside the content, and go with it."""
    return {k: v for k, v in document["data"].items() if k not in ("content", "headers")}
