"""Regular expression functions (platform.md section 4.3), and the expressions behind `explode`.

Adobe's engine is Java's; which part of it is read here, and how long matching can take, is told in
java.py and engines.py. Null semantics, all judgement: a null text matches nothing and has no
groups; a null expression gives null, and false for `matches_regex`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from app.core.dataprep.functions.regexes.engines import MAX_REGEX_INPUT, Pattern
from app.core.dataprep.functions.regexes.java import SHORT_TEXT
from app.core.dataprep.values import Value, as_text

__all__ = ["FUNCTIONS", "MAX_REGEX_INPUT", "Pattern", "matcher", "pattern"]


@lru_cache(maxsize=256)
def pattern(regex: str) -> Pattern:
    """A compiled regular expression. Raises RowFault, which says what to write instead."""
    return Pattern(regex)


def matches_regex(text: Value, regex: Value) -> bool:
    """Does the whole text match (documented: "matches against")? Null does not."""
    if text is None or regex is None:
        return False
    return pattern(as_text(regex)).fullmatch(as_text(text))


def matcher(regex: str) -> Callable[[Value], bool]:
    """`matches_regex` for a regular expression known beforehand. Raises RowFault."""
    compiled = pattern(regex)
    fullmatch = compiled.short_fullmatch

    if fullmatch is None:
        return lambda text: text is not None and compiled.fullmatch(as_text(text))

    def matches(text: Value) -> bool:
        if type(text) is str and len(text) <= SHORT_TEXT:
            return fullmatch(text) is not None
        return text is not None and compiled.fullmatch(as_text(text))

    return matches


def extract_regex(text: Value, regex: Value) -> Value:
    """The first match's groups, the whole match first (documented by the example).

    Judgement: an empty array when nothing matches, null for a group that took no part.
    """
    if text is None or regex is None:
        return None
    found = pattern(as_text(regex)).groups(as_text(text))
    return [] if found is None else found


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "matches_regex": matches_regex,
    "extract_regex": extract_regex,
}
