"""Passwords of the console's users: argon2id, off the event loop, one or two at a time.

Argon2-cffi's defaults are RFC 9106's second choice: 64 MiB, three passes, four lanes.
"""

from __future__ import annotations

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# NIST SP 800-63B section 3.1.1 asks for 15 where a password is all there is; any characters do.
LEAST_CHARS: Final = 12
# Argon2 takes far more; a megabyte of password would only be a way to keep us busy.
MOST_CHARS: Final = 256

# Each takes 64 MiB and some 50 ms of a core: a crowd at the door must not take the machine.
_AT_A_TIME: Final = 2


class Passwords:
    """Hashes and verifies. One per process."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = asyncio.Semaphore(_AT_A_TIME)
        self._nobodys = ""

    async def hash(self, password: str) -> str:
        """What is kept of a password. Raises ValueError with the reason when it is no good."""
        if fault := fault_of(password):
            raise ValueError(fault)
        return await self._work(password)

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether it is the password. None, a user that does not exist, takes as long: who asks
        must not learn from the time which names there are."""
        if not self._nobodys:
            self._nobodys = await self._work("nobody has this password")
        async with self._turn:
            right = await asyncio.to_thread(self._verify, kept or self._nobodys, password)
        return right and kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether it was hashed with other parameters than would be taken now."""
        return self._hasher.check_needs_rehash(kept)

    async def _work(self, password: str) -> str:
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password[: MOST_CHARS + 1])
        except (VerificationError, InvalidHashError):
            return False


def fault_of(password: str) -> str:
    """Why a new password will not do, or ""."""
    if len(password) < LEAST_CHARS:
        return f"the password is too short: at least {LEAST_CHARS} characters, a few words are best"
    if len(password) > MOST_CHARS:
        return f"the password is too long: at most {MOST_CHARS} characters"
    if len(set(password)) < LEAST_CHARS // 3:
        return "the password has too few different characters"
    return ""
