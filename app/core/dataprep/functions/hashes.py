"""Hash functions (platform.md section 4.3); digests are lower hex, as the examples show.

Null semantics, judgement: a null text gives null; a null charset is the default, UTF-8.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from app.core.dataprep.values import RowFault, Value, as_text

# Java's UTF-16 writes a big-endian byte order mark.
_CHARSETS: Final = {
    "UTF-8": ("utf-8", b""),
    "UTF-16": ("utf-16-be", b"\xfe\xff"),
    "ISO-8859-1": ("iso-8859-1", b""),
    "US-ASCII": ("ascii", b""),
}


def _digest(make: Callable[..., Any]) -> Callable[..., Value]:
    def digest(text: Value, charset: Value = None) -> str | None:
        if text is None:
            return None
        made: str = make(_bytes(text, charset), usedforsecurity=False).hexdigest()
        return made

    return digest


def crc32(text: Value, charset: Value = None) -> str | None:
    """The CRC-32 in hex, its lowest byte first: so the documented example has it."""
    if text is None:
        return None
    return zlib.crc32(_bytes(text, charset)).to_bytes(4, "little").hex()


def _bytes(text: Value, charset: Value) -> bytes:
    known = _CHARSETS["UTF-8"] if charset is None else _CHARSETS.get(as_text(charset).upper())
    if known is None:
        raise RowFault("the charset is none of UTF-8, UTF-16, ISO-8859-1, US-ASCII")
    # Java puts a question mark where the charset has no such character; so does Python.
    return known[1] + as_text(text).encode(known[0], "replace")


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "sha1": _digest(hashlib.sha1),
    "sha256": _digest(hashlib.sha256),
    "sha512": _digest(hashlib.sha512),
    "md5": _digest(hashlib.md5),
    "crc32": crc32,
}
