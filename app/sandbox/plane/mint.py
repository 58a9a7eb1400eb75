"""Ids and etags in the forms of the reference's samples."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import count


@dataclass(frozen=True, slots=True)
class Mint:
    """`chance`: where ids are drawn from."""

    chance: random.Random
    _stamps: count[int] = field(default_factory=lambda: count(1))

    def hex(self, digits: int) -> str:
        """Lower-case hex: 64 digits for an inlet, 24 for a dataset, 32 for a mapping set."""
        return f"{self.chance.getrandbits(4 * digits):0{digits}x}"

    def uuid(self) -> str:
        digits = self.hex(32)
        parts = (digits[:8], digits[8:12], f"4{digits[13:16]}", f"8{digits[17:20]}", digits[20:])
        return "-".join(parts)

    def etag(self) -> str:
        """Never the same twice; its quotes belong to it (platform.md section 1.1)."""
        return f'"{self.hex(8)}-0000-0200-0000-{next(self._stamps):08x}0000"'
