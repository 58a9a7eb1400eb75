"""Words that several steps put into what they make. Pure."""

from __future__ import annotations

from typing import Final

DESCRIPTION: Final = "Made by Sluice, the Customer.io source."
