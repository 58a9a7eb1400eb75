"""Customer.io's webhook signature (customerio.md section 8).

HMAC-SHA256 over `v0:` + X-CIO-Timestamp + `:` + raw body, in hex; the signing key is used as text
bytes, not hex-decoded. A `v0=` prefix is tolerated: some publishers document it, no capture shows it.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence


def sign(key: bytes, timestamp: bytes, body: bytes) -> str:
    """Lower-case hex signature of `body` sent at `timestamp` (the header's bytes)."""
    return hmac.digest(key, b"v0:" + timestamp + b":" + body, "sha256").hex()


def matching_key(keys: Sequence[bytes], timestamp: str, signature: str, body: bytes) -> int | None:
    """Index of the key that made `signature`, or None. Fails closed on missing or odd headers.

    Every key is tried, in constant time each, so that neither the number of live keys nor their
    order can be learned from the time an answer takes.
    """
    given = signature[3:] if signature.startswith("v0=") else signature
    if len(given) != 64 or not timestamp.isascii() or not timestamp.isdigit():
        return None
    if not given.isascii():
        return None
    message = b"v0:" + timestamp.encode() + b":" + body
    wanted = given.lower()
    found: int | None = None
    for index, key in enumerate(keys):
        if key and hmac.compare_digest(hmac.digest(key, message, "sha256").hex(), wanted):
            found = index
    return found
