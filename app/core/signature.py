"""Customer.io's webhook signature (customerio.md section 8).

HMAC-SHA256 over `v0:` + X-CIO-Timestamp + `:` + raw body, in hex; the signing key is used as text
bytes, not hex-decoded. A `v0=` prefix is tolerated: some publishers document it, none was captured.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

# Nanoseconds have as many digits. What is longer is no time, and Python refuses to read a number of
# over 4,300 digits.
_STAMP_MAX_DIGITS: Final = 19

_SIGNATURE: Final = re.compile(r"(?:v0=)?[0-9A-Fa-f]{64}")
_STAMP: Final = re.compile(rf"[0-9]{{1,{_STAMP_MAX_DIGITS}}}")


def sign(key: bytes, timestamp: bytes, body: bytes) -> str:
    """Lower-case hex signature of `body` sent at `timestamp` (the header's bytes)."""
    return hmac.digest(key, b"v0:" + timestamp + b":" + body, "sha256").hex()


class SigningKeys:
    """The live keys of a connection, each with its HMAC begun: half the price of a fresh one."""

    __slots__ = ("_begun",)

    def __init__(self, keys: Sequence[bytes]) -> None:
        # An empty key would be one that everybody knows.
        self._begun = [hmac.new(key, digestmod="sha256") if key else None for key in keys]

    def match(self, timestamp: str, signature: str, body: bytes) -> int | None:
        """Index of the key that made `signature`, or None. Fails closed on odd headers.

        Every key is tried, in constant time each, so that neither the number of live keys nor
        their order can be learned from the time an answer takes.
        """
        given = signature[3:] if signature.startswith("v0=") else signature
        if len(given) != 64 or not given.isascii():
            return None
        if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > _STAMP_MAX_DIGITS:
            return None
        message = b"v0:" + timestamp.encode() + b":" + body
        wanted = given.lower()
        found: int | None = None
        for index, begun in enumerate(self._begun):
            if begun is not None:
                own = begun.copy()
                own.update(message)
                if hmac.compare_digest(own.hexdigest(), wanted):
                    found = index
        return found


def matching_key(keys: Sequence[bytes], timestamp: str, signature: str, body: bytes) -> int | None:
    """`SigningKeys(keys).match(...)`, for a single question."""
    return SigningKeys(keys).match(timestamp, signature, body)


def looks_signed(timestamp: str, signature: str) -> bool:
    """Whether the headers have the form of Customer.io's: a stranger's rarely do."""
    return bool(_STAMP.fullmatch(timestamp) and _SIGNATURE.fullmatch(signature))


def fingerprint(key: bytes) -> str:
    """Names a signing key where the key itself must not stand: 16 hex digits."""
    return blake2b(key, digest_size=8, person=b"signing-key").hexdigest()
