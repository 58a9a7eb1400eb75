"""ULIDs: 48 bits of milliseconds and 80 bits of chance, as 26 characters of Crockford's base 32."""

from __future__ import annotations

from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = tuple(first + second for first in _ALPHABET for second in _ALPHABET)


def ulid(milliseconds: int, chance: int) -> str:
    """The ULID of `milliseconds` since the epoch with the low 80 bits of `chance`."""
    value = milliseconds << 80 | chance & (1 << 80) - 1
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(120, -1, -10)])
