"""What of Java's regular expressions is not supported, and what to write instead."""

from __future__ import annotations

from typing import Final

_TWO_CONDITIONS: Final = "two conditions instead, one of them `not matches_regex(…)`"
GROUPS: Final = {
    "(?=": "look-ahead (?=…) is not supported: match all of it and take a group",
    "(?!": f"look-ahead (?!…) is not supported: write {_TWO_CONDITIONS}",
    "(?<=": "look-behind (?<=…) is not supported: match what stands before and take a group",
    "(?<!": f"look-behind (?<!…) is not supported: write {_TWO_CONDITIONS}",
    "(?>": "the atomic group (?>…) is not supported: write (?:…)",
}
_BACK: Final = "back references are not supported: compare two items of extract_regex(…) instead"
ESCAPES: Final = {
    **dict.fromkeys("123456789k", _BACK),
    "G": "\\G is not supported: extract_regex(…) finds one match only",
    "X": "\\X is not supported: write what may stand there",
    "N": "\\N{…} is not supported: write the character itself or \\x{…}",
}
FLAGS: Final = {
    "x": "the flag (?x) is not supported: leave out blanks and comments",
    "U": "the flag (?U) is not supported: write \\p{L} and \\p{Nd} for letters and digits",
}
SETS: Final = "&& and [^…] within […] are not supported beside \\p{…}"
