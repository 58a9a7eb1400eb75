"""Event ids in few bytes: a ULID's 26 characters are 128 bits."""

from __future__ import annotations

from typing import Final

_CROCKFORD: Final = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BASE_32: Final = b"0123456789abcdefghijklmnopqrstuv"
# Whatever is not canonical Crockford (lower case too) becomes a byte that int() refuses.
_TO_BASE_32: Final = bytes(
    _BASE_32[_CROCKFORD.index(byte)] if byte in _CROCKFORD else ord("!") for byte in range(256)
)
_ULID_CHARS: Final = 26
_DIGITS: Final = _CROCKFORD.decode()


def pack_event_id(event_id: str) -> bytes | str:
    """16 bytes for a canonical ULID, any other id as it is."""
    if len(event_id) == _ULID_CHARS and event_id[0] <= "7" and event_id.isascii():
        try:
            return int(event_id.encode().translate(_TO_BASE_32), 32).to_bytes(16, "big")
        except ValueError:
            pass
    return event_id


def unpack_event_id(packed: bytes | str) -> str:
    """What `pack_event_id` was given."""
    if isinstance(packed, str):
        return packed
    whole = int.from_bytes(packed, "big")
    return "".join(_DIGITS[whole >> shift & 31] for shift in range(125, -1, -5))
