"""How an inlet's address is shown. Pure."""

from __future__ import annotations


def shortened(url: str) -> str:
    """Whoever has all of an open inlet's address can post to it (platform.md section 1.7)."""
    start, slash, inlet_id = url.rpartition("/")
    return f"{start}{slash}{inlet_id[:8]}..."
